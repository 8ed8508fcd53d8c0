"""The store: every conversation, in one SQLite file, behind asynchronous methods.

    screen ── await ──▶ Store ── job ──▶ the writer's thread ──▶ its connection ──▶ file
                          └──── job ──▶ the searcher's thread ──▶ a read-only connection ─▲

A method is a transaction. It is queued before the method first waits, and done even if the waiting task is
cancelled; when the method returns, what it wrote is on the disk. Every error is a `StoreError`; what failed left
no trace, and the store works again as soon as the cause is gone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType
from typing import Final, Unpack

from tui_chat.errors import StoreError
from tui_chat.files import PATIENCE
from tui_chat.messages import Message, State
from tui_chat.store import chats, messages, parts
from tui_chat.store.database import Database, open_database
from tui_chat.store.search import Search, index_some
from tui_chat.store.values import ChangedElsewhere, Chat, ChatFields, ChatSummary, Hit, Thread

_KEPT_DELETED: Final = 30 * 24 * 3600.0
"""Seconds for which a deleted chat can be had back."""
_PURGED_AT_START: Final = 3


class Store:
    """All conversations. `open` makes one; `close` it at the end."""

    def __init__(self, database: Database, notice: str, clock: Callable[[], float]) -> None:
        self.path = database.path
        """None if it is in memory: nothing is kept then."""
        self.notice = notice
        """What the user has to know: that a damaged file was set aside."""
        self._database = database
        self._owner = database.owner
        self._clock = clock
        self._search: Search | None = None
        self._loaded: dict[str, int] = {}
        """Of each chat, the revision up to which this process knows it."""
        self._saved: dict[str, int] = {}
        """Of each message, the revision that this process wrote."""
        self._indexing: Future[None] | None = None

    @classmethod
    async def open(
        cls, path: Path | None, *, clock: Callable[[], float] = time.time, patience: float = PATIENCE
    ) -> Store:
        """Open the store at `path`, or a fresh one in memory if that is None.

        The file and its folder are made if they are not there, private to the user. An older file is migrated, a
        copy of it kept; a damaged one is set aside under a new name (see `notice`). `patience` is how many seconds
        to wait for another program's lock.

        Raises:
            StoreError: it cannot be used: read-only, locked, of a newer tui-chat, of another program, a folder.
        """
        database, notice = await asyncio.to_thread(open_database, path, patience)
        return cls(database, notice, clock)

    def close(self, timeout: float = 5.0) -> bool:
        """Finish what was queued and close: True if that took less than `timeout` seconds. Needs no event loop."""
        if self._search is not None:
            self._search.call_off()
        return self._database.close(timeout)

    async def aclose(self, timeout: float = 5.0) -> bool:
        """`close`, without holding up the event loop."""
        return await asyncio.to_thread(self.close, timeout)

    async def recover(self) -> tuple[str, ...]:
        """Make the replies `interrupted` whose writer is gone: the ids of their chats, the newest first.

        Behind it, a few of the chats are removed that were deleted more than 30 days ago.
        """
        recovered = await self._database.write(lambda db: messages.recover(db, self._owner, self._clock()))
        self._index_soon()
        before = self._clock() - _KEPT_DELETED
        self._database.behind(lambda db: messages.purge(db, before, _PURGED_AT_START))
        return recovered

    async def create_chat(self, chat: Chat) -> None:
        """Add a chat.

        Raises:
            StoreError: there is one with its id, or it cannot be written.
        """
        await self._database.write(lambda db: chats.insert(db, chat))

    async def save_chat(self, chat_id: str, **fields: Unpack[ChatFields]) -> None:
        """Change some fields of a chat: its title, draft, place, leaf ... Its `updated` stays.

        Raises:
            StoreError: it is not there, or cannot be written.
        """
        await self._database.write(lambda db: chats.update(db, chat_id, fields))

    async def save(
        self,
        chat_id: str,
        *said: Message,
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
            if new is not None:
                chats.insert(db, new)
            revisions: dict[str, int | None] = {}
            for message in said:
                known = max(self._loaded.get(chat_id, -1), self._saved.get(message.id, -1))
                revisions[message.id] = messages.save(db, chat_id, message, self._owner, self._clock(), known)
            chats.update(db, chat_id, fields or {})
            if deleted is not None:
                chats.update(db, chat_id, {"deleted": self._clock() if deleted else None})
            _remember(db, settings)
            return revisions

        revisions = await self._database.write(write, then=self._note_saved)
        if any(message.state is not State.STREAMING for message in said):
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
        changed = await self._database.write(lambda db: messages.adopt(db, thread, self._owner))
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
        thread = await self._database.read(
            lambda db: messages.load(db, chat_id, since, self._owner, self._clock())
        )
        self._loaded[chat_id] = max(thread.revision, self._loaded.get(chat_id, 0))
        return thread

    async def with_data(self, said: Iterable[Message]) -> tuple[Message, ...]:
        """Messages with the bytes of their images and files; those that are lost stay without.

        Raises:
            StoreError: the store cannot be read.
        """
        said = tuple(said)
        wanted = {file.blob.digest for message in said for file in message.files if file.blob.data is None}
        if not wanted:
            return said
        found = await self._database.read(lambda db: parts.data_of(db, wanted))
        return tuple(message.with_data(found) for message in said)

    async def chats(self, words: str = "", limit: int | None = None) -> tuple[ChatSummary, ...]:
        """The chats whose titles contain all of `words`: pinned ones first, then those last spoken in."""
        return await self._database.read(lambda db: chats.summaries(db, words, limit, self._owner, self._clock()))

    async def newest(self) -> str | None:
        """The id of the chat in which something was said last."""
        return await self._database.read(chats.newest)

    async def delete(self, chat_id: str) -> None:
        """Take a chat out of list and search, until it is undeleted or purged."""
        await self._database.write(lambda db: chats.update(db, chat_id, {"deleted": self._clock()}))

    async def undelete(self, chat_id: str) -> None:
        """Take `delete` back."""
        await self._database.write(lambda db: chats.update(db, chat_id, {"deleted": None}))

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
            return await self._database.search(search.run)
        finally:
            search.call_off()

    async def recall(self, key: str, default: str = "") -> str:
        """The value last remembered under `key`."""
        query = "SELECT value FROM settings WHERE key = ?"
        row = await self._database.read(lambda db: db.execute(query, (key,)).fetchone())
        return str(row[0]) if row else default

    async def remember(self, key: str, value: str) -> None:
        """Keep a small value, such as the model used last, for every later start."""
        await self._database.write(lambda db: _remember(db, {key: value}))

    async def index(self) -> None:
        """Bring the search index up to date now. It keeps up by itself; a search misses nothing meanwhile."""
        while await self._database.write(index_some):
            pass

    def _note_saved(self, revisions: Mapping[str, int | None]) -> None:
        self._saved |= {message: revision for message, revision in revisions.items() if revision is not None}

    def _index_soon(self) -> None:
        """Index behind what is queued, a batch at a time, so that nothing waits long for it."""
        if self._indexing is None or self._indexing.done():
            self._indexing = self._database.behind(self._index_batch)

    def _index_batch(self, db: sqlite3.Connection) -> None:
        if index_some(db):
            self._database.behind(self._index_batch)


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
