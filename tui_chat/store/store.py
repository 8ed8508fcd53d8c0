"""The store: all chats in one SQLite file, behind asynchronous methods.

    screen ── await ──▶ Store ── job ──▶ the writer's thread ──▶ its connection ──▶ file
                          └──── job ──▶ the searcher's thread ──▶ a read-only connection ─▲

A method is a transaction. It is queued before the method first waits, and done even if the waiting task is
cancelled; when the method returns, its changes are on disk. Every error is a `StoreError`; failed work is undone,
and the store works again as soon as the cause is gone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from time import time
from types import MappingProxyType
from typing import Final, TypeVar

from tui_chat.errors import StoreError
from tui_chat.messages import Message, State
from tui_chat.store import chats, messages, parts
from tui_chat.store.database import Database, open_database
from tui_chat.store.prompts import prompts
from tui_chat.store.search import found, index_some, search
from tui_chat.store.values import ChangedElsewhere, Chat, ChatFields, ChatSummary, Hit, Prompt, QueueChange, Thread

T = TypeVar("T")

_KEPT_DELETED: Final = 30 * 24 * 3600.0
"""Seconds for which a deleted chat can be restored."""
_PURGED_AT_START: Final = 3


class Store:
    """All chats. Create it with `open`; `close` it at the end."""

    def __init__(self, database: Database, notice: str) -> None:
        self.path = database.path
        """None for a store in memory: nothing is saved then."""
        self.notice = notice
        """A notice for the user if a damaged file was set aside."""
        self._database = database
        self._owner = database.owner
        self._unwanted = threading.Event()
        """Set when nobody wants the last search any more."""
        self._loaded: dict[str, int] = {}
        """By chat: the last revision that this process has loaded."""
        self._saved: dict[str, int] = {}
        """By message: the last revision that this process has saved."""
        self._indexing: Future[None] | None = None

    @classmethod
    async def open(cls, path: Path | None) -> Store:
        """Open the store at `path`, or a new one in memory if that is None.

        A missing file or folder is created, private to the user. An older file is migrated and a copy kept; a
        damaged one is set aside under a new name (see `notice`).

        Raises:
            StoreError: it is read-only, locked, a folder, or from a newer tui-chat or another program.
        """
        database, notice = await asyncio.to_thread(open_database, path)
        return cls(database, notice)

    def close(self, timeout: float = 5.0) -> bool:
        """Finish queued jobs and close; True if that took less than `timeout` seconds. Needs no event loop."""
        self._unwanted.set()
        return self._database.close(timeout)

    async def aclose(self, timeout: float = 5.0) -> bool:
        """`close`, without holding up the event loop."""
        return await asyncio.to_thread(self.close, timeout)

    async def recover(self) -> tuple[str, ...]:
        """Mark replies whose process is gone as `interrupted`; returns their chats, the newest first.

        Also removes, in the background, a few chats that were deleted more than 30 days ago.
        """
        recovered = await self._database.write(lambda db: messages.recover(db, self._owner, time()))
        self._index_soon()
        before = time() - _KEPT_DELETED
        self._database.behind(lambda db: messages.purge(db, before, _PURGED_AT_START))
        return recovered

    async def save(
        self,
        chat_id: str,
        *said: Message,
        new: Chat | None = None,
        fields: ChatFields | None = None,
        queue: Sequence[QueueChange] = (),
        deleted: bool | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Add messages, or change those with known ids, parents first, in one transaction.

        The same transaction adds the chat itself (`new`), changes `fields` and the `queue` of it, deletes or
        restores it (`deleted`), and keeps `settings` as `remember` does. A deleted chat is in no list and no
        search, and can be restored until it is purged.

        The last added message becomes the chat's leaf, and the first prompt its title. Adding a message restores a
        deleted chat. A streaming message belongs to this process until it is saved in another state. Texts must be
        sanitised.

        Messages that another living process owns, or that another process has changed since this store last loaded
        or saved them, stay as they are on disk, unless the new text begins with theirs. The other messages are
        saved; `ChangedElsewhere` then names those that were not, to be saved under new ids.

        Raises:
            ChangedElsewhere: some messages were changed by another process.
            StoreError: the chat or a parent does not exist, the `new` chat exists already, or saving failed.
        """

        def write(db: sqlite3.Connection) -> dict[str, int | None]:
            if new is not None:
                chats.insert(db, new)
            revisions: dict[str, int | None] = {}
            for message in said:
                known = max(self._loaded.get(chat_id, -1), self._saved.get(message.id, -1))
                revisions[message.id] = messages.save(db, chat_id, message, self._owner, time(), known)
            chats.update(db, chat_id, fields or {})
            if queue:
                chats.change_queue(db, chat_id, queue)
            if deleted is not None:
                chats.update(db, chat_id, {"deleted": time() if deleted else None})
            _remember(db, settings)
            return revisions

        revisions = await self._database.write(write, then=self._note_saved)
        if any(message.state is not State.STREAMING for message in said):
            self._index_soon()
        if left := [message_id for message_id, revision in revisions.items() if revision is None]:
            raise ChangedElsewhere(left)

    async def adopt(self, thread: Thread) -> bool:
        """Add an imported chat, or its missing messages; returns whether anything changed.

        An existing chat keeps its title, its messages, and its leaf unless the imported leaf is below it.
        A deleted chat is restored. Streaming messages become `interrupted`.

        Raises:
            StoreError: a message's id is used by another chat, or saving failed.
        """
        changed = await self._database.write(lambda db: messages.adopt(db, thread, self._owner))
        self._index_soon()
        return changed

    async def load(self, chat_id: str, since: int = 0) -> Thread:
        """A chat with its messages, deleted or not; with `since`, only messages changed after that revision.

        A reply whose process is gone is `interrupted`. To follow a reply of another process, load again with the
        last `revision`; when it is no longer in `elsewhere`, load once more after `recover`.

        Raises:
            StoreError: it does not exist, or cannot be read.
        """
        thread = await self._database.read(lambda db: messages.load(db, chat_id, since, self._owner, time()))
        self._loaded[chat_id] = max(thread.revision, self._loaded.get(chat_id, 0))
        return thread

    async def with_data(self, said: Iterable[Message]) -> tuple[Message, ...]:
        """Messages with the bytes of their images and files, unless they are lost.

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
        """The chats whose titles contain all of `words`: pinned ones first, then the newest."""
        return await self._database.read(lambda db: chats.summaries(db, words, limit, self._owner, time()))

    async def newest(self) -> str | None:
        """The id of the chat with the newest message."""
        return await self._database.read(chats.newest)

    async def search(self, words: str, limit: int = 50, *, titles: bool = True) -> tuple[Hit, ...] | None:
        """The titles that contain all of `words`, then the messages, at most `limit` of each, the newest first.

        Without `titles` only the messages. Case and accents do not matter; words are found within words; double
        quotes keep words together. A newer search cancels an older one, which then returns None.
        """
        return await self._found(lambda db, unwanted: search(db, unwanted, words, limit, titles=titles))

    async def prompts(self, typed: str, limit: int = 100, *, beginning: bool = False) -> tuple[Prompt, ...] | None:
        """Earlier prompts with all words of what is typed, or which begin with it; the newest first, each once.

        Case and accents do not matter. It is a search like `search`, and cancels others in the same way.
        """
        return await self._found(
            lambda db, unwanted: islice(prompts(db, unwanted, typed, beginning=beginning), limit)
        )

    async def _found(
        self, find: Callable[[sqlite3.Connection, Callable[[], bool]], Iterable[T]]
    ) -> tuple[T, ...] | None:
        self._unwanted.set()
        unwanted = self._unwanted = threading.Event()
        try:
            return await self._database.search(lambda db: found(db, find, unwanted.is_set))
        finally:
            unwanted.set()

    async def recall(self, key: str, default: str = "") -> str:
        """The value of the setting `key`."""
        query = "SELECT value FROM settings WHERE key = ?"
        row = await self._database.read(lambda db: db.execute(query, (key,)).fetchone())
        return str(row[0]) if row else default

    async def remember(self, key: str, value: str) -> None:
        """Save a setting, such as the last model."""
        await self._database.write(lambda db: _remember(db, {key: value}))

    def _note_saved(self, revisions: Mapping[str, int | None]) -> None:
        self._saved |= {message: revision for message, revision in revisions.items() if revision is not None}

    def _index_soon(self) -> None:
        """Index in batches after the queued jobs, so that nothing waits long."""
        if self._indexing is None or self._indexing.done():
            self._indexing = self._database.behind(self._index_batch)

    def _index_batch(self, db: sqlite3.Connection) -> None:
        if index_some(db):
            self._database.behind(self._index_batch)


async def open_store(path: Path | None) -> tuple[Store, str]:
    """The store at a path, or one in memory if that fails, with a notice for the user."""
    try:
        store = await Store.open(path)
    except StoreError as error:
        return await Store.open(None), f"{error.sentence} This chat is not saved. {error.hint}"
    return store, store.notice


def _remember(connection: sqlite3.Connection, settings: Mapping[str, str]) -> None:
    """Save settings; unchanged ones cost no write."""
    connection.executemany(
        """
        INSERT INTO settings (key, value) VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value
        """,
        list(settings.items()),
    )
