"""A process is known to live, and known to be gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tui_chat.store import owner
from tui_chat.store.owner import SILENCE, Owner, is_open

from tests.store.kit import opened

PROGRAM = """
import sys
from pathlib import Path
from tui_chat.store.owner import Owner
owner = Owner(Path(sys.argv[1]))
print(owner.name, flush=True)
sys.stdin.read()
"""


def test_a_process_lives_until_it_is_gone_however_that_was(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    here = Owner(path)
    command = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        assert here.lives(name, 1e9), "however long it is silent"
        assert is_open(path)
        child.kill()
    assert not here.lives(name, 0)
    assert here.lives(here.name, 1e9)


def test_what_the_dead_have_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    here, gone = Owner(path), Owner(path)
    assert gone._lock is not None
    gone._lock.close()
    path.with_name("chats.db-open").touch()  # what earlier versions left
    assert is_open(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [f"chats.db-open-{here.name}"]
    here.close()
    assert not is_open(path)


async def test_a_store_that_is_closed_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path / "chats.db"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["chats.db"]


def test_without_locks_a_process_is_judged_by_its_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "is_locked", lambda file, kind=0: None)
    here, other = Owner(tmp_path / "chats.db"), Owner(tmp_path / "chats.db")
    assert here.lives(other.name, SILENCE - 1)
    assert not here.lives(other.name, SILENCE + 1)
    assert is_open(tmp_path / "chats.db"), "nothing is removed of which nothing is known"


@pytest.mark.parametrize("name", [None, "", "nonsense", "../chats.db", "a\tb\t-1\td", "\0", "f" * 16])
def test_a_name_that_is_none_is_nobodys(tmp_path: Path, name: str | None) -> None:
    assert not Owner(tmp_path / "chats.db").lives(name, 0)
    assert not Owner(None).lives(name, 0)
