"""The store: every conversation, in one SQLite file, behind asynchronous methods.

    screen ── await ──▶ Store ── job ──▶ the writer's thread ──▶ its connection ──▶ file
                          └──── job ──▶ the searcher's thread ──▶ a read-only connection ─▲

A method is a transaction. It is queued before the method first waits, and done even if the waiting task is
cancelled; when the method returns, what it wrote is on the disk. Every error is a `StoreError`; what failed left
no trace, and the store works again as soon as the cause is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar, Unpack

from tui_chat.errors import StoreError
from tui_chat.messages import Message, State
from tui_chat.store import adoption, chats, faults, index, nodes, pieces
from tui_chat.store.executor import SerialExecutor
from tui_chat.store.files import PATIENCE
from tui_chat.store.opening import Opened, open_database, suspicion
from tui_chat.store.owner import ProcessId
from tui_chat.store.schema import version_of
from tui_chat.store.search import Search
from tui_chat.store.seen import ChangedElsewhere, Seen
from tui_chat.store.transaction import transaction
from tui_chat.store.values import Chat, ChatFields, ChatSummary, Hit, Thread

T = TypeVar("T")

_PURGED_AT_ONCE: Final = 20
_KEPT_DELETED: Final = 30 * 24 * 3600.0
"""Seconds for which a deleted chat can be had back."""
_PURGED_AT_START: Final = 3


class Store:
    """All conversations. `open` makes one; `close` it at the end."""

    def __init__(self, opened: Opened, path: Path | None, owner: ProcessId, clock: Callable[[], float]) -> None:
        self.path = path
        """None if it is in memory: nothing is kept then."""
        self.notice = opened.notice
        """What the user has to know: that a damaged file was set aside."""
        self._owner = owner
        self._clock = clock
        self._opened = opened
        self._writer = SerialExecutor("store")
        self._searcher = self._writer if opened.reader is opened.writer else SerialExecutor("store-search")
        self._search: Search | None = None
        self._seen = Seen()
        self._indexing = False
        self._closing = False

    @classmethod
    async def open(
        cls,
        path: Path | None,
        *,
        owner: ProcessId | None = None,
        clock: Callable[[], float] = time.time,
        patience: float = PATIENCE,
    ) -> Store:
        """Open the store at `path`, or a fresh one in memory if that is None.

        The file and its folder are made if they are not there, private to the user. An older file is migrated, a
        copy of it kept; a damaged one is set aside under a new name (see `notice`). `patience` is how many seconds
        to wait for another program's lock.

        Raises:
            StoreError: it cannot be used: read-only, locked, of a newer tui-chat, of another program, a folder.
        """
        opened = await asyncio.to_thread(open_database, path, patience)
        return cls(opened, path, owner or ProcessId.current(), clock)

    def close(self, timeout: float = 5.0) -> bool:
        """Finish what was queued and close: True if that took less than `timeout` seconds. Needs no event loop."""
        self._closing = True
        if self._search is not None:
            self._search.call_off()
        ended = time.monotonic() + timeout
        searched = self._searcher is self._writer or self._searcher.close(self._opened.reader.close, timeout)
        return self._writer.close(self._opened.close, max(0.0, ended - time.monotonic())) and searched

    async def aclose(self, timeout: float = 5.0) -> bool:
        """`close`, without holding up the event loop."""
        return await asyncio.to_thread(self.close, timeout)

    async def recover(self) -> tuple[str, ...]:
        """Make the replies `interrupted` whose writer is gone: the ids of their chats, the newest first.

        Behind it, a few of the chats are removed that were deleted more than 30 days ago.
        """
        recovered = await self._write(lambda db: nodes.recover(db, self._owner, self._clock()))
        self._index_soon()
        before = self._clock() - _KEPT_DELETED
        self._behind(lambda: self._committed(lambda db: nodes.purge(db, before, _PURGED_AT_START)))
        return recovered

    async def create_chat(self, chat: Chat) -> None:
        """Add a chat.

        Raises:
            StoreError: there is one with its id, or it cannot be written.
        """
        await self._write(lambda db: chats.insert(db, chat))

    async def save_chat(self, chat_id: str, **fields: Unpack[ChatFields]) -> None:
        """Change some fields of a chat: its title, draft, place, leaf ... Its `updated` stays.

        Raises:
            StoreError: it is not there, or cannot be written.
        """
        await self._write(lambda db: chats.update(db, chat_id, fields))

    async def save(
        self,
        chat_id: str,
        *messages: Message,
        new: Chat | None = None,
        fields: ChatFields | None = None,
        deleted: bool | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Add messages, or change those whose ids are there: parents first, all or none. One transaction.

        In the same transaction: `new`, the chat itself where it is not there yet; `fields` of it; whether it is
        `deleted`, where that changes; and `settings`, as `remember` keeps them.

        The last one added becomes the chat's leaf, and the first prompt its title. A chat that was deleted comes
        back with what is added. A message in the state `streaming` belongs to this process until it is saved in
        another one. Texts must be sanitised.

        What another process said is not written over: a message that another living process is writing, or that
        one has changed since this store last loaded or saved it, is left as it is on disk, unless the new text
        begins with the words there. The other messages are saved all the same; then `ChangedElsewhere` names those
        that were not, to be saved under new ids beside them.

        Raises:
            ChangedElsewhere: some of the messages are left as another process has them.
            StoreError: the chat or a parent is not there, or it cannot be written.
        """

        def write(db: sqlite3.Connection) -> dict[str, int | None]:
            known = self._seen.revision
            if new is not None:
                chats.insert(db, new)
            revisions = {
                message.id: nodes.save(
                    *(db, chat_id, message, self._owner, self._clock()), known(chat_id, message.id)
                )
                for message in messages
            }
            if fields:
                chats.update(db, chat_id, fields)
            if deleted is not None:
                chats.mark_deleted(db, chat_id, self._clock() if deleted else None)
            _remember(db, settings)
            return revisions

        def job() -> dict[str, int | None]:
            revisions = self._committed(write)
            self._seen.saved(revisions)  # here, for the next save may be queued already
            return revisions

        revisions = await self._writer.run(lambda: self._told(job))
        if any(message.state is not State.STREAMING for message in messages):
            self._index_soon()
        if left := [message_id for message_id, revision in revisions.items() if revision is None]:
            raise ChangedElsewhere(left)

    async def adopt(self, thread: Thread) -> bool:
        """Add a whole chat from elsewhere, or the messages of it that are not there: whether anything changed.

        Of a chat that is there, everything else stays: its title, its messages, and its leaf unless the other
        one's is below it. One that was deleted comes back. What streamed is `interrupted`.

        Raises:
            StoreError: a message's id is used by another chat, or it cannot be written.
        """
        changed = await self._write(lambda db: adoption.adopt(db, thread, self._owner))
        self._index_soon()
        return changed

    async def load(self, chat_id: str, since: int = 0) -> Thread:
        """A chat with its messages, deleted or not; with `since`, only the messages changed after that revision.

        A reply whose writer is gone is `interrupted`. To follow one that another process writes, load with the
        `revision` of the last answer now and then; when it is no longer in `elsewhere`, load once more after
        `recover`: it has ended, or its writer is gone.

        Raises:
            StoreError: it is not there, or cannot be read.
        """
        thread = await self._read(lambda db: nodes.load(db, chat_id, since, self._owner, self._clock()))
        self._seen.loaded(chat_id, thread.revision)
        return thread

    async def with_data(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Messages with the bytes of their images and files; those that are lost stay without.

        Raises:
            StoreError: the store cannot be read.
        """
        messages = tuple(messages)
        wanted = {file.blob.digest for message in messages for file in message.files if file.blob.data is None}
        if not wanted:
            return messages
        found = await self._read(lambda db: pieces.data_of(db, wanted))
        return tuple(message.with_data(found) for message in messages)

    async def chats(self, words: str = "", limit: int | None = None) -> tuple[ChatSummary, ...]:
        """The chats whose titles contain all of `words`: pinned ones first, then those last spoken in."""
        return await self._read(lambda db: chats.summaries(db, words, limit, self._owner, self._clock()))

    async def newest(self) -> str | None:
        """The id of the chat in which something was said last."""
        return await self._read(chats.newest)

    async def delete(self, chat_id: str) -> None:
        """Take a chat out of list and search, until it is undeleted or purged."""
        await self._write(lambda db: chats.mark_deleted(db, chat_id, self._clock()))

    async def undelete(self, chat_id: str) -> None:
        """Take `delete` back."""
        await self._write(lambda db: chats.mark_deleted(db, chat_id, None))

    async def purge(self, older_than: float) -> int:
        """Remove for good the chats that were deleted more than `older_than` seconds ago: how many there were."""
        before = self._clock() - older_than
        total = 0
        while removed := await self._write(lambda db: nodes.purge(db, before, _PURGED_AT_ONCE)):
            total += removed
        return total

    async def search(self, words: str, limit: int = 50, *, titles: bool = True) -> tuple[Hit, ...] | None:
        """The titles that contain all of `words`, then the messages, at most `limit` of each, the newest first.

        Without `titles` only the messages, for who has the titles by `chats`.

        Case and accents do not matter; a word is found within words; words in double quotes stand together.
        A newer search ends an older one, which then gives None.
        """
        if self._search is not None:
            self._search.call_off()
        search = self._search = Search(words, limit, titles=titles)
        try:
            return await self._searcher.run(lambda: self._told(lambda: search.run(self._opened.reader)))
        finally:
            search.call_off()

    async def recall(self, key: str, default: str = "") -> str:
        """The value last remembered under `key`."""
        rows = await self._read(
            lambda db: db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchall(),
        )
        return str(rows[0][0]) if rows else default

    async def remember(self, key: str, value: str) -> None:
        """Keep a small value, such as the model used last, for every later start."""
        await self._write(lambda db: _remember(db, {key: value}))

    async def index(self) -> None:
        """Bring the search index up to date now. It keeps up by itself; a search misses nothing meanwhile."""
        while await self._write(index.index_some):
            pass

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._writer.run(lambda: self._told(lambda: self._committed(work)))

    def _committed(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`, once what it wrote is on the disk."""
        with transaction(self._opened.writer):
            version_of(self._opened.writer)  # a newer tui-chat may have migrated the file under us
            return work(self._opened.writer)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def job() -> T:
            with transaction(self._opened.writer, "DEFERRED"):
                return work(self._opened.writer)

        return await self._writer.run(lambda: self._told(job))

    def _told(self, job: Callable[[], T]) -> T:
        """The result of `job`, with SQLite's errors put into words."""
        try:
            return self._opened.run(job)
        except sqlite3.Error as error:
            if self.path is not None and faults.is_damage(error):
                with contextlib.suppress(OSError):
                    suspicion(self.path).touch(0o600)
            raise faults.explain(error, self.path) from error

    def _index_soon(self) -> None:
        """Index behind what is queued, a batch at a time, so that nothing waits long for it."""
        if self._indexing:
            return
        self._indexing = True

        def job() -> None:
            self._indexing = False
            if self._committed(index.index_some):
                self._index_soon()

        self._behind(job)

    def _behind(self, job: Callable[[], object]) -> None:
        """Do `job` behind what is queued. If it fails it is left to the next time."""

        def quiet() -> None:
            with contextlib.suppress(StoreError):
                if not self._closing:
                    self._told(job)

        with contextlib.suppress(StoreError):  # closed meanwhile
            self._writer.submit(quiet)


async def open_store(path: Path | None) -> tuple[Store, str]:
    """The store at a path and what the user has to know of it; one in memory where that path cannot be used."""
    try:
        store = await Store.open(path)
    except StoreError as error:
        return await Store.open(None), f"{str(error).removesuffix('.')}. This chat is not saved. {error.hint}"
    return store, store.notice


def _remember(connection: sqlite3.Connection, settings: Mapping[str, str]) -> None:
    """Keep small values; those that are there already cost no write."""
    connection.executemany(
        """
        INSERT INTO settings (key, value) VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value
        """,
        list(settings.items()),
    )
