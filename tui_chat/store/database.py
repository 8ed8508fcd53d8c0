"""An open database: one thread with the connection that writes, another with one that only reads, for searches.

A job that was queued is done, even if the task that waits for it is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from tui_chat.errors import StoreError
from tui_chat.store import faults, schema

T = TypeVar("T")

lenient: Final = partial(str, encoding="utf-8", errors="replace")
"""Bytes of a file as text, whatever they are. As a connection's `text_factory` it is half as fast as `str`."""


class Closed(StoreError):
    """The store was closed before."""


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Commit what is done within when it ends without an error, else undo it.

    `kind`: IMMEDIATE takes the write lock at once; DEFERRED is for reading several times from one state.
    """
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def suspicion(path: Path) -> Path:
    """The file that tells the next start to look at every page of the database at `path`."""
    return path.with_name(path.name + "-suspect")


class Database:
    """The connections, each on its thread. Every error is a `StoreError`; what failed is undone."""

    def __init__(
        self,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        path: Path | None = None,
        held: BinaryIO | None = None,
    ) -> None:
        """
        Args:
            reader: the same as `writer` where the database is in memory, so that all is done on one thread.
            held: shows other processes that this one has the file open, until it is closed.
        """
        self.path = path
        self.writer = writer
        self.reader = reader
        self.writing = ThreadPoolExecutor(1, "store")
        self.reading = self.writing if reader is writer else ThreadPoolExecutor(1, "store-search")
        self._held = held
        self._closing = False

    async def write(
        self, work: Callable[[sqlite3.Connection], T], then: Callable[[T], None] = lambda _: None
    ) -> T:
        """The result of `work`, once what it wrote is on the disk; `then` gets it before the next job is done."""

        def job() -> T:
            result = self._committed(work)
            then(result)
            return result

        return await self._done(self.writing, job)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`, which reads one state of the database, behind what is queued."""

        def job() -> T:
            with transaction(self.writer, "DEFERRED"):
                return work(self.writer)

        return await self._done(self.writing, job)

    async def search(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`, which reads at its leisure beside what is written."""
        return await self._done(self.reading, lambda: work(self.reader))

    def behind(self, work: Callable[[sqlite3.Connection], object]) -> Future[None] | None:
        """Do `work` behind what is queued. If it fails it is left to the next time; None if all is closed."""

        def job() -> None:
            with contextlib.suppress(StoreError):
                if not self._closing:
                    self._told(lambda: self._committed(work))

        with contextlib.suppress(Closed):
            return self._submit(self.writing, job)
        return None

    def close(self, timeout: float) -> bool:
        """Finish what was queued and close: True if that took less than `timeout` seconds. Needs no event loop."""
        self._closing = True
        searched: list[Future[None]] = []

        def last() -> None:
            wait(searched, timeout)
            self.writer.close()  # after the reader, since the last one to close clears the log away
            if self._held is not None:
                self._held.close()

        try:
            if self.reader is not self.writer:
                searched.append(self._submit(self.reading, self.reader.close))
            written = self._submit(self.writing, last)
        except Closed:
            return True
        self.reading.shutdown(wait=False)
        self.writing.shutdown(wait=False)
        return not wait([written], timeout).not_done

    def _submit(self, thread: ThreadPoolExecutor, job: Callable[[], T]) -> Future[T]:
        try:
            return thread.submit(job)
        except RuntimeError:
            raise Closed("The store is closed.") from None

    async def _done(self, thread: ThreadPoolExecutor, job: Callable[[], T]) -> T:
        """Queue `job` at once and wait for its result. Cancelling the wait does not cancel the job."""
        return await asyncio.shield(asyncio.wrap_future(self._submit(thread, lambda: self._told(job))))

    def _committed(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with transaction(self.writer):
            schema.refuse_newer(self.writer)  # a newer tui-chat may have migrated the file under us
            return work(self.writer)

    def _told(self, job: Callable[[], T]) -> T:
        """The result of `job`, with SQLite's errors put into words.

        Where it stumbles over a text that is not UTF-8 it is done again, leniently.
        """
        try:
            try:
                return job()
            except sqlite3.OperationalError as error:
                if not faults.is_undecodable(error):
                    raise
            self.writer.text_factory = self.reader.text_factory = lenient
            return job()
        except sqlite3.Error as error:
            if self.path is not None and faults.is_damage(error):
                with contextlib.suppress(OSError):
                    suspicion(self.path).touch(0o600)
            raise faults.explain(error, self.path) from error
