"""`tui-chat relay` on the command line."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from tui_chat.errors import ConfigError
from tui_chat.relay.command import add_arguments, main, settings_of
from tui_chat.relay.tokens import TokenFile
from tui_chat.server import Server
from tui_chat.servers.backend import Backend, connect

from tests.relay.kit import ScriptedBackend

MAIN = """
import argparse, os, sys
from tests.relay.kit import ScriptedBackend
from tui_chat.relay.command import add_arguments, main
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(main(parser.parse_args(), os.environ, lambda upstream: ScriptedBackend()))
"""


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def no_server(upstream: str | None) -> Backend:
    raise AssertionError("nothing is to be connected")


def test_tokens_are_made_named_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    file = TokenFile(tmp_path / "tui-chat" / "relay-tokens")
    assert main(parsed("token", "add", "anna"), environ, no_server) == 0
    token = capsys.readouterr().out.strip()
    assert file.owner_of(token.encode()) == "anna"
    main(parsed("token", "list"), environ, no_server)
    assert capsys.readouterr().out == "anna\n"
    main(parsed("token", "remove", "anna"), environ, no_server)
    assert file.digests == {}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.9", "box.example.org"])
def test_the_relay_listens_to_others_only_with_a_token(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        main(parsed("--host", host), {"XDG_CONFIG_HOME": str(tmp_path)}, no_server)
    assert "token add" in caught.value.hint


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_what_is_no_port_is_refused_at_once(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--port", port)
    assert f"'{port}' is not a port" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["192.0.2.1", "no..host", "a" * 300, "\udcff"])
def test_an_address_that_cannot_be_listened_on_is_a_plain_error(tmp_path: Path, host: str) -> None:
    TokenFile(tmp_path / "t").add("anna")
    words = ("--host", host, "--tokens", str(tmp_path / "t"))
    with pytest.raises(ConfigError, match=f"Cannot listen on {host} port 8100"):
        main(parsed(*words), {}, lambda upstream: ScriptedBackend())


def test_the_flags_become_settings() -> None:
    words = "--allow-host Chat.Example.org --allow-origin https://a.example/ --streams 5 --streams-per-token 2"
    settings = settings_of(parsed(*words.split(), "--max-minutes", "2", "--default-model", "m"), "Box.lan")
    assert settings.hosts == {"chat.example.org", "box.lan", "box", "box.local", "127.0.0.1"}
    assert settings.origins == {"https://a.example"}
    assert (settings.streams, settings.streams_per_token, settings.duration, settings.model) == (5, 2, 120.0, "m")


@pytest.mark.parametrize("words", [["--streams", "0"], ["--port", "x"], ["token"], ["token", "add"]])
def test_senseless_flags_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*words)


def test_the_command_line_is_read_without_loading_the_server() -> None:
    code = "import sys, tui_chat.relay.command; print({'starlette', 'uvicorn', 'httpx'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_relay_runs_as_a_process_and_ends_when_told(tmp_path: Path) -> None:
    environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, "-c", MAIN, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stderr is not None
        seen: list[str] = []
        for line in process.stderr:
            seen.append(line)
            if "Relay to" in line:
                with urlopen(
                    f"{line.split()[-1]}/health", timeout=20
                ) as answer:  # told while it starts, it only ends
                    assert answer.status == 200
                process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM
    assert any("Relay to 127.0.0.1:11434 at http://127.0.0.1:" in line for line in seen)
    assert "The relay has stopped" in seen[-1]
    assert "Traceback" not in "".join(seen)


@pytest.mark.parametrize("upstream", ["http://127.0.0.1:8100", "http://localhost:8100"])
def test_a_relay_is_not_its_own_upstream(tmp_path: Path, upstream: str) -> None:
    with pytest.raises(ConfigError) as caught:
        main(
            parsed("--upstream", upstream), {"XDG_CONFIG_HOME": str(tmp_path)}, lambda _: connect(Server(upstream))
        )
    assert "itself" in str(caught.value)
    assert "--upstream" in caught.value.hint
