"""A thread on which jobs run one after another, each to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from tui_chat.errors import StoreError

T = TypeVar("T")


class Closed(StoreError):
    """The store was closed before."""


class SerialExecutor:
    """One thread. A job that was submitted is done, even if nobody waits for it any more."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Queue `job`.

        Raises:
            Closed: the lane is closed.
        """
        try:
            return self._pool.submit(job)
        except RuntimeError:
            raise Closed("The store is closed.") from None

    async def run(self, job: Callable[[], T]) -> T:
        """Queue `job` at once and wait for its result. Cancelling the wait does not cancel the job."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(job)))

    def close(self, last: Callable[[], None], timeout: float) -> bool:
        """Take no more jobs, do those that wait and then `last`: within `timeout` seconds, or say False."""
        try:
            final = self._pool.submit(last)
        except RuntimeError:
            return True
        self._pool.shutdown(wait=False)
        done, _ = wait([final], timeout)
        return bool(done)
