"""Pulls and loads in the background: in every way that they go on and end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tui_chat.errors import ConfigError, Cut, NoSuchModel, ServerFault
from tui_chat.server import Kind, Server
from tui_chat.servers.backend import HttpBackend
from tui_chat.servers.dialect import Progress
from tui_chat.servers.jobs import Job, Jobs, Tally, model_name

from tests.server import ScriptedServer, Step, answer, cut, end, head, line, pause, stall, wait

GB = 1_000_000_000
LAYER = "sha256:" + "ab" * 32
SMALL = "sha256:" + "cd" * 32


def step(done: int, total: int = 100, layer: str = LAYER) -> Step:
    return line({"status": f"pulling {layer[7:19]}", "digest": layer, "total": total, "completed": done})


SUCCESS = (line({"status": "success"}), end())


@pytest.fixture
async def backend(server: ScriptedServer) -> AsyncIterator[HttpBackend]:
    backend = HttpBackend(Server(server.url, kind=Kind.OLLAMA))
    yield backend
    await backend.aclose()


@pytest.fixture
async def jobs() -> AsyncIterator[Jobs]:
    jobs = Jobs()
    yield jobs
    await jobs.aclose()


async def until(job: Job, percent: int) -> None:
    async with asyncio.timeout(10):
        while job.tally.percent != percent:
            await asyncio.sleep(0.001)


async def test_a_pull_tells_each_layer_and_all_together_and_leaves_once_it_is_done(
    server: ScriptedServer, backend: HttpBackend, jobs: Jobs
) -> None:
    gate, ended = asyncio.Event(), list[Job]()
    jobs.ended = ended.append
    server.script(head(), step(100), step(50, 300, SMALL), wait(gate), *SUCCESS, path="/api/pull")
    jobs.pull(backend, "qwen3:4b")
    (job,) = jobs.running
    await until(job, 37)
    assert job.tally.layers == {LAYER: (100, 100), SMALL: (50, 300)}
    assert (job.tally.done, job.tally.total) == (150, 400)
    gate.set()
    await job.wait()
    assert (jobs.all, ended, job.done) == ((), [job], True)


async def test_a_model_is_pulled_once_however_often_it_is_asked_for_and_two_at_once(
    server: ScriptedServer, backend: HttpBackend, jobs: Jobs
) -> None:
    server.script(head(), step(10), stall(), path="/api/pull")
    for name in ("one", "two", "one"):
        jobs.pull(backend, name)
    for job in jobs.running:
        await until(job, 10)
    assert sorted(str(body["model"]) for body in server.asked("/api/pull")) == ["one", "two"]


async def test_a_pull_that_is_cancelled_closes_its_socket_and_goes_on_where_it_was(
    server: ScriptedServer, backend: HttpBackend, jobs: Jobs
) -> None:
    ended = list[Job]()
    jobs.ended = ended.append
    server.script(head(), step(40), stall(), path="/api/pull")
    server.script(head(), step(41), step(100), *SUCCESS, path="/api/pull")
    jobs.pull(backend, "qwen3:4b")
    (job,) = jobs.all
    await until(job, 40)
    await job.cancel()
    await asyncio.wait_for(server.disconnected.wait(), 5)
    assert (job.running, job.done, job.error, ended) == (False, False, None, [])
    assert job.tally.percent == 40
    job.resume()
    await job.wait()
    assert (job.done, ended) == (True, [job])


@pytest.mark.parametrize(
    ("last", "kind", "says"),
    [
        (
            line({"error": "write /m/blobs/sha256-x-partial-0: no space left on device"}),
            ServerFault,
            "no space left",
        ),
        (line({"error": "pull model manifest: file does not exist"}), NoSuchModel, "file does not exist"),
        (cut(), Cut, "closed the connection"),
        (pause(0), Cut, "before it was done"),
    ],
    ids=["full disk", "unknown", "cut", "ended early"],
)
async def test_a_pull_that_fails_is_kept_with_its_reason_and_can_be_resumed(
    last: Step, kind: type[Exception], says: str, server: ScriptedServer, backend: HttpBackend, jobs: Jobs
) -> None:
    server.script(head(), step(40), last, end(), path="/api/pull")
    server.script(head(), *SUCCESS, path="/api/pull")
    jobs.pull(backend, "qwen3:4b")
    (job,) = jobs.all
    await job.wait()
    assert isinstance(job.error, kind)
    assert says in str(job.error)
    assert (jobs.all, job.done) == ((job,), False)
    jobs.pull(backend, "qwen3:4b")  # by its name instead of by its row
    (again,) = jobs.all
    await again.wait()
    assert (again.done, again.error, jobs.all) == (True, None, ())


async def test_two_copies_of_the_program_may_pull_the_same(server: ScriptedServer) -> None:
    """Ollama tells both how far it is; one that is cancelled leaves the other alone."""
    gate = asyncio.Event()
    server.script(head(), step(40), wait(gate), step(100), *SUCCESS, path="/api/pull")
    copies = [(Jobs(), HttpBackend(Server(server.url, kind=Kind.OLLAMA))) for _ in range(2)]
    for jobs, backend in copies:
        jobs.pull(backend, "qwen3:4b")
    (one,), (other,) = (jobs.all for jobs, _ in copies)
    await asyncio.gather(until(one, 40), until(other, 40))
    await one.cancel()
    gate.set()
    await other.wait()
    assert (one.done, other.done) == (False, True)
    for _, backend in copies:
        await backend.aclose()


async def test_a_model_is_loaded_with_settings_and_a_failure_is_told_but_not_kept(
    server: ScriptedServer, backend: HttpBackend, jobs: Jobs
) -> None:
    ended = list[Job]()
    jobs.ended = ended.append
    server.script(answer(200, {"done_reason": "load"}))
    server.script(answer(500, {"error": "model requires more system memory"}))
    for _ in range(2):
        jobs.load(backend, "tiny", {"options": {"num_ctx": 512}, "keep_alive": -1})
        await jobs.running[0].wait()
    assert server.asked()[0] == {"model": "tiny", "messages": [], "options": {"num_ctx": 512}, "keep_alive": -1}
    assert [job.done for job in ended] == [True, False]
    assert "more system memory" in str(ended[1].error)
    assert jobs.all == ()


async def test_a_load_that_was_cancelled_begins_again_with_the_settings_of_today(
    server: ScriptedServer, backend: HttpBackend, jobs: Jobs
) -> None:
    server.script(stall())
    server.script(answer(200, {"done_reason": "load"}))
    jobs.load(backend, "tiny", {"options": {"num_ctx": 99999}})
    while not server.requests:
        await asyncio.sleep(0.01)
    await jobs.running[0].cancel()
    jobs.load(backend, "tiny", {"options": {"num_ctx": 4096}})
    await jobs.running[0].wait()
    assert server.asked()[-1]["options"] == {"num_ctx": 4096}


async def test_at_the_end_nothing_is_left_running(server: ScriptedServer, backend: HttpBackend) -> None:
    server.script(head(), step(40), stall(), path="/api/pull")
    jobs = Jobs()
    for name in ("one", "two"):
        jobs.pull(backend, name)
    await jobs.aclose()
    assert not jobs.running


def test_speed_and_time_left_count_from_where_an_earlier_pull_ended() -> None:
    now = [100.0]
    tally = Tally(lambda: now[0])
    assert tally.figures() == ()
    for second, done in enumerate((1 * GB, int(1.5 * GB), 2 * GB)):
        now[0] = 100.0 + second
        tally.take(Progress("pulling", "sha256:1", done, 4 * GB))
    assert tally.figures() == ("2.0 GB of 4.0 GB", "50 %", "500 MB/s", "4.0 s left")
    now[0] = 110.0  # nothing has come for a while
    assert tally.figures()[2:] == ("100 MB/s", "20 s left")
    now[0] = 200.0
    tally.take(Progress("pulling", "sha256:1", 2 * GB, 4 * GB))
    now[0] = 202.0
    tally.take(Progress("pulling", "sha256:1", 2 * GB, 4 * GB))
    assert tally.figures() == ("2.0 GB of 4.0 GB", "50 %")


def test_a_server_that_tells_nonsense_is_counted_without_harm() -> None:
    tally = Tally()
    for number in range(2000):
        tally.take(Progress("pulling", f"sha256:{number}", 300, 100))
    tally.take(Progress("pulling", "none", 5, None))
    tally.take(Progress("pulling", "zero", 5, 0))
    assert (len(tally.layers), tally.percent) == (1000, 100)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" qwen3:4b ", "qwen3:4b"),
        ("ollama pull qwen3", "qwen3"),
        ("ollama run user/model:tag", "user/model:tag"),
        (
            "https://hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M",
            "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M",
        ),
        ("box:5000/ns/model", "box:5000/ns/model"),
        ("gpt-oss:120b-cloud", "gpt-oss:120b-cloud"),
    ],
)
def test_a_name_is_taken_as_it_is_typed_or_copied(typed: str, name: str) -> None:
    assert model_name(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "a/b/c/d",
        "qwen3:4b:8b",
        "two words",
        "../etc",
        "qwen3:",
        "/x",
        "ü",
        "a\x1b[2J",
        "x" * 500,
        "http://foo/bar",
    ],
)
def test_what_cannot_be_a_name_is_refused(typed: str) -> None:
    with pytest.raises(ConfigError, match="not a model's name") as refused:
        model_name(typed)
    assert "\x1b" not in str(refused.value)
    assert "qwen3:4b" in refused.value.hint
