"""`tui-chat models`, `ps`, `show`, `pull`, `unload` and `rm` against a server that does as it is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tui_chat.cli import main

from tests.server import MODEL, ScriptedServer, answer, end, head, line

GB = 1_000_000_000


async def called(server: ScriptedServer, home: Path, *words: str) -> int:
    """The exit code of a command."""
    flags = ["--data-dir", str(home), "--config", str(home / "config.toml")]
    (home / "config.toml").touch()
    return await asyncio.to_thread(main, [*words, "--url", server.url, *flags])


async def test_models_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with ScriptedServer() as server:
        assert await called(server, tmp_path, "models") == 0
        head_, row = capsys.readouterr().out.splitlines()
        assert head_.split() == ["NAME", "SIZE", "PARAMETERS", "FORMAT", "CONTEXT", "CAN"]
        assert row.split() == ["tiny:latest", "4.1", "MB", "1.02M", "F16", "thinking"]
        assert await called(server, tmp_path, "models", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["name"], told["size"], told["capabilities"]) == (
            "tiny:latest",
            4_086_639,
            ["completion", "thinking"],
        )


async def test_what_an_older_list_leaves_out_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with ScriptedServer() as server:
        bare = {name: value for name, value in MODEL.items() if name != "capabilities"}
        server.script(answer(200, {"models": [bare]}), path="/api/tags")
        shown = {"capabilities": ["completion", "tools"], "model_info": {"llama.context_length": 2048}}
        server.script(answer(200, shown), path="/api/show")
        assert await called(server, tmp_path, "models") == 0
        assert capsys.readouterr().out.splitlines()[1].split()[-2:] == ["2,048", "tools"]


async def test_what_is_in_memory_is_told_with_its_share_on_the_gpu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = {
        **MODEL,
        "size": 4 * GB,
        "size_vram": 3 * GB,
        "expires_at": "2031-05-06T07:08:09Z",
        "context_length": 8192,
    }
    async with ScriptedServer() as server:
        assert await called(server, tmp_path, "ps") == 0
        assert capsys.readouterr() == ("", "No model is in memory.\n")
        server.script(answer(200, {"models": [loaded]}), path="/api/ps")
        assert await called(server, tmp_path, "ps") == 0
        assert capsys.readouterr().out.splitlines()[1].split() == [
            *("tiny:latest", "4.0", "GB", "75%", "8,192", "2031-05-06")
        ]


async def test_a_server_that_is_not_there_is_told_instead_of_an_empty_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with ScriptedServer() as server:
        pass
    assert await called(server, tmp_path, "ps") == 1
    assert "No model is in memory" not in capsys.readouterr().err


async def test_a_model_is_shown_with_its_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {**MODEL, "parameters": "temperature 0.7\nstop \x1b[31m", "license": "MIT", "template": ""}
    async with ScriptedServer() as server:
        server.script(answer(200, told), path="/api/show")
        assert await called(server, tmp_path, "show", "tiny") == 0
        out = capsys.readouterr().out
        assert "settings:\n  temperature 0.7\n  stop ␛[31m\n\nlicence:\n  MIT\n" in out
        assert "template" not in out
        assert await called(server, tmp_path, "show", "tiny", "--json") == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["parameters"] == "1.02M", "as `models --json` has it"
        assert (shown["settings"], shown["licence"]) == ({"temperature": "0.7", "stop": "␛[31m"}, "MIT")


async def test_a_pull_tells_each_step_once_in_a_pipe_and_all_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layer = {"status": "pulling 1a2b", "digest": "sha256:1a2b", "total": 100}
    steps = [
        {"status": "pulling manifest"},
        *({**layer, "completed": done} for done in (0, 50, 100)),
        {"status": "success"},
    ]
    async with ScriptedServer() as server:
        server.script(head(), *map(line, steps), end(), path="/api/pull")
        assert await called(server, tmp_path, "pull", "tiny") == 0
        assert capsys.readouterr().out.splitlines() == [
            "pulling manifest",
            "pulling 1a2b",
            "success",
            "Pulled tiny.",
        ]
        assert await called(server, tmp_path, "pull", "tiny", "--json") == 0
        told = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
        assert [(each["status"], each["done"], each["total"]) for each in told][2] == ("pulling 1a2b", 50, 100)
        assert len(told) == len(steps)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            [
                head(),
                line({"status": "pulling manifest"}),
                line({"error": "pull model manifest: file does not exist"}),
                end(),
            ],
            "Check its name",
        ),
        ([head(), line({"error": "write /m: no space left on device"}), end()], "no space left on device"),
        ([head(), line({"status": "pulling manifest"}), end()], "before it was done"),
    ],
    ids=["unknown", "full disk", "cut"],
)
async def test_a_pull_that_fails_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], steps: list[object], said: str
) -> None:
    async with ScriptedServer() as server:
        server.script(*steps, path="/api/pull")  # type: ignore[arg-type]
        assert await called(server, tmp_path, "pull", "tiny") == 1
        captured = capsys.readouterr()
        assert said in captured.err
        assert "Pulled" not in captured.out
        server.script(*steps, path="/api/pull")  # type: ignore[arg-type]
        assert await called(server, tmp_path, "pull", "tiny", "--json") == 1
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert said in f"{told['error']} {told['hint']}"


async def test_a_model_is_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with ScriptedServer() as server:
        server.script(answer(200), path="/api/delete")
        assert await called(server, tmp_path, "rm", "tiny") == 0
        assert capsys.readouterr().out == "Removed tiny.\n"
        assert server.asked("/api/delete") == [{"model": "tiny"}]


async def test_a_model_is_unloaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with ScriptedServer() as server:
        server.script(answer(200), path="/api/chat")
        assert await called(server, tmp_path, "unload", "tiny", "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"unloaded": "tiny"}
        assert server.asked("/api/chat") == [{"model": "tiny", "messages": [], "keep_alive": 0}]


@pytest.mark.parametrize("name", ["a/b/c/d", "a b", "http://foo/bar/baz"])
@pytest.mark.parametrize("command", ["pull", "show", "unload", "rm"])
async def test_what_is_no_name_is_refused_and_nothing_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    async with ScriptedServer() as server:
        assert await called(server, tmp_path, command, name) == 2
        assert "not a model's name" in capsys.readouterr().err
        assert not server.requests


@pytest.mark.parametrize(
    ("command", "path"), [("show", "/api/show"), ("unload", "/api/chat"), ("rm", "/api/delete")]
)
async def test_of_a_model_that_is_not_there_the_list_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, path: str
) -> None:
    async with ScriptedServer() as server:
        server.script(answer(404, {"error": "model 'nope' not found"}), path=path)
        assert await called(server, tmp_path, command, "nope") == 1
        said = "The server does not have the model nope.\n  `tui-chat models` lists what is there."
        assert capsys.readouterr().err == f"tui-chat: {said}\n"


async def test_a_model_that_leaves_the_machine_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = {**MODEL, "name": "gpt-oss:120b-cloud", "remote_host": "https://ollama.com:443"}
    async with ScriptedServer() as server:
        server.script(answer(200, {"models": [cloud]}), path="/api/tags")
        assert await called(server, tmp_path, "models") == 0
        assert "leaves this machine" in capsys.readouterr().out
