"""From a path to a database that can be written to, whatever lies there."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from tui_chat.errors import StoreError
from tui_chat.store import faults, files, schema, search, transfer
from tui_chat.store.database import Database, lenient, suspicion, transaction

_START_PATIENCE: Final = 2.0
"""Seconds to wait for another program's lock at the start, where nothing is on the screen yet."""


def open_database(path: Path | None, patience: float = files.PATIENCE) -> tuple[Database, str]:
    """Open, create, migrate or replace the database at `path`; None is a fresh one in memory.

    Also returns what the user has to know: that a damaged file was set aside.

    Raises:
        StoreError: it cannot be used. Nothing was changed.
    """
    try:
        if path is None:
            connection = _connect(":memory:")
            with transaction(connection):
                schema.create(connection)
            return Database(connection, connection), ""
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


def _open_file(path: Path, patience: float) -> tuple[Database, str]:
    # of several first starts, one makes, migrates or sets aside
    with files.locked(path.parent, min(patience, _START_PATIENCE)):
        files.make(path)
        try:
            if not files.lost_its_head(path):
                return _open_sound(path, patience), ""
        except sqlite3.DatabaseError as error:
            if not faults.is_damage(error):
                raise
            if not files.looks_like_ours(path):
                raise StoreError(
                    f"This is not a file of conversations: {path}", "Move it away, or name another file."
                ) from error
        if files.is_held(path):
            raise StoreError(
                f"The file of the conversations is damaged, and another tui-chat has it open: {path}",
                "Close the other one first, then start again: what can be read is saved then.",
            )
        aside = files.set_aside(path)
        suspicion(path).unlink(missing_ok=True)
        files.make(path)
        database = _open_sound(path, patience)
    return database, _rescue(aside, database.writer)


def _rescue(aside: Path, target: sqlite3.Connection) -> str:
    notice = f"The file of the conversations was damaged and is kept as {aside.name}."
    try:
        chats, lost = transfer.rescue(aside, target)
    except sqlite3.Error as error:
        return f"{notice} Saving what can be read of it failed: {faults.words_of(error)}."
    if not chats:
        return f"{notice} Nothing could be saved from it."
    return f"{notice} Chats saved from it: {chats}{', not all of them whole' if lost else ''}."


def _open_sound(path: Path, patience: float) -> Database:
    uri, start = path.absolute().as_uri(), min(patience, _START_PATIENCE)
    _look_first(uri, start)
    writer = _connect(uri + "?mode=rw", start)
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
                transfer.migrate(_back_up(path, version), writer)
        _verify_if_suspected(writer, path)
        reader = _connect(uri + "?mode=ro", start)
    except (sqlite3.Error, StoreError, OSError):
        writer.close()
        raise
    for connection in (writer, reader):
        connection.text_factory = str  # twice as fast
        connection.execute(f"PRAGMA busy_timeout = {round(patience * 1000)}")
    return Database(writer, reader, path, files.hold(path))


def _look_first(uri: str, patience: float) -> None:
    """Refuse a file of a newer program before it is opened for writing."""
    with contextlib.closing(_connect(uri + "?mode=ro", patience)) as reader:
        try:
            schema.version_of(reader)
        except sqlite3.OperationalError as error:
            if faults.code_of(error) != sqlite3.SQLITE_READONLY:  # a crash left a journal, for the writer to undo
                raise


def _connect(name: str, patience: float = 0.0) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name, uri=name.startswith("file:"), timeout=patience, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = lenient
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _verify_if_suspected(connection: sqlite3.Connection, path: Path) -> None:
    if not suspicion(path).exists():
        return
    with transaction(connection):
        search.rebuild(connection)  # damage there is no loss; from SQLite 3.44 on the check finds it too
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise faults.damage(verdict)
    suspicion(path).unlink(missing_ok=True)


def _back_up(path: Path, version: int) -> Path:
    copy = files.free_name(path, f"version-{version}")
    files.make(copy)
    source = sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)
    with contextlib.closing(source), contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
