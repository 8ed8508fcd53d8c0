"""Work on disks that may never answer, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Event, Thread
from typing import Final, TypeVar

from tui_chat.errors import FileError

_Result = TypeVar("_Result")
_MOST: Final = 4


class DiskThreads:
    """At most four threads that look at disks. They are daemons: one that is stuck keeps nobody from leaving."""

    def __init__(self) -> None:
        self._free = BoundedSemaphore(_MOST)

    async def run(self, work: Callable[[Event], _Result]) -> _Result:
        """What `work` returns or raises. The event that it gets is set once nobody waits for it any more.

        Raises:
            FileError: four others are stuck.
        """
        if not self._free.acquire(blocking=False):
            raise FileError("The disk does not answer", "Try again later, or another folder.")
        done, stop = Future[_Result](), Event()
        done.set_running_or_notify_cancel()  # from now on it cannot be cancelled
        done.add_done_callback(lambda _: self._free.release())

        def call() -> None:
            try:
                done.set_result(work(stop))
            except BaseException as raised:  # noqa: BLE001 - it is raised where it is waited for
                done.set_exception(raised)

        Thread(target=call, name="disk", daemon=True).start()
        try:
            return await asyncio.wrap_future(done)
        finally:
            stop.set()
