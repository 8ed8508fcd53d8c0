"""`tui-chat servers` and `tui-chat relay` on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tui_chat.cli import backend_of, main
from tui_chat.config import Config
from tui_chat.errors import ConfigError, Garbled, Unreachable
from tui_chat.server import Server
from tui_chat.servers.backend import connect
from tui_chat.servers.catalog import list_servers
from tui_chat.servers.probe import Attempt, Discovery, detect
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.server_file import ServerFile

from tests.server import ScriptedServer


async def test_all_servers_are_listed_with_how_they_are(tmp_path: Path) -> None:
    (tmp_path / "servers.toml").write_text('[[servers]]\nurl = "http://a:1"\nname = "keyless"\nkey_env = "NONE"\n')
    async with ScriptedServer() as box, ScriptedServer() as here:

        async def discover() -> Discovery:
            stranger = Attempt(
                Server("http://127.0.0.1:8000", named=False), Garbled("No server for models.", "Hm.")
            )
            nobody = Attempt(Server("http://127.0.0.1:1234", named=False), Unreachable("Nothing answers."))
            return Discovery((Attempt(await detect(Server(here.url, named=False))), stranger, nobody))

        config = Config(
            servers=(Server(box.url, name="box"), Server("http://127.0.0.1:9", name="dead")), data_dir=tmp_path
        )
        book = ServerRegistry(config, ServerFile(config.servers_file))
        rows, tried = await list_servers(book, connect, discover)
        assert [
            (row.known.server.label, row.known.origin, row.server.flavour, row.error is None, len(row.models))
            for row in rows
        ] == [
            ("box", "config file", "Ollama", True, 1),
            ("dead", "config file", "", False, 0),
            ("keyless", "added", "", False, 0),
            (here.url.removeprefix("http://"), "found", "Ollama", True, 1),
            ("127.0.0.1:8000", "found", "", False, 0),
        ]
        assert "Nothing answers" in str(rows[1].error)
        assert "NONE is not set" in str(rows[2].error)
        assert tried[1:] == ["127.0.0.1:8000", "127.0.0.1:1234"]


async def test_the_url_may_be_the_name_of_an_added_server(tmp_path: Path) -> None:
    (tmp_path / "servers.toml").write_text('[[servers]]\nurl = "http://box:1"\nname = "lab"\n')
    config = Config(url="lab", data_dir=tmp_path)
    assert backend_of(None, config).server.url == "http://box:1"
    assert backend_of("http://other:2", config).server.url == "http://other:2"


async def test_a_server_whose_key_cannot_be_read_is_refused_where_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "servers.toml").write_text(
        '[[servers]]\nurl = "http://box:1"\nname = "lab"\nkey_env = "NO_SUCH"\n'
        '[[servers]]\nurl = "http://box:1"\nname = "spare"\n'
    )
    with pytest.raises(ConfigError, match="NO_SUCH is not set"):
        backend_of("lab", Config(data_dir=tmp_path))
    assert backend_of("http://box:1", Config(data_dir=tmp_path)).server.name == "spare"


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    surroundings: Mapping[str, str] = {**os.environ, **environ}
    return subprocess.run(words, capture_output=True, text=True, env=surroundings, timeout=60, check=False)


def test_json_is_a_server_a_line(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[servers]]\nname = "dead"\nurl = "http://127.0.0.1:9"\n')
    done = run(
        sys.executable, "-m", "tui_chat", "servers", "--json", "--config", str(config), "--data-dir", str(tmp_path)
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (rows[0]["name"], rows[0]["url"], rows[0]["reachable"]) == ("dead", "http://127.0.0.1:9", False)
    assert done.stderr == ""
    assert not (tmp_path / "chats.db").exists()


def test_a_relay_without_its_libraries_names_the_extra(tmp_path: Path) -> None:
    code = "import sys; sys.modules['starlette'] = sys.modules['uvicorn'] = None; import tui_chat.cli as c; sys.exit(c.main())"
    done = run(
        sys.executable,
        "-c",
        code,
        "relay",
        "--upstream",
        "http://127.0.0.1:9",
        "--port",
        "0",
        XDG_CONFIG_HOME=str(tmp_path),
    )
    assert done.returncode == 2
    assert "pip install 'tui-chat-llm[relay]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_line_loads_neither_the_relays_libraries_nor_the_screens_nor_the_networks() -> None:
    code = "import sys, tui_chat.cli as c; c.parser(); print({'starlette', 'uvicorn', 'httpx', 'textual'} & {*sys.modules})"
    assert run(sys.executable, "-c", code).stdout == "set()\n"


def test_tokens_of_the_relay_are_managed_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["relay", "token", "add", "anna"]) == 0
    token = capsys.readouterr().out.strip()
    assert main(["relay", "token", "list"]) == 0
    assert capsys.readouterr().out == "anna\n"
    assert token not in (tmp_path / "tui-chat" / "relay-tokens").read_text()


def test_a_relay_for_others_without_a_token_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["relay", "--host", "0.0.0.0"]) == 2
    assert "tui-chat relay token add" in capsys.readouterr().err


def keyless(folder: Path) -> Path:
    """A config file of which two keys cannot be read, and reading one leaves a trace."""
    config = folder / "config.toml"
    config.write_text(
        'url = "a"\n[[servers]]\nname = "a"\nurl = "http://127.0.0.1:9"\nkey_env = "NO_SUCH"\n'
        f"[[servers]]\nname = 'b'\nurl = 'http://127.0.0.1:9/b'\nkey_command = 'touch {folder}/ran; exit 1'\n"
    )
    return config


@pytest.mark.parametrize(
    "words",
    [["chats"], ["search", "x"], ["export", "all"], ["relay", "token", "list"]],
    ids=lambda words: words[0],
)
def test_commands_that_talk_to_no_server_read_no_keys(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["--config", str(keyless(tmp_path)), "--data-dir", str(tmp_path), *words]) == 0
    assert not (tmp_path / "ran").exists()


def test_a_key_that_cannot_be_read_is_one_servers_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--config", str(keyless(tmp_path)), "--data-dir", str(tmp_path)]
    assert main([*flags, "servers", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "NO_SUCH is not set" in rows[0]["error"]
    assert "key_command failed" in rows[1]["error"]
    assert (tmp_path / "ran").exists()
    assert main([*flags, "relay"]) == 2
    assert "NO_SUCH is not set" in capsys.readouterr().err


def test_files_of_keys_that_others_can_read_are_told_of_in_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, config = tmp_path / "key", tmp_path / "config.toml"
    key.write_text("sk-123456")
    config.write_text(f'[[servers]]\nurl = "http://127.0.0.1:9"\nkey_file = "{key}"\n')
    flags = ["--config", str(config), "--data-dir", str(tmp_path)]
    for mode, warned in ((0o600, False), (0o640, True)):
        key.chmod(mode)
        assert main([*flags, "chats"]) == 0
        assert (f"chmod 600 {key}" in capsys.readouterr().err) is warned
    config.write_text("")
    (tmp_path / "servers.toml").write_text(f'[[servers]]\nurl = "http://127.0.0.1:9"\nkey_file = "{key}"\n')
    (tmp_path / "servers.toml").chmod(0o600)
    assert main([*flags, "servers"]) == 0
    assert capsys.readouterr().err == f"tui-chat: {key} may hold a key, and others can read it: chmod 600 {key}\n"


def test_the_list_of_servers_is_straight_and_harmless_whatever_they_are_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    tables = ['name = "漢字"\nurl = "http://127.0.0.1:9"', 'name = "ab"\nurl = "http://127.0.0.1:9/x"']
    tables.append('socket = "/tmp/\\u001b[31mx"')
    config.write_text("".join(f"[[servers]]\n{table}\n" for table in tables))
    assert main(["--config", str(config), "--data-dir", str(tmp_path), "servers"]) == 0
    wide, narrow, socket = [row for row in capsys.readouterr().out.splitlines() if "config file" in row]
    assert wide.index("http") + 2 == narrow.index("http") == socket.index("http")
    assert socket.startswith("/tmp/␛[31mx  ")
