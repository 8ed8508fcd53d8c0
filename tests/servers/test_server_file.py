"""The file of the servers that were added on screen."""

from __future__ import annotations

import os
import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tui_chat.config import Config
from tui_chat.errors import ConfigError
from tui_chat.server import Kind, Secret
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.server_file import ServerFile, to_toml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TABLES = st.lists(
    st.fixed_dictionaries(
        {"url": TEXTS},
        optional={
            "name": TEXTS,
            "key": TEXTS,
            "ca_file": TEXTS,
            "verify": st.booleans(),
            "headers": st.dictionaries(TEXTS, TEXTS, max_size=3),
        },
    ),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TABLES)
def test_what_is_written_is_read_again_whatever_is_in_it(tables: list[dict[str, object]]) -> None:
    assert tomllib.loads(to_toml(tables)).get("servers", []) == tables


@given(st.text(st.characters(categories=["Cs"]), min_size=1, max_size=5))
def test_half_of_a_surrogate_pair_does_not_spoil_the_file(text: str) -> None:
    assert tomllib.loads(to_toml([{"url": text}]))["servers"] == [{"url": "?" * len(text)}]


def test_servers_are_added_changed_in_their_place_and_removed(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "new" / "servers.toml")
    one, two = {"url": "http://one:1", "name": "one"}, {"url": "http://two:2", "name": "two"}
    file.put(one)
    file.put(two)
    changed = {"url": "http://one:11", "name": "one", "kind": "openai"}
    file.put(changed, instead=one)
    assert [entry.table for entry in file.read()] == [changed, two]
    assert file.read()[0].server.kind is Kind.OPENAI
    file.remove(changed)
    assert [entry.server.url for entry in ServerFile(file.path).read()] == ["http://two:2"]


def test_the_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "servers.toml")
    before = os.umask(0)
    try:
        file.put({"url": "http://a:1", "key": "sk-secret"})
    finally:
        os.umask(before)
    assert file.path is not None
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert not ServerRegistry(Config(), file).warnings
    assert [path.name for path in tmp_path.iterdir()] == ["servers.toml"]
    file.path.chmod(0o640)
    assert "chmod 600" in ServerRegistry(Config(), file).warnings[0]


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ServerFile(tmp_path / "servers.toml")
    file.put({"url": "http://a:1"})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        file.put({"url": "http://b:1"})
    assert [entry.server.url for entry in file.read()] == ["http://a:1"]
    assert [path.name for path in tmp_path.iterdir()] == ["servers.toml"]


def test_several_who_add_at_once_lose_nothing(tmp_path: Path) -> None:
    def add(number: int) -> None:
        ServerFile(tmp_path / "servers.toml").put({"url": f"http://box:{number}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(1, 25)))
    urls = {entry.server.url for entry in ServerFile(tmp_path / "servers.toml").read()}
    assert urls == {f"http://box:{number}" for number in range(1, 25)}


@pytest.mark.parametrize(
    "damage",
    [
        b"servers = [",
        b"\xff\xfe",
        b"servers = 3",
        b"servers = [1]",
        b"[[servers]]\nurk = 1",
        b"x = " + b"9" * 5000,
    ],
)
def test_a_damaged_file_is_told_of_and_never_written_over(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "servers.toml"
    path.write_bytes(damage)
    with pytest.raises(ConfigError):
        ServerFile(path).read()
    if damage != b"[[servers]]\nurk = 1":  # that one is sound TOML, and keeps its unknown setting
        with pytest.raises(ConfigError):
            ServerFile(path).put({"url": "http://a:1"})
        assert path.read_bytes() == damage


def test_a_key_comes_from_where_the_table_says_and_its_absence_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    file = ServerFile(None, {"TOKEN": "from-variable", "PATH": os.environ["PATH"]})
    ways = {
        "key": ("typed", "typed"),
        "key_env": ("TOKEN", "from-variable"),
        "key_file": (str(tmp_path / "key"), "from-file"),
        "key_command": ("echo from-command", "from-command"),
    }
    for way, (value, key) in ways.items():
        assert file.entry({"url": "http://a:1", way: value}).server.key == Secret(key)
    entry = file.entry({"url": "http://a:1", "name": "a", "key_env": "NO_SUCH"})
    assert entry.server.key is None
    assert "NO_SUCH is not set" in str(entry.trouble)
