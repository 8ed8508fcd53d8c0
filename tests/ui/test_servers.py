"""Several servers: their models in one list, switching in the middle of a chat, adding and changing them."""

from __future__ import annotations

import asyncio
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input
from tui_chat.config import Config
from tui_chat.errors import ConfigError
from tui_chat.server import Secret, Server
from tui_chat.servers.server_file import ServerFile
from tui_chat.ui.dialogs.server_form import ServerForm
from tui_chat.ui.dialogs.servers import ServersScreen

from tests.server import ScriptedServer, answer, done, end, head, reply, stall, token, wait
from tests.ui.kit import AppDriver, driven

KEY = "sk-very-secret-0123456789"


def has(server: ScriptedServer, model: str) -> None:
    """Give a server one model."""
    server.script(answer(200, {"models": [{"name": model, "model": model}]}), path="/api/tags")


def listed(*servers: ScriptedServer) -> Config:
    names = ("box", "lab", "attic")
    return Config(
        servers=tuple(Server(server.url, name=name) for name, server in zip(names, servers, strict=False))
    )


async def fill_in(run: AppDriver, **texts: str) -> None:
    """Fill in the form that is open."""
    await run.until(lambda: isinstance(run.app.screen, ServerForm))
    for name, text in texts.items():
        run.app.screen.query_one(f"#{name}", Input).value = text
    await run.pilot.pause()


def offers(run: AppDriver, model: str, server: str) -> bool:
    """Whether a model of a server is listed."""
    return any(f" {model} " in row and f" {server} " in row for row in run.rows())


def told(run: AppDriver, text: str) -> bool:
    """Whether a notice says this."""
    return any(text in notice for notice in run.notices)


async def open_servers(run: AppDriver) -> None:
    await run.pilot.press("f3")
    await run.until(lambda: isinstance(run.app.screen, ServersScreen))


async def choose_model(run: AppDriver, words: str, model: str) -> None:
    await run.pilot.press("ctrl+l")
    await run.until(lambda: run.shows(model))
    await run.pilot.press(*words)
    await run.pilot.pause()
    await run.pilot.press("enter")
    await run.until(lambda: run.header.model == model)


async def test_the_models_of_all_servers_are_in_one_list_and_a_silent_one_delays_nothing() -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab, ScriptedServer() as attic:
        has(box, "one")
        has(lab, "two")
        for path in ("/v1/models", "/api/version"):
            attic.script(stall(), path=path)
        async with driven(box, config=listed(box, lab, attic)) as run:
            await run.pilot.press("ctrl+l")
            await run.until(lambda: run.shows("● one"))
            await run.until(lambda: offers(run, "two", "lab"))
            assert run.shows("Models of all servers")
            assert offers(run, "one", "box")


async def test_a_dead_server_is_named_below_the_list() -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab:
        has(lab, "two")
        config = listed(box, lab)
        config = Config(servers=(*config.servers, Server("http://127.0.0.1:9", name="attic")))
        async with driven(box, config=config) as run:
            await run.pilot.press("ctrl+l")
            await run.until(lambda: run.shows("no answer from attic"))
            await run.until(lambda: offers(run, "two", "lab"))


async def test_what_is_highlighted_stays_so_when_more_models_arrive() -> None:
    gate = asyncio.Event()
    async with ScriptedServer() as box, ScriptedServer() as lab:
        models = [{"name": name, "model": name} for name in ("aaa", "bbb", "ccc")]
        box.script(answer(200, {"models": models}), path="/api/tags")
        lab.script(wait(gate), answer(200, {"models": [{"name": "two", "model": "two"}]}), path="/api/tags")
        async with driven(box, config=listed(box, lab)) as run:
            await run.pilot.press("ctrl+l")
            await run.until(lambda: run.shows("ccc"))
            await run.pilot.press("down", "down")
            gate.set()
            await run.until(lambda: offers(run, "two", "lab"))
            await run.pilot.press("enter")
            await run.until(lambda: run.header.model == "ccc")


async def test_server_and_model_are_switched_in_the_middle_of_a_chat_and_back() -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab:
        has(box, "one")
        has(lab, "two")
        box.script(*reply("from the box"))
        lab.script(*reply("from the lab"))
        async with driven(box, config=listed(box, lab)) as run:
            await run.say("first")
            await run.until(lambda: run.shows("from the box"))
            await run.idle()
            await choose_model(run, "lab", "two")
            assert run.header.server == "lab"
            await run.say("second")
            await run.until(lambda: run.shows("from the lab"))
            await run.idle()
            assert lab.asked()[0]["model"] == "two"
            sent = lab.asked()[0]["messages"]
            assert isinstance(sent, list)
            assert [message["content"] for message in sent] == ["first", "from the box", "second"]
            assert run.app.workspace.conversation.chat.server == lab.url
            await choose_model(run, "box", "one")
            await run.say("third")
            await run.until(lambda: len(box.asked()) == 2)
            await run.idle()
            assert [message.server for message in run.app.workspace.conversation.branch[1::2]] == [
                "box",
                "lab",
                "box",
            ]


async def test_a_reply_on_its_way_goes_on_while_the_server_is_switched() -> None:
    gate = asyncio.Event()
    async with ScriptedServer() as box, ScriptedServer() as lab:
        has(lab, "two")
        box.script(head(), token("begun "), wait(gate), token("and ended"), done(), end())
        async with driven(box, config=listed(box, lab)) as run:
            await run.say("go")
            await run.until(lambda: run.shows("begun"))
            await choose_model(run, "lab", "two")
            gate.set()
            await run.until(lambda: run.shows("begun and ended"))
            await run.idle()
            assert not run.status.error


async def said_to(server: ScriptedServer, config: Config, database: Path) -> None:
    """Let a chat with a server be there."""
    async with driven(server, config=config, database=database) as run:
        await run.say("remember it")
        await run.idle()


async def test_a_chat_comes_back_with_its_server(tmp_path: Path) -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab:
        has(box, "one")
        has(lab, "two")
        lab.script(*reply("ok"))
        config = listed(box, lab)
        async with driven(box, config=config, database=tmp_path / "chats.db") as run:
            await choose_model(run, "lab", "two")
            await run.say("remember the lab")
            await run.idle()
            await run.pilot.press("ctrl+n")
            await run.until(lambda: not run.transcript.entries)
            await choose_model(run, "box", "one")
            await run.pilot.press("ctrl+o")
            await run.until(lambda: run.shows("remember the lab"))
            await run.pilot.press("enter")
            await run.until(lambda: (run.header.server, run.header.model) == ("lab", "two"))
        async with driven(box, config=config, database=tmp_path / "chats.db", resume=True) as run:
            await run.until(lambda: (run.header.server, run.header.model) == ("lab", "two"))


async def test_a_chat_of_a_server_that_is_not_known_any_more_stays_here_and_says_so(tmp_path: Path) -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab:
        lab.script(*reply("ok"))
        await said_to(lab, listed(box, lab), tmp_path / "chats.db")
        config = listed(box)
        async with driven(box, config=config, database=tmp_path / "chats.db", resume=True, size=(120, 30)) as run:
            await run.until(lambda: told(run, "which is not in the list of servers"))
            assert run.header.server == "box"


async def test_a_chat_of_a_server_whose_key_cannot_be_read_says_that(tmp_path: Path) -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab:
        lab.script(*reply("ok"))
        config = listed(box, lab)
        await said_to(lab, config, tmp_path / "chats.db")
        trouble = ConfigError("lab: the variable KEY is not set", "export KEY=…, or change key_env.")
        config = replace(config, troubles={config.servers[1]: trouble})
        async with driven(box, config=config, database=tmp_path / "chats.db", resume=True, size=(120, 30)) as run:
            await run.until(lambda: told(run, "the variable KEY is not set"))
            assert run.header.server == "box"


async def test_the_demo_needs_no_key_of_another_server() -> None:
    lab = Server("http://127.0.0.1:9", name="lab")
    config = Config(servers=(lab,), url="lab", troubles={lab: ConfigError("lab: the variable KEY is not set")})
    async with driven(None, config=config) as run:
        await run.until(lambda: run.header.demo)


async def test_a_server_named_for_this_run_counts_before_what_a_chat_remembers(tmp_path: Path) -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab:
        lab.script(*reply("ok"))
        config = listed(box, lab)
        await said_to(lab, config, tmp_path / "chats.db")
        config = Config(servers=config.servers, url="box", pinned=True)
        async with driven(box, config=config, database=tmp_path / "chats.db", resume=True) as run:
            await run.pilot.pause()
            assert run.header.server == "box"


async def test_the_list_of_servers_tells_how_each_is_and_enter_switches() -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab:
        config = listed(box, lab)
        dead = Server("http://127.0.0.1:9", name="attic")
        async with driven(box, config=Config(servers=(*config.servers, dead)), size=(100, 30)) as run:
            await open_servers(run)
            await run.until(lambda: sum("Ollama · 1 model" in row for row in run.rows()) == 2)
            await run.until(lambda: run.shows("Nothing answers at http://127.0.0.1:9"))
            assert run.shows("● box")
            await run.pilot.press("down", "enter")
            await run.until(lambda: run.header.server == "lab" and bool(run.header.model))


async def test_a_server_is_added_by_typing_its_url_and_its_key_is_kept_and_shown_as_dots(tmp_path: Path) -> None:
    path = tmp_path / "servers.toml"
    async with ScriptedServer() as box, ScriptedServer() as lab:
        has(lab, "two")
        async with driven(box, added=ServerFile(path)) as run:
            await open_servers(run)
            await run.pilot.press(*lab.url)
            await run.until(lambda: run.shows(f"Add {lab.url}"))
            await run.pilot.press("enter")
            await fill_in(run, name="lab", key=KEY)
            assert run.shows("••••")
            await run.pilot.press("ctrl+t")
            await run.until(lambda: run.shows("Ollama · 1 model"))
            assert not run.shows(KEY)
            await run.pilot.press("enter")
            await run.until(lambda: isinstance(run.app.screen, ServersScreen))
            await run.until(lambda: run.shows("lab"))
            assert not run.shows(KEY)
            await run.pilot.press("enter")
            await run.until(lambda: (run.header.server, run.header.model) == ("lab", "two"))
        assert {request.headers.get("authorization") for request in lab.requests} == {f"Bearer {KEY}"}
        assert {request.headers.get("authorization") for request in box.requests} == {None}
    assert tomllib.loads(path.read_text())["servers"] == [{"url": lab.url, "name": "lab", "key": KEY}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_server_is_changed_its_key_kept_unseen_and_not_given_to_another_host(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "servers.toml")
    file.put({"url": "http://127.0.0.1:9", "name": "lab", "key": KEY, "headers": {"X-Team": "blue"}})
    async with ScriptedServer() as box, driven(box, added=file, size=(100, 30)) as run:
        await open_servers(run)
        await run.until(lambda: run.shows("Nothing answers"))
        await run.pilot.press("up", "ctrl+r")
        await fill_in(run, url="http://127.0.0.1:10")
        key = run.app.screen.query_one("#key", Input)
        assert key.value == "•" * 8
        await run.pilot.press("enter")
        await run.until(lambda: run.shows("The key was for another host"))
        assert file.read()[0].server.url == "http://127.0.0.1:9"
        await fill_in(run, url="http://127.0.0.1:9/prefix", name="attic")
        await run.pilot.press("enter")
        await run.until(lambda: not isinstance(run.app.screen, ServerForm) and run.shows("attic"))
    server = file.read()[0].server
    assert (server.url, server.name, server.key) == ("http://127.0.0.1:9/prefix", "attic", Secret(KEY))
    assert server.headers == (("X-Team", "blue"),)


async def test_changing_the_server_that_is_talked_to_takes_effect_at_once(tmp_path: Path) -> None:
    async with ScriptedServer() as box:
        file = ServerFile(tmp_path / "servers.toml")
        file.put({"url": box.url, "name": "old"})
        async with driven(file.read()[0].server, added=file) as run:
            await open_servers(run)
            await run.until(lambda: run.shows("● old"))
            await run.pilot.press("ctrl+r")
            await fill_in(run, name="new", key=KEY)
            await run.pilot.press("enter")
            await run.until(lambda: run.header.server == "new" and bool(run.header.model))
        assert box.requests[-1].headers["authorization"] == f"Bearer {KEY}"


async def test_a_server_is_removed_and_taken_back_and_one_of_the_config_file_is_not(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "servers.toml")
    file.put({"url": "http://127.0.0.1:9", "name": "lab"})
    async with ScriptedServer() as box, driven(box, added=file, config=listed(box), size=(100, 30)) as run:
        await open_servers(run)
        await run.until(lambda: run.shows("lab"))
        await run.pilot.press("ctrl+d")
        await run.until(lambda: told(run, "can be removed here"))
        await run.pilot.press("ctrl+r")
        await run.until(lambda: told(run, "edit it there"))
        await run.pilot.press("down", "ctrl+d")
        await run.until(lambda: told(run, "Removed."))
        assert not file.read()
        await run.pilot.press("ctrl+z")
        await run.until(lambda: [entry.server.name for entry in file.read()] == ["lab"])


SENSELESS = {
    "no url": ({"url": ""}, "has no url"),
    "not a url": ({"url": "ftp://x"}, "is not the URL"),
    "kind": ({"url": "http://a:1", "kind": "olama"}, "Did you mean 'ollama'"),
    "two keys": ({"url": "http://a:1", "key": "a", "key_env": "B"}, "more than one way"),
    "name taken": ({"url": "http://a:1", "name": "box"}, "already named 'box'"),
}


@pytest.mark.parametrize("name", SENSELESS)
async def test_what_makes_no_sense_is_said_in_the_form_and_not_saved(name: str, tmp_path: Path) -> None:
    texts, said = SENSELESS[name]
    file = ServerFile(tmp_path / "servers.toml")
    async with ScriptedServer() as box, driven(box, config=listed(box), added=file, size=(110, 30)) as run:
        await open_servers(run)
        await run.pilot.press("down", "enter")
        await fill_in(run, **texts)
        await run.pilot.press("enter")
        await run.until(lambda: run.shows(said))
        assert not file.read()


async def test_a_server_whose_key_is_missing_says_so_and_is_not_asked(tmp_path: Path) -> None:
    async with ScriptedServer() as box, ScriptedServer() as lab:
        file = ServerFile(tmp_path / "servers.toml")
        file.put({"url": lab.url, "name": "lab", "key_env": "NO_SUCH_VARIABLE"})
        async with driven(box, added=file, config=listed(box), size=(100, 30)) as run:
            await open_servers(run)
            await run.until(lambda: run.shows("NO_SUCH_VARIABLE is not set"))
            await run.until(lambda: run.shows("Ollama · 1 model"))
            await run.pilot.press("down", "enter")
            await run.pilot.pause()
            assert isinstance(run.app.screen, ServersScreen)
        assert not lab.requests


async def test_choosing_a_server_leaves_the_demo_and_its_chats_are_kept_again(tmp_path: Path) -> None:
    async with ScriptedServer() as box, driven(box, config=listed(box), database=tmp_path / "chats.db") as run:
        box.script(*reply("kept"))
        await run.pilot.press("f2")
        await run.until(lambda: run.shows("DEMO"))
        await open_servers(run)
        await run.until(lambda: run.shows("Ollama · 1 model"))
        await run.pilot.press("home", *"box", "enter")
        await run.until(lambda: run.header.server == "box" and not run.header.demo)
        await run.say("after the demo")
        await run.idle()
        assert [chat.title for chat in await run.app.workspace.store.chats()] == ["after the demo"]


async def test_the_form_can_be_used_in_a_tiny_terminal(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "servers.toml")
    async with ScriptedServer() as box, driven(box, added=file, size=(40, 10)) as run:
        await open_servers(run)
        await run.pilot.press("down", "enter")
        await run.until(lambda: isinstance(run.app.screen, ServerForm))
        await run.pilot.press(*"http://127.0.0.1:9", *["tab"] * 8, *"off")
        await run.until(lambda: run.shows("CA file"))
        await run.pilot.press("ctrl+s")
        await run.until(lambda: bool(file.read()))
        assert file.read()[0].server.verify is False
