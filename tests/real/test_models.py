"""What is done with models, at a real Ollama."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest
from tui_chat.errors import NoSuchModel, Refused, ReplyError
from tui_chat.server import Kind, Server
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.jobs import Jobs

from tests.real.test_ollama import RealOllama
from tests.real.test_ollama import pytestmark as pytestmark


@pytest.fixture(scope="module")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOllama]:
    real = RealOllama(tmp_path_factory.mktemp("ollama") / "log")
    yield real
    real.stop()


@pytest.fixture
async def backend(ollama: RealOllama) -> AsyncIterator[HttpBackend]:
    client = HttpBackend(Server(ollama.url, kind=Kind.OLLAMA))
    yield client
    await client.aclose()


async def names(backend: HttpBackend) -> set[str]:
    return {model.name for model in await backend.models()}


async def test_a_model_is_loaded_kept_told_of_and_unloaded(backend: HttpBackend) -> None:
    jobs = Jobs()
    for settings, left in (({}, True), ({"keep_alive": -1}, True)):
        jobs.load(backend, "tiny:latest", settings)
        for job in jobs.running:
            await job.wait()
            assert (job.done, job.error) == (left, None)
        (model,) = await backend.loaded()
        assert (model.name, model.loaded, model.on_gpu) == ("tiny:latest", True, 0.0)
    assert model.until > "2100"
    await backend.unload("tiny:latest")
    assert "tiny:latest" not in {each.name for each in await backend.loaded() if each.until > "2100"}


async def test_a_model_is_shown_made_copied_and_deleted(backend: HttpBackend) -> None:
    details = await backend.details("tiny:latest")
    assert details.model.context_window == 2048
    assert details.template
    async with aclosing(backend.create("h-models-made", {"from": "tiny", "system": "Rhyme."})) as steps:
        assert [step.status async for step in steps][-1] == "success"
    assert (await backend.details("h-models-made")).system == "Rhyme."
    await backend.copy("h-models-made", "h-models-twin")
    assert {"h-models-made:latest", "h-models-twin:latest"} <= await names(backend)
    for name in ("h-models-made", "h-models-twin"):
        await backend.delete(name)
    assert not {"h-models-made:latest", "h-models-twin:latest"} & await names(backend)


async def test_what_it_refuses_is_told(backend: HttpBackend) -> None:
    for work in (backend.delete("nope"), backend.details("nope"), backend.copy("nope", "twin")):
        with pytest.raises(NoSuchModel):
            await work
    with pytest.raises(Refused):
        await backend.copy("tiny", "a/b/c/d/e")
    jobs = Jobs()
    jobs.pull(backend, "127.0.0.1:9/library/nope")  # a registry that is not there
    (job,) = jobs.all
    await job.wait()
    assert isinstance(job.error, ReplyError)
    assert "pull model manifest" in str(job.error)
