"""Which server and which model are talked to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tui_chat.errors import Refused, Unreachable
from tui_chat.messages import Model
from tui_chat.server import Flavour, Kind, Server
from tui_chat.servers.backend import connect
from tui_chat.servers.connection import Connection, choose, find
from tui_chat.servers.probe import Attempt, Discovery

from tests.chat.kit import ScriptedBackend
from tests.server import ScriptedServer, answer

OLD, NEW = Model("old:latest", modified="2024-01-01"), Model("new:latest", modified="2026-01-01")
EMBEDS = Model("embed:latest", modified="2026-06-01", capabilities=frozenset(("embedding",)))
DEFAULT = Server("http://127.0.0.1:11434", named=False)


@pytest.mark.parametrize(
    ("models", "last", "chosen"),
    [
        ([OLD, NEW], "", "new:latest"),
        ([OLD, NEW], "old", "old:latest"),
        ([OLD, NEW], "gone", "new:latest"),
        ([Model("old:latest", modified="2024-01-01", loaded=True), NEW], "", "old:latest"),
        ([OLD, EMBEDS], "", "old:latest"),
        ([EMBEDS], "", ""),
        ([], "old", ""),
    ],
)
def test_the_model_is_the_last_used_else_a_loaded_one_else_the_newest(
    models: list[Model], last: str, chosen: str
) -> None:
    assert choose(models, last) == chosen


def test_a_name_without_a_tag_is_the_latest() -> None:
    assert find("old", [NEW, OLD]) is OLD
    assert find("old:latest", [NEW, OLD]) is OLD
    assert find("ol", [NEW, OLD]) is None


@pytest.mark.parametrize(
    ("server", "hint"),
    [
        (Server("", kind=Kind.OLLAMA), "Get one with `tui-chat pull qwen3:4b`."),
        (Server("", kind=Kind.OPENAI, flavour=Flavour.LLAMACPP), "Load one there."),
    ],
)
async def test_where_there_is_no_model_it_is_told_how_to_get_one(server: Server, hint: str) -> None:
    async with ScriptedServer() as empty:
        empty.script(answer(200, {"models": []}), path="/api/tags")
        empty.script(answer(200, {"data": []}), path="/v1/models")
        connection = Connection(connect, replace(server, url=empty.url))
        await connection.look()
        assert connection.obstacle is not None
        assert "has no models" in str(connection.obstacle)
        assert connection.obstacle.hint == hint
        await connection.aclose()


async def test_a_look_settles_on_a_model_and_learns_its_window() -> None:
    backend = ScriptedBackend(offered=[OLD, NEW], warm=[Model("old:latest", window=4096)])
    connection = Connection(lambda _: backend, DEFAULT)
    await connection.look()
    assert (connection.model, connection.window, connection.error) == ("old:latest", 4096, None)
    assert [model.loaded for model in connection.models] == [True, False]


async def test_a_window_that_is_known_is_kept_where_nothing_is_told_of_the_loaded_model() -> None:
    """Ollama's list of loaded models names no context length before 0.12."""
    backend = ScriptedBackend(offered=[replace(OLD, window=1024)])
    connection = Connection(lambda _: backend, DEFAULT)
    await connection.look()
    assert connection.window == 1024
    backend.warm = [OLD]
    await connection.measure()
    assert connection.window == 1024


@pytest.mark.parametrize("is_listed", [False, True])
async def test_the_model_of_a_chat_that_is_gone_is_told_once(is_listed: bool) -> None:
    connection = Connection(lambda _: ScriptedBackend(offered=[OLD]), DEFAULT)
    if is_listed:
        await connection.look()
    connection.prefer("gone")
    await connection.look()
    assert (connection.model, connection.missed) == (OLD.name, "gone")
    connection.missed = ""
    await connection.look()
    assert connection.missed == ""


async def test_a_model_that_was_asked_for_is_kept_even_where_the_server_lacks_it() -> None:
    connection = Connection(lambda _: ScriptedBackend(offered=[OLD]), DEFAULT, wanted="nope")
    await connection.look()
    assert connection.model == "nope"


async def test_where_nobody_answers_another_server_of_this_machine_is_taken() -> None:
    other = Server("http://127.0.0.1:8080")
    backends = {
        DEFAULT: ScriptedBackend(failure=Unreachable("nobody")),
        other: ScriptedBackend(offered=[NEW], server=other),
    }

    async def discover() -> Discovery:
        return Discovery((Attempt(DEFAULT, Unreachable("nobody")), Attempt(other)))

    connection = Connection(lambda server: backends[server], DEFAULT, discover=discover)
    await connection.look()
    assert (connection.server, connection.model, connection.error) == (other, "new:latest", None)


@pytest.mark.parametrize(
    ("server", "failure"),
    [(Server("http://box:11434"), Unreachable("nobody")), (DEFAULT, Refused("no", status=403))],
)
async def test_a_server_that_was_named_or_that_answers_is_not_left(server: Server, failure: Exception) -> None:
    async def discover() -> Discovery:
        raise AssertionError("nobody may look elsewhere")

    connection = Connection(lambda _: ScriptedBackend(failure=failure), server, discover=discover)
    await connection.look()
    assert connection.server is server
    assert connection.error is failure


async def test_the_model_of_a_chat_is_preferred_if_the_server_has_it() -> None:
    connection = Connection(lambda _: ScriptedBackend(offered=[OLD, NEW], warm=[]), DEFAULT)
    connection.prefer("old:latest")  # before the server has said what it has
    await connection.look()
    assert connection.model == "old:latest"
    connection.prefer("gone")
    assert connection.model == "old:latest"
    connection.prefer("new")
    assert connection.model == "new"


async def test_what_is_learned_of_many_models_is_told_a_few_times() -> None:
    listed = [Model(f"m{number}") for number in range(400)]
    backend = ScriptedBackend(offered=listed)
    connection = Connection(lambda _: backend, DEFAULT)
    await connection.look()
    backend.offered = [Model(model.name, context_window=4096) for model in listed]
    calls = 0

    def learned() -> None:
        nonlocal calls
        calls += 1

    await connection.detail(learned)
    assert {model.context_window for model in connection.models} == {4096}
    assert 1 <= calls < 100
