"""From a path to a connection that can be written to, whatever lies there."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeVar

from tui_chat.errors import StoreError
from tui_chat.store import faults, index, transfer
from tui_chat.store.files import (
    PATIENCE,
    free_name,
    hold,
    is_held,
    is_network,
    locked,
    looks_like_ours,
    lost_its_head,
    make,
    set_aside,
)
from tui_chat.store.schema import VERSION, create, version_of
from tui_chat.store.text import lenient
from tui_chat.store.transaction import transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """Two connections to one database, of which the second only reads; in memory they are the same."""

    writer: sqlite3.Connection
    reader: sqlite3.Connection
    notice: str = ""
    """What the user has to know: that a damaged file was set aside."""
    held: BinaryIO | None = None
    """What shows other processes that this one has the file open."""

    def close(self) -> None:
        """Close the connection that writes, and let go of the file."""
        self.writer.close()
        if self.held is not None:
            self.held.close()

    def run(self, job: Callable[[], T]) -> T:
        """What `job` gives; where it stumbles over a text that is not UTF-8 it is done again, leniently."""
        try:
            return job()
        except sqlite3.OperationalError as error:
            if not faults.is_undecodable(error):
                raise
        self.writer.text_factory = self.reader.text_factory = lenient
        return job()


def open_database(path: Path | None, patience: float = PATIENCE) -> Opened:
    """Open, create, migrate or replace the database at `path`; None is a fresh one in memory.

    Raises:
        StoreError: it cannot be used. Nothing was changed.
    """
    try:
        if path is None:
            connection = _connect(":memory:", patience)
            with transaction(connection):
                create(connection)
            return Opened(connection, connection)
        return _open_file(path, patience)
    except TimeoutError as error:
        raise faults.locked(str(error.filename or path)) from error
    except OSError as error:
        raise StoreError(
            f"The conversations cannot be opened: {error.strerror or error}: {path}",
            f"Check the path and its permissions. {faults.MEMORY_HINT}",
        ) from error
    except sqlite3.Error as error:
        raise faults.explain(error, path) from error


def _open_file(path: Path, patience: float) -> Opened:
    with locked(path.parent, patience):  # of several first starts, one makes, migrates or sets aside
        make(path)
        try:
            if not lost_its_head(path):
                return _open_sound(path, patience)
        except sqlite3.DatabaseError as error:
            if not faults.is_damage(error):
                raise
            if not looks_like_ours(path):
                raise StoreError(
                    f"This is not a file of conversations: {path}", "Move it away, or name another file."
                ) from error
        if is_held(path):
            raise StoreError(
                f"The file of the conversations is damaged, and another tui-chat has it open: {path}",
                "Close the other one first, then start again: what can be read is saved then.",
            )
        aside = set_aside(path)
        suspicion(path).unlink(missing_ok=True)
        make(path)
        opened = _open_sound(path, patience)
    return replace(opened, notice=_rescue(aside, opened.writer))


def _rescue(aside: Path, target: sqlite3.Connection) -> str:
    notice = f"The file of the conversations was damaged and is kept as {aside.name}."
    try:
        chats, lost = transfer.rescue(aside, target)
    except sqlite3.Error as error:
        return f"{notice} Saving what can be read of it failed: {faults.words_of(error)}."
    if not chats:
        return f"{notice} Nothing could be saved from it."
    return f"{notice} Chats saved from it: {chats}{', not all of them whole' if lost else ''}."


def _open_sound(path: Path, patience: float) -> Opened:
    uri = path.absolute().as_uri()
    _look_first(uri, patience)
    connection = _connect(uri + "?mode=rw", patience)
    try:
        version_of(connection)
        _choose_journal(connection, path)
        with transaction(connection):
            version = version_of(connection)
            if version == 0:
                create(connection)
            elif version < VERSION:
                transfer.migrate(_back_up(path, version), connection)
        _verify_if_suspected(connection, path)
        reader = _connect(uri + "?mode=ro", patience)
    except (sqlite3.Error, StoreError, OSError):
        connection.close()
        raise
    connection.text_factory = reader.text_factory = str  # twice as fast
    return Opened(connection, reader, held=hold(path))


def _look_first(uri: str, patience: float) -> None:
    """Refuse a file of a newer program before it is opened for writing."""
    with contextlib.closing(_connect(uri + "?mode=ro", patience)) as reader:
        try:
            version_of(reader)
        except sqlite3.OperationalError as error:
            if faults.code_of(error) != sqlite3.SQLITE_READONLY:  # a crash left a journal, for the writer to undo
                raise


def _connect(name: str, patience: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name, uri=name.startswith("file:"), timeout=patience, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = lenient
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _choose_journal(connection: sqlite3.Connection, path: Path) -> None:
    """WAL, so that readers and the writer do not wait for each other. It needs shared memory: not on a network."""
    mode = "DELETE" if is_network(path) else "WAL"
    deadline = time.monotonic() + connection.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    while connection.execute("PRAGMA journal_mode").fetchone()[0].upper() != mode:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
            break  # where it is refused, the mode stays what it was, and works
        except sqlite3.OperationalError as error:
            if faults.code_of(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # SQLite does not wait by itself here; two first starts can meet
    connection.execute("PRAGMA synchronous = FULL")


def suspicion(path: Path) -> Path:
    """The file that tells the next start to look at every page."""
    return path.with_name(path.name + "-suspect")


def _verify_if_suspected(connection: sqlite3.Connection, path: Path) -> None:
    if not suspicion(path).exists():
        return
    with transaction(connection):
        index.rebuild(connection)  # damage there is no loss; from SQLite 3.44 on the check finds it too
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise faults.damage(verdict)
    suspicion(path).unlink(missing_ok=True)


def _back_up(path: Path, version: int) -> Path:
    copy = free_name(path, f"version-{version}")
    make(copy)
    source = sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)
    with contextlib.closing(source), contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
