"""An open database: a thread with the connection that writes, and one with a read-only connection for searches.

A queued job is done even if the waiting task is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final, TypeVar

from tui_chat.errors import StoreError
from tui_chat.files import PATIENCE, locked, make
from tui_chat.store import faults, files, schema, search
from tui_chat.store.owner import Owner, is_open
from tui_chat.store.schema import lenient, migrate, rescue, transaction

T = TypeVar("T")


class Closed(StoreError):
    """The store was closed before."""


def suspicion(path: Path) -> Path:
    """The file that makes the next start check the whole database at `path`."""
    return path.with_name(path.name + "-suspect")


class Database:
    """The connections, each on its thread. Every error is a `StoreError`; failed work is undone."""

    def __init__(self, writer: sqlite3.Connection, reader: sqlite3.Connection, path: Path | None = None) -> None:
        """
        Args:
            reader: for a database in memory the same as `writer`; then one thread does all.
        """
        self.path = path
        self.writer = writer
        self.reader = reader
        self.writing = ThreadPoolExecutor(1, "store")
        self.reading = self.writing if reader is writer else ThreadPoolExecutor(1, "store-search")
        self.owner = Owner(path)
        self._closing = False

    async def write(
        self, work: Callable[[sqlite3.Connection], T], then: Callable[[T], None] = lambda _: None
    ) -> T:
        """The result of `work`, once its changes are on disk; `then` gets it before the next job starts."""

        def job() -> T:
            result = self._committed(work)
            then(result)
            return result

        return await self._done(self.writing, job)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`, which reads one state of the database, after the queued jobs."""

        def job() -> T:
            with transaction(self.writer, "DEFERRED"):
                return work(self.writer)

        return await self._done(self.writing, job)

    async def search(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`, which reads on the search thread."""
        return await self._done(self.reading, lambda: work(self.reader))

    def behind(self, work: Callable[[sqlite3.Connection], object]) -> Future[None] | None:
        """Queue `work` and ignore its failure; None if the database is closed."""

        def job() -> None:
            with contextlib.suppress(StoreError):
                if not self._closing:
                    self._told(lambda: self._committed(work))

        with contextlib.suppress(Closed):
            return self._submit(self.writing, job)
        return None

    def close(self, timeout: float) -> bool:
        """Finish queued jobs and close; True if that took less than `timeout` seconds. Needs no event loop."""
        self._closing = True
        searched: list[Future[None]] = []

        def last() -> None:
            wait(searched, timeout)
            self.writer.close()  # after the reader: the last connection removes the log
            self.owner.close()

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
        """The result of `job`; SQLite's errors become `StoreError`s."""
        try:
            return job()
        except sqlite3.Error as error:
            if self.path is not None and faults.is_damage(error):
                with contextlib.suppress(OSError):
                    suspicion(self.path).touch(0o600)
            raise faults.explain(error, self.path) from error


START_PATIENCE: Final = 2.0
"""Seconds to wait for another program's lock at the start, before anything is on screen."""


def open_database(path: Path | None) -> tuple[Database, str]:
    """Open, create, migrate or replace the database at `path`; None is a new one in memory.

    Also returns a notice for the user if a damaged file was set aside.

    Raises:
        StoreError: it cannot be used. Nothing was changed.
    """
    try:
        if path is None:
            connection = _connect(":memory:")
            with transaction(connection):
                schema.create(connection)
            return Database(connection, connection), ""
        return _open_file(path)
    except TimeoutError as error:
        raise faults.locked(str(error.filename or path)) from error
    except OSError as error:
        raise StoreError(
            f"Cannot open the chats: {error.strerror or error}: {path}",
            f"Check the path and its permissions. {faults.MEMORY_HINT}",
        ) from error
    except sqlite3.Error as error:
        raise faults.explain(error, path) from error


def _open_file(path: Path) -> tuple[Database, str]:
    # if several programs start at once, one creates, migrates or sets aside
    with locked(path.parent, START_PATIENCE):
        make(path)
        elsewhere = is_open(path)
        try:
            if not files.lost_its_head(path):
                return _open_sound(path), ""
        except sqlite3.DatabaseError as error:
            if not faults.is_damage(error):
                raise
            if not files.looks_like_ours(path):
                raise StoreError(
                    f"This is not a tui-chat database: {path}", "Move it away, or name another file."
                ) from error
        if elsewhere:
            raise StoreError(
                f"The chat database is damaged, and another tui-chat has it open: {path}",
                "Close the other tui-chat, then start again to recover the chats.",
            )
        aside = files.set_aside(path)
        suspicion(path).unlink(missing_ok=True)
        make(path)
        database = _open_sound(path)
    return database, _rescue(aside, database.writer)


def _rescue(aside: Path, target: sqlite3.Connection) -> str:
    notice = f"The chat database was damaged and is kept as {aside.name}."
    try:
        chats, lost = rescue(aside, target)
    except sqlite3.Error as error:
        return f"{notice} Recovering chats from it failed: {faults.words_of(error)}."
    if not chats:
        return f"{notice} No chats could be recovered."
    return f"{notice} Chats recovered: {chats}{', some incomplete' if lost else ''}."


def _open_sound(path: Path) -> Database:
    uri = path.absolute().as_uri()
    writer = _connect(uri + "?mode=rw")
    try:
        schema.version_of(writer)
        # WAL, so that readers and the writer do not wait for each other. It needs shared memory: not on a network.
        # Where it is refused, the mode stays what it was, and works.
        writer.execute(f"PRAGMA journal_mode = {'DELETE' if files.is_network(path) else 'WAL'}")
        writer.execute("PRAGMA synchronous = FULL")
        with transaction(writer):
            version = schema.version_of(writer)
            if version == 0:
                schema.create(writer)
            elif version < schema.VERSION:
                migrate(_back_up(path, version), writer)
        _verify_if_suspected(writer, path)
        reader = _connect(uri + "?mode=ro")
    except (sqlite3.Error, StoreError, OSError):
        writer.close()
        raise
    for connection in (writer, reader):
        connection.execute(f"PRAGMA busy_timeout = {round(PATIENCE * 1000)}")
    return Database(writer, reader, path)


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name, uri=name.startswith("file:"), timeout=START_PATIENCE, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = lenient
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _verify_if_suspected(connection: sqlite3.Connection, path: Path) -> None:
    if not suspicion(path).exists():
        return
    with transaction(connection):
        search.rebuild(connection)  # damage there loses nothing, but the check of SQLite 3.44 and later finds it
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise faults.damage(verdict)
    suspicion(path).unlink(missing_ok=True)


def _back_up(path: Path, version: int) -> Path:
    copy = files.free_name(path, f"version-{version}")
    make(copy)
    source = sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)
    with contextlib.closing(source), contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
