"""What the tests of the store share."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from hypothesis import strategies as st
from tui_chat.messages import Message, Role, State, Usage
from tui_chat.parts import Blob, File, Image, Text, Thinking, ToolCall, ToolResult, parts_of
from tui_chat.store import messages
from tui_chat.store.search import index_some
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Place
from tui_chat.text.sanitize import clean, clean_line


@contextlib.asynccontextmanager
async def opened(path: Path | None) -> AsyncIterator[Store]:
    store = await Store.open(path)
    try:
        yield store
    finally:
        assert await store.aclose()


def said(
    text: str, parent: Message | None = None, role: Role = Role.USER, state: State = State.COMPLETE
) -> Message:
    return Message(role, parts_of(text), parent=parent.id if parent else None, state=state)


async def filled(store: Store, *texts: str) -> tuple[Chat, tuple[Message, ...]]:
    """A chat in which `texts` are said in turn."""
    chat = Chat()
    await store.save(chat.id, new=chat)
    messages: list[Message] = []
    for number, text in enumerate(texts):
        role = Role.ASSISTANT if number % 2 else Role.USER
        messages.append(said(text, messages[-1] if messages else None, role))
    await store.save(chat.id, *messages)
    return chat, tuple(messages)


def die(store: Store) -> None:
    """Let others see the process of this store as gone, although it can go on writing."""
    store._database.owner.close()


async def index(store: Store) -> None:
    """Bring the search index up to date, which else happens in the background."""
    while await store._database.write(index_some):
        pass


async def purge(store: Store, before: float = 1e10) -> int:
    """Remove the chats for good that were deleted before a time: how many there were."""
    return await store._database.write(lambda db: messages.purge(db, before, 1000))


def plain(path: Path) -> contextlib.closing[sqlite3.Connection]:
    """The file itself, past the store."""
    return contextlib.closing(sqlite3.connect(path, isolation_level=None))


def python(script: Path, *arguments: str) -> subprocess.Popen[str]:
    """Another Python that runs `script`."""
    return subprocess.Popen(
        [sys.executable, "-u", str(script), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


texts = st.text(max_size=40).map(clean)
lines = st.text(max_size=20).map(clean_line)
seconds = st.none() | st.floats(0, 1e6)
counts = st.none() | st.integers(0, 1 << 40)
times = st.floats(0, 4e9)
usages = st.builds(Usage, counts, counts, seconds, seconds, seconds)
blobs = st.binary(max_size=20).map(Blob.of)
parts = st.one_of(
    st.builds(Text, texts),
    st.builds(Thinking, texts),
    st.builds(Image, lines, lines, blobs),
    st.builds(File, lines, lines, blobs),
    st.builds(ToolCall, lines, lines, texts),
    st.builds(ToolResult, lines, texts),
)
places = st.builds(Place, lines, st.integers(0, 10_000))


def message_strategy(message_id: str, parent: str | None) -> st.SearchStrategy[Message]:
    """Any message with these ids."""
    return st.builds(
        Message,
        st.sampled_from(Role),
        st.lists(parts, max_size=4).map(tuple),
        id=st.just(message_id),
        parent=st.just(parent),
        state=st.sampled_from(State),
        model=lines,
        server=lines,
        usage=st.none() | usages,
        finish=lines,
        error=texts,
        created=times,
        first_token=seconds,
        seconds=seconds,
    )
