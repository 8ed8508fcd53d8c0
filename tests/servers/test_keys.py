"""Keys go to the server that they are for, and nowhere else."""

from __future__ import annotations

import json
import logging
from contextlib import aclosing, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from textual.widgets import Input
from tui_chat import cli
from tui_chat.config import Config, load_config
from tui_chat.errors import Refused, ReplyError
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Kind, Secret, Server
from tui_chat.servers.backend import connect
from tui_chat.servers.catalog import ModelCatalog
from tui_chat.servers.connection import Backends
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.server_file import ServerFile
from tui_chat.store.export import to_json, to_markdown
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.commands.table import GROUPS
from tui_chat.ui.dialogs.server_form import ServerForm

from tests.server import ScriptedServer, answer, reply
from tests.ui.kit import driven

KEY = "sk-very-secret-0123456789"
ASK = ChatRequest("tiny", (Message(Role.USER, parts_of("Hi")),))


async def fail(server: Server) -> ReplyError:
    """The error that talking to a server ends with."""
    backend = connect(server)
    try:
        async with aclosing(backend.reply(ASK)) as events:
            async for _ in events:
                pass
    except ReplyError as error:
        return error
    finally:
        await backend.aclose()
    raise AssertionError("it did not fail")


@pytest.mark.parametrize("kind", [Kind.OLLAMA, Kind.OPENAI])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_with_the_key_nor_without(kind: Kind, status: int) -> None:
    async with ScriptedServer() as server, ScriptedServer() as other:
        away = answer(status, b"", "text/plain", [("Location", f"{other.url}/api/chat?k={KEY}")])
        for path in ("/api/chat", "/v1/chat/completions", "/v1/models", "/api/version"):
            server.script(away, path=path)
        error = await fail(Server(server.url, kind=kind, key=Secret(KEY)))
        assert isinstance(error, Refused)
        assert "redirects to" in str(error)
        assert KEY not in f"{error} {error.hint} {error!r}"
        assert not other.requests


@pytest.mark.parametrize("kind", [Kind.AUTO, Kind.OLLAMA, Kind.OPENAI])
async def test_a_refusal_that_quotes_the_key_is_shown_without_it(kind: Kind) -> None:
    quoting = answer(401, {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": 401}})
    async with ScriptedServer() as server:
        for path in ("/api/chat", "/v1/chat/completions", "/v1/models"):
            server.script(quoting, path=path)
        error = await fail(Server(server.url, kind=kind, key=Secret(KEY)))
        assert "Incorrect API key provided: …" in str(error)
        assert KEY not in f"{error} {error.hint} {error!r}"
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"


async def test_a_server_that_was_only_found_gets_no_key() -> None:
    async with ScriptedServer() as server:
        server.script(*reply("ok"))
        backend = connect(Server(server.url, key=Secret(KEY), headers=(("X-Api-Key", KEY),), named=False))
        await backend.models()
        await backend.aclose()
        assert server.requests
        assert not [request for request in server.requests if KEY in json.dumps(dict(request.headers))]


def written(folder: Path, mode: int = 0o600) -> Path:
    """A config file with a key in it."""
    config = folder / "config.toml"
    config.write_text(f'[[servers]]\nname = "lab"\nurl = "http://127.0.0.1:9"\nkey = "{KEY}"\n')
    config.chmod(mode)
    return config


def test_nothing_that_is_printed_of_settings_has_the_key(tmp_path: Path) -> None:
    config = load_config({}, file=written(tmp_path), data_dir=tmp_path)
    file = ServerFile(tmp_path / "servers.toml")
    file.put({"url": "http://127.0.0.1:10", "key": KEY})
    book = ServerRegistry(config, file)
    assert config.servers[0].key == Secret(KEY)
    open_server = Server(f"http://me:{KEY}@box", proxy=f"http://me:{KEY}@box", headers=(("X-Key", KEY),))
    things = (config, config.servers, file.read(), book.known(), config.servers[0].address, open_server)
    for thing in (*things, Config(url=f"http://me:{KEY}@box")):
        assert KEY not in f"{thing} {thing!r}"


@pytest.mark.parametrize(
    ("mode", "warned"), [(0o600, False), (0o400, False), (0o644, True), (0o640, True), (0o620, True)]
)
def test_a_config_file_with_a_key_that_others_can_read_is_warned_of(
    tmp_path: Path, mode: int, warned: bool
) -> None:
    path = written(tmp_path, mode)
    warnings = load_config({}, file=path, data_dir=tmp_path).warnings
    assert [f"chmod 600 {path}" in warning for warning in warnings] == [True] * warned


@pytest.mark.parametrize(
    "text",
    [
        f'url = "http://me:{KEY}@a:1"',
        f'[[servers]]\nurl = "http://me:{KEY}@a:1"',
        f'[[servers]]\nurl = "http://a:1"\nproxy = "http://me:{KEY}@b:1"',
        f'[[servers]]\nurl = "http://a:1"\nheaders = {{ Authorization = "Bearer {KEY}" }}',
        f'[[servers]]\nurl = "http://a:1"\nheaders = {{ api-key = "{KEY}" }}',
    ],
)
def test_a_config_file_with_any_other_secret_that_others_can_read_is_warned_of(tmp_path: Path, text: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    config.chmod(0o644)
    (warning,) = load_config({}, file=config, data_dir=tmp_path).warnings
    assert f"chmod 600 {config}" in warning


def test_without_a_key_in_it_the_config_file_may_be_open_to_all(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[servers]]\nurl = "http://a:1"\nkey_env = "TOKEN"\nheaders = { X-Team = "blue" }\n')
    config.chmod(0o644)
    assert not load_config({"TOKEN": KEY}, file=config, data_dir=tmp_path).warnings


async def test_a_whole_chat_leaves_the_key_on_no_screen_in_no_log_no_export_and_not_on_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ScriptedServer() as box:
        box.script(*reply("fine"))
        box.script(answer(401, {"error": f"wrong key {KEY}"}))
        server = Server(box.url, name="lab", key=Secret(KEY))
        seen: list[str] = []
        async with driven(server, config=Config(servers=(server,)), database=tmp_path / "chats.db") as run:
            await run.say("hello")
            await run.idle()
            seen += run.rows()
            await run.say("again")
            await run.idle()
            assert "wrong key …" in run.status.text
            seen += run.rows()
            for key in ("f3", "ctrl+l"):
                await run.pilot.press(key)
                await run.until(lambda: len(run.app.screen_stack) == 2)
                await run.pilot.pause(0.1)
                seen += run.rows()
                await run.pilot.press("escape")
                await run.until(lambda: len(run.app.screen_stack) == 1)
            thread = await run.app.workspace.store.load(run.app.workspace.conversation.chat.id)
            seen += [to_markdown(thread), to_json([thread]), repr(thread)]
        assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in box.requests)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"hello" in files
    assert KEY.encode() not in files
    assert KEY not in "\n".join(seen)
    assert KEY not in caplog.text


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_the_list_of_servers_in_the_shell_has_no_key(tmp_path: Path, flags: list[str]) -> None:
    (tmp_path / "servers.toml").write_text(f'[[servers]]\nurl = "http://user:{KEY}@127.0.0.1:10"\nname = "b"\n')
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert cli.main(["servers", "--config", str(written(tmp_path)), "--data-dir", str(tmp_path), *flags]) == 0
    assert "http://127.0.0.1:9" in out.getvalue()
    assert "http://127.0.0.1:10" in out.getvalue()
    assert KEY not in out.getvalue() + err.getvalue()


def test_what_is_wrong_with_an_added_server_is_told_without_its_password() -> None:
    for url in (f"http://me:{KEY}@127.0.0.1:10", f"me:{KEY}@127.0.0.1:10"):
        entry = ServerFile(None).entry({"url": url, "key_env": "NO_SUCH"})
        assert "127.0.0.1:10: the variable NO_SUCH is not set" in str(entry.trouble)
        assert KEY not in str(entry.trouble)


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("http+unix:/run/a.sock", "http+unix:/tmp/b.sock", False),
        ("http+unix:/run/a.sock", "http+unix:/run/a.sock", True),
        ("http://127.0.0.1:9", "http://127.0.0.2:9", False),
        ("http://box", "http://me@BOX/prefix", True),
    ],
)
@pytest.mark.parametrize("secret", [{"key": KEY}, {"headers": {"Authorization": KEY}}])
async def test_neither_key_nor_headers_of_a_server_follow_to_another_unasked(
    secret: dict[str, object], before: str, after: str, kept: bool
) -> None:
    file = ServerFile()
    form = ServerForm(
        Keymap(GROUPS, {}),
        {"url": before, **secret},
        ModelCatalog(ServerRegistry(Config(), file), Backends(connect)),
    )
    async with driven(None) as run:
        await run.app.push_screen(form)
        form.query_one("#url", Input).value = after
        form.accept()
        await run.until(lambda: bool(file.read()) or run.shows("another host"))
    assert bool(file.read()) is kept
