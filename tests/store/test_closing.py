"""What was queued is done; what failed leaves no trace."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from tui_chat.errors import StoreError
from tui_chat.store import database
from tui_chat.store.store import Store

from tests.store.kit import filled, opened, plain, said


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "chats.db")
    assert store.close()
    assert store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.chats()


async def test_closing_finishes_what_was_queued_even_if_nobody_waits_for_it(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "chats.db")
    chat, _ = await filled(store, "first")
    release = threading.Event()
    store._database.writing.submit(release.wait)
    tasks = [asyncio.create_task(store.save(chat.id, said(f"{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    release.set()
    assert store.close()
    async with opened(tmp_path / "chats.db") as store:
        assert len((await store.load(chat.id)).messages) == 21


async def test_closing_gives_up_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.5)
    store = await Store.open(tmp_path / "chats.db")
    chat, _ = await filled(store, "first")
    with plain(tmp_path / "chats.db") as other:
        other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(store.save(chat.id, said("x")))
        await asyncio.sleep(0)
        assert not store.close(timeout=0.01)
        other.execute("ROLLBACK")
    await task


async def test_a_bug_in_a_job_reaches_the_caller_and_leaves_no_trace(tmp_path: Path) -> None:
    async with opened(tmp_path / "chats.db") as store:
        chat, _ = await filled(store, "x")

        def fail(database: sqlite3.Connection) -> None:
            database.execute("DELETE FROM messages")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await store._database.write(fail)
        assert len((await store.load(chat.id)).messages) == 1
