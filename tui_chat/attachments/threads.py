"""Work on disks that may never answer, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Final, TypeVar

from tui_chat.errors import FileError

_Result = TypeVar("_Result")
_MOST: Final = 4


class DiskThreads:
    """At most four threads that look at disks. They are daemons: one that is stuck keeps nobody from leaving."""

    def __init__(self) -> None:
        self._running = 0

    async def run(self, work: Callable[[Event], _Result]) -> _Result:
        """What `work` returns or raises. The event that it gets is set once nobody waits for it any more.

        Raises:
            FileError: four others are stuck.
        """
        if self._running >= _MOST:
            raise FileError("The disk does not answer", "Try again later, or another folder.")
        loop, stop = asyncio.get_running_loop(), Event()
        done: asyncio.Future[_Result] = loop.create_future()

        def finish(result: _Result | None, error: BaseException | None) -> None:
            self._running -= 1
            if done.cancelled():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]  # there is one where there is no error

        def call() -> None:
            result, error = None, None
            try:
                result = work(stop)
            except BaseException as raised:  # noqa: BLE001 - it is raised where it is waited for
                error = raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(finish, result, error)

        self._running += 1
        Thread(target=call, name="disk", daemon=True).start()
        try:
            return await done
        finally:
            stop.set()
