"""The models screen: what it shows, and what its keys do, against a server in all shapes."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual.widgets import Input
from tui_chat.config import Config
from tui_chat.server import Flavour, Kind, Server
from tui_chat.ui.dialogs.ask import AskScreen, ConfirmScreen
from tui_chat.ui.dialogs.models import ModelsScreen
from tui_chat.ui.dialogs.text import TextScreen
from tui_chat.ui.widgets.choice_list import ChoiceList

from tests.server import MODEL, ScriptedServer, Step, answer, cut, end, head, line, reply, stall, wait
from tests.ui.kit import AppDriver, driven

GB = 1_000_000_000
LAYER = "sha256:" + "ab" * 32
CLOUD = {
    **MODEL,
    "name": "gpt-oss:120b-cloud",
    "model": "gpt-oss:120b-cloud",
    "remote_host": "https://ollama.com:443",
}
LOADED = {
    **MODEL,
    "size": 4 * GB,
    "size_vram": 1 * GB,
    "expires_at": "2525-01-01T00:00:00Z",
    "context_length": 4096,
}
FULL_DISK = "write /models/blobs/sha256-x-partial-0: no space left on device"


def step(done: int, total: int = 2 * GB) -> Step:
    return line({"status": "pulling abababababab", "digest": LAYER, "total": total, "completed": done})


async def open_models(run: AppDriver) -> None:
    await run.pilot.press("ctrl+l")
    await run.until(lambda: isinstance(run.app.screen, ModelsScreen))
    await run.until(lambda: bool(run.app.screen.query_one(ChoiceList).choices))
    await run.pilot.pause()


def row_of(run: AppDriver, text: str) -> str:
    return next((row for row in run.rows() if text in row), "")


def told(run: AppDriver, text: str) -> bool:
    return text in " ".join(re.sub(r"[│╭╮╰╯]", " ", " ".join(run.rows())).split())


async def pull(run: AppDriver, name: str) -> None:
    await run.pilot.press("ctrl+g")
    await run.until(lambda: isinstance(run.app.screen, AskScreen))
    run.app.screen.query_one(Input).value = name
    await run.pilot.press("enter")


async def test_a_model_is_listed_with_what_it_can_and_where_it_is_loaded() -> None:
    async with ScriptedServer() as server:
        server.script(answer(200, {"models": [MODEL, CLOUD]}), path="/api/tags")
        server.script(answer(200, {"models": [LOADED]}), path="/api/ps")
        async with driven(server, size=(120, 40)) as run:
            await open_models(run)
            await run.until(lambda: "25 % GPU · for ever" in row_of(run, "● tiny:latest"))
            row = row_of(run, "● tiny:latest").split()
            assert {"4.1", "MB", "thinks", "F16", "1.02M"} <= {*row}
            assert "leaves this machine" in row_of(run, "↗ gpt-oss:120b-cloud")


async def test_a_pull_goes_on_while_one_chats_and_is_told_until_its_model_is_there() -> None:
    gate = asyncio.Event()
    pulled = {**MODEL, "name": "qwen3:4b", "model": "qwen3:4b"}
    async with ScriptedServer() as server, driven(server, size=(120, 40)) as run:
        server.script(head(), step(GB // 2), wait(gate), line({"status": "success"}), end(), path="/api/pull")
        server.script(*reply("Hello."))
        await open_models(run)
        await pull(run, "qwen3:4b")
        await run.until(lambda: "pulling 25 %" in row_of(run, "↓ qwen3:4b"))
        assert run.shows("500 MB of 2.0 GB · 25 %")
        await run.pilot.press("enter")
        await run.until(lambda: isinstance(run.app.screen, TextScreen) and run.shows("sha256:abababababab   25 %"))
        await run.pilot.press("escape", "escape")
        await run.until(lambda: run.header.work == "pulling qwen3:4b 25 %")
        await run.say("hello")
        await run.until(lambda: run.shows("Hello."))
        await run.idle()
        server.script(answer(200, {"models": [MODEL, pulled]}), path="/api/tags")
        server.script(answer(200, {"models": [MODEL, pulled]}), path="/api/tags")
        gate.set()
        await run.until(lambda: "Pulled qwen3:4b." in run.notices)
        await run.until(lambda: run.header.work == "")
        await open_models(run)
        await run.until(lambda: run.shows(" qwen3:4b "))
        assert not run.shows("↓ qwen3:4b")


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (line({"error": FULL_DISK}), FULL_DISK),
        (line({"error": "pull model manifest: file does not exist"}), "Check its name at ollama.com/search."),
        (cut(), "closed the connection"),
    ],
    ids=["full disk", "unknown", "cut"],
)
async def test_a_pull_that_fails_says_why_in_full_and_goes_on_at_enter(last: Step, says: str) -> None:
    async with ScriptedServer() as server, driven(server, size=(80, 24)) as run:
        server.script(head(), step(GB), last, end(), path="/api/pull")
        server.script(head(), line({"status": "success"}), end(), path="/api/pull")
        await open_models(run)
        await pull(run, "qwen3:4b")
        await run.until(lambda: "failed" in row_of(run, "↓ qwen3:4b"))
        await run.until(lambda: told(run, says))
        assert run.header.work == ""
        await run.pilot.press("ctrl+o")
        await run.until(lambda: isinstance(run.app.screen, TextScreen) and told(run, says))
        await run.pilot.press("escape", "enter")
        await run.until(lambda: told(run, "Pulled qwen3:4b."))
        assert len(server.asked("/api/pull")) == 2


async def test_two_pulls_at_once_one_is_cancelled_and_then_removed() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 40)) as run:
        server.script(head(), step(GB), stall(), path="/api/pull")
        await open_models(run)
        for name in ("one", "two"):
            await pull(run, name)
            await run.until(lambda name=name: "pulling 50 %" in row_of(run, f"↓ {name}"))  # type: ignore[misc]
        await run.until(lambda: run.header.work == "2 models on their way 50 %")
        await run.pilot.press("ctrl+d")
        await run.until(lambda: "cancelled 50 %" in row_of(run, "↓ two"))
        await asyncio.wait_for(server.disconnected.wait(), 5)
        assert "pulling" in row_of(run, "↓ one")
        await run.pilot.press("ctrl+d")
        await run.until(lambda: not run.shows("↓ two"))


@pytest.mark.parametrize("name", ["a/b/c/d", "qwen3:4b:8b", "two words"])
async def test_a_wrong_name_is_told_and_changes_nothing(name: str) -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await open_models(run)
        await pull(run, name)
        await run.until(lambda: told(run, "is not a model's name."))
        assert run.app.screen.query_one(Input).value == name
        await run.pilot.press("escape")
        await run.pilot.press(*"x/x/x")  # by the filter
        await run.until(lambda: told(run, "Pull x/x/x …"))
        await run.pilot.press(*"/x", "enter")
        await run.until(lambda: not told(run, "Pull x"))
        assert not server.asked("/api/pull")
        assert not run.app.workspace.jobs.all


async def test_what_is_typed_and_not_there_can_be_pulled() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), step(GB), stall(), path="/api/pull")
        await open_models(run)
        await run.pilot.press(*"qwen3")
        await run.until(lambda: run.shows("Pull qwen3 …"))
        await run.pilot.press("enter")
        await run.until(lambda: "pulling" in row_of(run, "↓ qwen3"))
        assert server.asked("/api/pull") == [{"model": "qwen3", "stream": True}]


async def test_without_models_some_that_fit_are_offered_on_the_card_and_in_the_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui_chat.servers.well_known.os.sysconf", lambda name: 2**24 if "PAGES" in name else 1000)
    async with ScriptedServer() as server:
        server.script(answer(200, {"models": []}), path="/api/tags")
        server.script(head(), step(GB), stall(), path="/api/pull")
        async with driven(server, ready=False, size=(100, 30)) as run:
            await run.until(lambda: run.shows("This machine has 17 GB of memory"))
            assert told(run, "^L pull qwen3:0.6b (523 MB), qwen3:4b (2.5 GB) or qwen3:14b (9.3 GB)")
            await open_models(run)
            assert "needs 4.0 GB" in row_of(run, "Pull qwen3:4b")
            await run.pilot.press("down", "enter")
            await run.until(lambda: run.header.work.startswith("pulling qwen3:4b"))
            assert server.asked("/api/pull") == [{"model": "qwen3:4b", "stream": True}]


async def test_models_are_loaded_kept_unloaded_copied_and_deleted() -> None:
    options = {"num_ctx": 512}
    async with ScriptedServer() as server, driven(server, size=(120, 40), config=Config(options=options)) as run:
        server.script(answer(200, {"done_reason": "load"}))
        for path in ("/api/copy", "/api/delete"):
            server.script(answer(200), path=path)
        await open_models(run)
        assert run.shows("^T load")
        server.script(answer(200, {"models": [LOADED]}), path="/api/ps")
        await run.pilot.press("ctrl+t")
        await run.until(lambda: run.shows("^T unload"))
        assert server.asked() == [{"model": "tiny:latest", "messages": [], "options": options}]
        await run.pilot.press("ctrl+s")
        await run.until(lambda: run.shows("2 hours"))
        await run.pilot.press(*"hours", "enter")
        await run.until(lambda: len(server.asked()) == 2)
        assert server.asked()[1] == {
            "model": "tiny:latest",
            "messages": [],
            "options": options,
            "keep_alive": 7200,
        }
        await run.until(lambda: not run.app.workspace.jobs.all)
        server._scripts.pop("/api/ps")
        await run.pilot.press("ctrl+t")
        await run.until(lambda: run.shows("^T load"))
        assert server.asked()[2]["keep_alive"] == 0
        await run.pilot.press("ctrl+r")
        await run.until(lambda: isinstance(run.app.screen, AskScreen))
        run.app.screen.query_one(Input).value = "twin"
        await run.pilot.press("enter")
        await run.until(lambda: bool(server.asked("/api/copy")))
        assert server.asked("/api/copy") == [{"source": "tiny:latest", "destination": "twin"}]
        await run.pilot.press("ctrl+r")
        await run.until(lambda: isinstance(run.app.screen, AskScreen))
        run.app.screen.query_one(Input).value = "tiny"
        await run.pilot.press("enter")
        await run.until(lambda: told(run, "tiny is its own name."))
        server.script(answer(200, {"models": [MODEL, {**MODEL, "name": "twin:latest"}]}), path="/api/tags")
        await run.pilot.press("ctrl+r")
        await run.until(lambda: isinstance(run.app.screen, AskScreen))
        run.app.screen.query_one(Input).value = "twin"
        await run.pilot.press("enter")
        await run.until(lambda: told(run, "box has twin:latest already. Replace it by the copy?"))
        await run.pilot.press("escape")
        await run.until(lambda: isinstance(run.app.screen, ModelsScreen))
        assert len(server.asked("/api/copy")) == 1
        for key in ("escape", "enter"):
            await run.pilot.press("ctrl+d")
            await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
            await run.until(lambda: told(run, "Delete tiny:latest from box? That frees up to 4.1 MB."))
            assert not server.asked("/api/delete")
            await run.pilot.press(key)
        await run.until(lambda: bool(server.asked("/api/delete")))


async def test_what_the_server_refuses_is_told() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(answer(500, {"error": "permission denied \x1b[31m"}), path="/api/delete")
        await open_models(run)
        await run.pilot.press("ctrl+d")
        await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
        await run.pilot.press("enter")
        await run.until(lambda: told(run, "permission denied"))


async def test_details_have_all_that_the_server_tells_and_nothing_of_it_acts_on_the_terminal() -> None:
    licence = "\n".join(f"line {number} [@click=app.quit]x[/]\x1b[31m" for number in range(100))
    shown = {**MODEL, "parameters": "num_ctx 512", "template": "{{ .Prompt }}", "license": licence}
    async with ScriptedServer() as server, driven(server) as run:
        server.script(answer(200, shown), path="/api/show")
        await open_models(run)
        await run.pilot.press("ctrl+o")
        await run.until(lambda: isinstance(run.app.screen, TextScreen) and run.shows("{{ .Prompt }}"))
        assert run.shows("num_ctx 512")
        assert run.shows("Parameters of the model")
        await run.pilot.press(*["pagedown"] * 12)
        await run.until(lambda: run.shows("line 99 [@click=app.quit]x[/]␛[31m"))
        await run.pilot.press("q")
        await run.until(lambda: isinstance(run.app.screen, ModelsScreen))


async def test_a_server_without_a_verb_does_not_show_its_key() -> None:
    listed = {"data": [{"id": "tiny", "owned_by": "llamacpp", "status": {"value": "unloaded"}}]}
    async with ScriptedServer() as server:
        server.script(answer(200, listed), path="/v1/models")
        router = Server(server.url, name="box", kind=Kind.OPENAI, flavour=Flavour.LLAMACPP)
        async with driven(router, size=(120, 30)) as run:
            await open_models(run)
            assert run.shows("Enter choose · ^T load · Esc close")
            for key in ("ctrl+d", "ctrl+g", "ctrl+o", "ctrl+r", "ctrl+s"):
                await run.pilot.press(key)
            await run.pilot.pause()
            assert isinstance(run.app.screen, ModelsScreen)


async def test_the_demo_has_no_verbs() -> None:
    async with driven(None, size=(120, 30)) as run:
        await open_models(run)
        assert run.shows("Enter choose · Esc close")
        await run.pilot.press("ctrl+d", "ctrl+t", "ctrl+g")
        await run.pilot.pause()
        assert isinstance(run.app.screen, ModelsScreen)


async def test_a_model_that_runs_elsewhere_asks_once_and_nothing_is_sent_before(tmp_path: Path) -> None:
    database = tmp_path / "chats.db"
    async with ScriptedServer() as server:
        server.script(answer(200, {"models": [CLOUD]}), path="/api/tags")
        server.script(*reply("From afar."))
        async with driven(server, database=database) as run:
            await run.say("a secret")
            await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
            await run.until(lambda: told(run, "gpt-oss:120b-cloud runs at ollama.com: what you write"))
            await run.pilot.press("escape")
            await run.until(lambda: run.app.screen is run.chat)
            assert run.chat.composer.text == "a secret"
            assert not server.asked()
            await run.pilot.press("enter")
            await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
            await run.pilot.press("enter")
            await run.until(lambda: run.shows("From afar."))
            await run.idle()
            assert run.chat.composer.text == ""
        async with driven(server, database=database) as run:  # a later start
            await run.say("another")
            await run.until(lambda: len(server.asked()) == 2)
            assert run.app.screen is run.chat


async def test_a_model_that_runs_elsewhere_is_not_chosen_by_itself_and_asks_when_it_is_chosen() -> None:
    newer = {**CLOUD, "modified_at": "2026-11-21T00:00:00Z"}
    async with ScriptedServer() as server:
        server.script(answer(200, {"models": [newer, MODEL]}), path="/api/tags")
        async with driven(server) as run:
            assert run.header.model == "tiny:latest"
            for key in ("escape", "enter"):
                await open_models(run)
                await run.pilot.press(*"cloud", "enter")
                await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
                await run.pilot.press(key)
                await run.until(lambda: run.app.screen is run.chat)
            await run.until(lambda: run.header.model == "gpt-oss:120b-cloud")


async def test_leaving_with_a_pull_that_runs_says_so() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), step(GB), stall(), path="/api/pull")
        await open_models(run)
        await pull(run, "qwen3:4b")
        await run.until(lambda: "pulling" in row_of(run, "↓ qwen3:4b"))
        await run.pilot.press("escape", "ctrl+q")
        await run.until(lambda: isinstance(run.app.screen, ConfirmScreen))
        await run.until(lambda: told(run, "A pull is still running."))
        assert told(run, "pulling again goes on from there")
        await run.pilot.press("enter")
        await run.until(lambda: run.app._exit)
        await asyncio.wait_for(server.disconnected.wait(), 5)


async def test_the_status_tells_how_far_the_router_has_loaded_the_model() -> None:
    gate = asyncio.Event()
    listed = {"data": [{"id": "tiny", "owned_by": "llamacpp", "status": {"value": "unloaded"}}]}
    loading = b'data: {"model": "tiny", "data": {"status": "loading", "progress": {"current": "text", "value": 0.43}}}\n\n'
    async with ScriptedServer() as server:
        server.script(answer(200, listed), path="/v1/models")
        server.script(answer(200, {"success": True}), path="/models/load")
        server.script(head(200, "text/event-stream"), lambda it: it.send(loading), wait(gate), path="/models/sse")
        router = Server(server.url, name="box", kind=Kind.OPENAI, flavour=Flavour.LLAMACPP)
        async with driven(router) as run:
            await run.say("hello")
            await run.until(lambda: run.status.text.startswith("loading tiny 43 %"))
            await run.pilot.press("escape")
            await run.idle()


async def test_a_missing_model_can_be_pulled_only_where_the_server_can_do_that() -> None:
    listed = {"data": [{"id": "tiny", "owned_by": "llamacpp", "status": {"value": "unloaded"}}]}
    async with ScriptedServer() as server:
        server.script(answer(200, listed), path="/v1/models")
        for kind, hint in ((Kind.OPENAI, "^L chooses"), (Kind.OLLAMA, "^L pulls it, or chooses")):
            box = Server(server.url, name="box", kind=kind, flavour=Flavour.LLAMACPP)
            async with driven(box, size=(120, 30)) as run:
                await run.chat.server.use_model("nope")
                await run.until(lambda: run.status.text == "box does not have nope")
                assert run.status.hint == f"{hint} another model."


async def test_a_model_is_loaded_with_the_options_of_the_chat_and_for_as_long_as_it_says() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 40)) as run:
        server.script(answer(200, {"done_reason": "load"}))
        await run.say("/set parameter top_k 20")
        await run.say("/set parameter keep_alive -1")
        await open_models(run)
        await run.pilot.press("ctrl+t")
        await run.until(lambda: len(server.asked()) == 1)
        await run.until(lambda: not run.app.workspace.jobs.all)
        await run.pilot.press("escape")
        await run.say("/set parameter keep_alive 10m")
        await open_models(run)
        await run.pilot.press("ctrl+t")
        await run.until(lambda: len(server.asked()) == 2)
        assert [asked["keep_alive"] for asked in server.asked()] == [-1, "10m"]
        assert [asked["options"] for asked in server.asked()] == [{"top_k": 20}] * 2
