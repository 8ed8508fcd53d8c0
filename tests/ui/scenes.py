"""Scenes of the app, each the same at every run: for the snapshot tests and for the pictures of the README."""

from __future__ import annotations

import asyncio
import base64
import inspect
import time
from collections.abc import Awaitable, Callable
from contextlib import chdir
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

from textual.pilot import Pilot
from tui_chat.config import Config
from tui_chat.messages import Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Kind, Server
from tui_chat.servers.backend import HttpBackend, connect
from tui_chat.servers.dialects.demo import reply_to
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread
from tui_chat.terminal.colours import Depth
from tui_chat.ui.app import ChatApp
from tui_chat.ui.run import build
from tui_chat.ui.screen import ChatScreen
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.choice_list import ChoiceList
from tui_chat.ui.widgets.divider import Divider
from tui_chat.ui.widgets.field import Field
from tui_chat.ui.widgets.header import Header
from tui_chat.ui.widgets.notes import CommandView
from tui_chat.ui.widgets.welcome import Welcome

from tests.server import ScriptedServer, answer, done, end, head, line, stall, thought, token, wait
from tests.ui.kit import nothing_found

MODELS: Final = [
    {
        "name": name,
        "model": name,
        "size": size,
        "details": {
            "family": family,
            "parameter_size": parameters,
            "context_length": context,
            "quantization_level": "Q4_K_M",
        },
        "capabilities": ["completion", *capabilities],
        "modified_at": f"2026-11-{20 - number:02}T10:00:00Z",
    }
    for number, (name, size, family, parameters, context, capabilities) in enumerate(
        [
            ("qwen3:4b", 2_600_000_000, "qwen3", "4.0B", 262_144, ["tools", "thinking"]),
            ("gemma3:12b", 8_100_000_000, "gemma3", "12.2B", 131_072, ["vision"]),
            ("llama3.2:latest", 2_000_000_000, "llama", "3.2B", 131_072, ["tools"]),
        ]
    )
]
USAGE: Final[dict[str, Any]] = {
    "prompt_eval_count": 412,
    "eval_count": 344,
    "eval_duration": 8_390_000_000,
    "prompt_eval_duration": 200_000_000,
}
PROMPT: Final = "Give me a tour of what you can show."


@dataclass
class Stage:
    """The app on its server, with a clock that stands still until a scene moves it."""

    server: ScriptedServer
    pilot: Pilot[None]
    gate: asyncio.Event
    now: list[float]

    @property
    def chat(self) -> ChatScreen:
        screen = self.pilot.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(1500):
            if condition():
                await self.pilot.pause()
                return
            await self.pilot.pause(0.01)
        raise AssertionError("the scene did not come about")

    async def ask(self, prompt: str) -> None:
        self.chat.composer.text = prompt
        await self.pilot.press("enter")

    async def answered(self) -> None:
        """Wait for the end of the reply, 8.4 seconds by the scene's clock."""
        self.now[0] += 8.4
        self.gate.set()
        await self.until(lambda: bool(self.chat.transcript.entries) and not self.chat.replies.busy)


class _App(ChatApp):
    """The app with a server that starts in its loop. What is said there is not kept, as in the demo."""

    CSS_PATH = str(Path(inspect.getfile(ChatApp)).with_name("chat.tcss"))

    def __init__(self, server: ScriptedServer, *parts: Any, depth: Depth) -> None:
        super().__init__(*parts, depth=depth)
        self._server = server

    async def on_load(self) -> None:
        await self._server.__aenter__()
        self._server.script(answer(200, {"models": MODELS}), path="/api/tags")
        until = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
        warm = {**MODELS[0], "context_length": 8192, "size_vram": 1_900_000_000, "expires_at": until}
        self._server.script(answer(200, {"models": [warm]}), path="/api/ps")
        await self.workspace.start_demo(Server(self._server.url, name="box", kind=Kind.OLLAMA))


@dataclass
class Play:
    """A scene to be shown: the app that it needs, and how to bring it about once the app runs."""

    scene: Callable[[Stage], Awaitable[None]]
    theme: str = ""
    depth: Depth = Depth.TRUE
    now: list[float] = field(default_factory=lambda: [1000.0])
    server: ScriptedServer = field(default_factory=ScriptedServer)

    def app(self) -> ChatApp:
        """The app, to be run by the caller; the server starts with it."""

        services = Services(Config(theme=self.theme), connect, nothing_found, clock=lambda: self.now[0])
        return build(services, asyncio.run(Store.open(None)), kind=partial(_App, self.server), depth=self.depth)

    async def run(self, pilot: Pilot[None]) -> None:
        """Bring the scene about."""
        stage = Stage(self.server, pilot, asyncio.Event(), self.now)
        await stage.until(lambda: bool(stage.chat.query_one(Header).model))
        await self.scene(stage)
        stage.chat.query_one(Divider).clear(all=True)
        await pilot.pause()


async def empty(stage: Stage) -> None:
    """Nothing was said yet."""


async def finished(stage: Stage) -> None:
    """A whole reply with every element of Markdown."""
    text = reply_to(PROMPT).text
    stage.server.script(head(), token(text), wait(stage.gate), done("stop", **USAGE), end())
    await stage.ask(PROMPT)
    await stage.until(lambda: len(stage.chat.transcript.entries) == 2)
    await stage.answered()


async def scrolled(stage: Stage) -> None:
    """The reader has scrolled up while the reply goes on."""
    text = reply_to(PROMPT).text
    half = len(text) * 2 // 3
    stage.server.script(
        head(), token(text[:half]), wait(stage.gate), token(text[half:]), done("stop", **USAGE), end()
    )
    await stage.ask(PROMPT)
    await stage.until(lambda: stage.chat.transcript.max_scroll_y > 0)
    await stage.pilot.press("pageup")
    await stage.answered()


async def streaming(stage: Stage) -> None:
    """A reply in the middle of a word, after its thinking."""
    pieces = [
        "A **bounded queue** holds at most *n* items.\n\n",
        "```go\n",
        "q := make(chan int, 16)\n",
        "q <- 1 // wai",
    ]
    stage.server.script(
        head(),
        thought("The user wants an example. A short one in Go will do."),
        wait(stage.gate),
        *map(token, pieces),
        stall(),
    )
    log = stage.chat.transcript
    await stage.ask("What is a bounded queue? Show me one in Go.")
    await stage.until(lambda: len(log.entries) == 2 and log.entries[1].has_thoughts)
    stage.now[0] += 2.4
    stage.gate.set()
    await stage.until(lambda: log.entries[1].answer.source.endswith("wai"))
    await stage.pilot.pause(0.2)
    stage.chat.status.show()


async def thinking(stage: Stage) -> None:
    """A model that thinks."""
    stage.server.script(
        head(), *map(thought, ["First, ", "what is asked? ", "Then the cases."]), wait(stage.gate), end()
    )
    await stage.ask("Prove that there are infinitely many primes.")
    await stage.until(
        lambda: len(stage.chat.transcript.entries) == 2 and stage.chat.transcript.entries[1].has_thoughts
    )
    await stage.pilot.pause(0.2)


async def error(stage: Stage) -> None:
    """The server breaks down in the middle."""
    stage.server.script(
        head(), token("The first half is here"), line({"error": "llama runner process has terminated"})
    )
    await stage.ask("Tell me a story.")
    await stage.until(lambda: len(stage.chat.transcript.entries) == 2 and not stage.chat.replies.busy)


async def picker(stage: Stage) -> None:
    """The list of models."""
    await stage.pilot.press("ctrl+l")
    await stage.until(lambda: len(stage.pilot.app.screen_stack) == 2)
    await stage.pilot.pause(0.3)


async def context(stage: Stage) -> None:
    """What takes the context window, and a larger one that is chosen."""
    show = {"model_info": {"qwen3.context_length": 32768, "qwen3.block_count": 36, "qwen3.embedding_length": 2560,
                           "qwen3.attention.head_count": 32, "qwen3.attention.head_count_kv": 8,
                           "qwen3.attention.key_length": 128, "qwen3.attention.value_length": 128}}  # fmt: skip
    stage.server.script(answer(200, show), path="/api/show")
    await finished(stage)
    await stage.pilot.press("f8")
    await stage.until(lambda: len(stage.pilot.app.screen_stack) == 2)
    await stage.pilot.press("up")
    await stage.pilot.pause(0.3)


async def pulling(stage: Stage) -> None:
    """The list of models while two are pulled: one goes on, the other has failed; and one runs elsewhere."""
    cloud = {"name": "gpt-oss:120b-cloud", "remote_host": "https://ollama.com:443", "capabilities": ["tools"]}
    stage.server._scripts.pop("/api/tags")
    stage.server.script(answer(200, {"models": [*MODELS, cloud]}), path="/api/tags")
    layer = {"status": "pulling 6a1f0c2d9e77", "digest": "sha256:6a1f0c2d9e77", "total": 9_300_000_000}
    steps = [
        line({**layer, "completed": 1_000_000_000}),
        wait(stage.gate),
        line({**layer, "completed": 4_300_000_000}),
    ]
    stage.server.script(
        head(), line({"error": "write /models/blobs: no space left on device"}), end(), path="/api/pull"
    )
    stage.server.script(head(), *steps, stall(), path="/api/pull")
    jobs, backend = stage.chat.workspace.jobs, stage.chat.workspace.connection.backend
    assert isinstance(backend, HttpBackend)
    jobs.pull(backend, "qwen3:32b")
    await stage.until(lambda: not jobs.running)
    jobs.pull(backend, "qwen3:14b")
    await stage.until(lambda: jobs.all[-1].tally.percent == 10)
    stage.now[0] += 8
    stage.gate.set()
    await stage.until(lambda: jobs.all[-1].tally.percent == 46)
    stage.chat.status.show()
    await picker(stage)
    listing = stage.pilot.app.screen.query_one(ChoiceList)
    await stage.until(lambda: "gpt-oss:120b-cloud" in [each.name for each in listing.choices])


async def details(stage: Stage) -> None:
    """All about a model."""
    told = {**MODELS[0], "parameters": "temperature 0.6\ntop_p 0.95", "template": "{{ .Prompt }}"}
    stage.server.script(answer(200, {**told, "license": "Apache License\nVersion 2.0"}), path="/api/show")
    await picker(stage)
    await stage.pilot.press("ctrl+o")
    await stage.until(lambda: len(stage.pilot.app.screen_stack) == 3)


async def no_models(stage: Stage) -> None:
    """A new server without models."""
    stage.server._scripts.pop("/api/tags")
    stage.server.script(answer(200, {"models": []}), path="/api/tags")
    connection = stage.chat.workspace.connection
    with patch("tui_chat.ui.widgets.welcome.memory_of", return_value=16_000_000_000):
        connection.switch(connection.server)
        stage.chat.server.meet()
        await stage.until(lambda: "no models" in stage.chat.query_one(Welcome).lines[0].content.plain)


async def side_by_side(stage: Stage) -> None:
    """The list of chats: of three that are answered one is thinking, and one has ended since it was seen."""
    chat, ended = stage.chat, [done("stop", **USAGE), end()]
    replies = {
        "Translate the README into French": [*[token("Voici.")] * 90, wait(stage.gate), *ended],
        "Why is my Postgres query slow?": [token("First."), wait(stage.gate), *[token("Then.")] * 84, stall()],
        "A bounded queue in Go": [token("Here is one."), *ended],
        "Summarise the meeting notes": [thought("First, who was there?"), stall()],
    }
    for steps in replies.values():
        stage.server.script(head(), *steps)
    for prompt in replies:
        await stage.ask(prompt)
        await stage.until(
            lambda: bool((reply := chat.workspace.current.reply) and reply.message and reply.message.parts)
        )
        await stage.pilot.press("ctrl+n")
    stage.now[0] += 2.0
    stage.gate.set()
    slow = next(open for open in chat.workspace.replying if "slow" in open.conversation.chat.title)
    await stage.until(lambda: len(chat.workspace.replying) == 2 and slow.reply.progress.pieces == 85)  # type: ignore[union-attr]
    while await chat.workspace.store.newest() != slow.conversation.chat.id:  # until its words are on disk
        await stage.pilot.pause(0.05)
    chat.status.show()  # it looks once a second how many run
    await stage.pilot.press("ctrl+o")
    await stage.until(lambda: len(stage.pilot.app.screen_stack) == 2)
    await stage.pilot.pause(0.3)


async def _keep_chats(stage: Stage) -> float:
    """Two chats of earlier days; returns the present time."""
    now, store = time.time(), stage.chat.workspace.store
    for number, (title, days, pinned) in enumerate(
        [("Token buckets in Go", 9, True), ("Why is the sky blue?", 1, False)]
    ):
        then = now - days * 90_000
        said = Message(Role.USER, parts_of(title), id=f"m{number}", created=then)
        chat = Chat(f"c{number}", title=title, model="qwen3:4b", created=then, leaf=said.id, pinned=pinned)
        await store.adopt(Thread(chat, (said,)))
    return now


async def history(stage: Stage) -> None:
    """The prompts of all chats."""
    await _keep_chats(stage)
    await stage.pilot.press("f10")
    await stage.until(lambda: len(stage.pilot.app.screen_stack) == 2)
    await stage.pilot.pause(0.4)


async def chats(stage: Stage) -> None:
    """The list of chats: one that is open, one that is pinned, a draft."""
    now, store = await _keep_chats(stage), stage.chat.workspace.store
    await store.adopt(Thread(Chat("draft", draft="A plan that is not sent yet", created=now - 700), ()))
    await finished(stage)
    await stage.pilot.press("ctrl+o")
    await stage.until(lambda: len(stage.pilot.app.screen_stack) == 2)
    await stage.pilot.pause(0.4)


async def help_screen(stage: Stage) -> None:
    """The keys."""
    await stage.pilot.press("f1")
    await stage.until(lambda: len(stage.pilot.app.screen_stack) == 2)


async def settings(stage: Stage) -> None:
    """The settings of the chat, one of them wrong, and some of the model."""
    told = {**MODELS[0], "parameters": 'top_k 20\nmin_p 0\nstop "<|im_end|>"'}
    stage.server.script(answer(200, told), path="/api/show")
    await stage.pilot.press("f7")
    app = stage.pilot.app
    await stage.until(lambda: any("by the model" in field.placeholder for field in app.screen.query(Field)))
    await stage.pilot.press(*"0.7", "tab", *"5")
    await stage.pilot.pause(0.4)


async def palette(stage: Stage) -> None:
    """The command palette."""
    await stage.pilot.press("ctrl+p")
    await stage.until(lambda: len(stage.pilot.app.screen_stack) == 2)
    await stage.pilot.pause(0.5)


async def completion(stage: Stage) -> None:
    """The names of commands, while one is typed after a reply."""
    await finished(stage)
    await stage.pilot.press(*"/set ")
    await stage.until(lambda: stage.chat.composer.completions.display)


async def command(stage: Stage) -> None:
    """A shell command runs, and the output of one before stands in the composer."""
    stage.chat.composer.text = "!printf '%s\\n' Filesystem /dev/sda1; exit 2"
    await stage.pilot.press("enter")
    await stage.until(lambda: "(exit code 2" in stage.chat.composer.text)
    stage.chat.composer.insert("!for step in 1 2 3; do echo compiling part $step; done; exec sleep 1000")
    await stage.pilot.press("enter")
    view = stage.chat.query_one(CommandView)
    await stage.until(lambda: "part 3" in "".join(row.plain for row in view.rows))
    stage.now[0] += 12
    stage.chat.composer.insert("What is wrong here?")
    await stage.until(lambda: " · 12 s" in view.rows[0].plain)


LANDSCAPE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACQAAAAUAgMAAACYFHemAAAADFBMVEX/3FA8eMg8jEZaWm7FRx2LAAAAbklEQVR42mXLsQ2CUAAE"
    "0Mf5SSgpHAA7E5b4I9i4D0u4hyOwg2tYUNlogo1Y6FUvd7nm7JP40XrddH/+r7M5mLYuw6YOVQ1D931E2bd2o4vx9jiKoJ6IjoNC"
    "DBRNFRMLvQQzRbCiqel4QZ+BBdo3/3cQtBp8BZEAAAAASUVORK5CYII="
)
"""A picture of 36x20 pixels."""


async def files(stage: Stage) -> None:
    """A picture in the log, and a prompt with files that go and one that does not."""
    chat = stage.chat
    with TemporaryDirectory() as folder, chdir(folder):
        for name, data in (("hills.png", LANDSCAPE), ("main.py", b"x = 1\n" * 700), ("data.bin", b"\x7fELF\0")):
            Path(name).write_bytes(data)
        stage.server.script(
            head(), token("A sun above two hills."), wait(stage.gate), done("stop", **USAGE), end()
        )
        await chat.server.use_model("gemma3:12b")  # it sees
        await stage.ask("What is in @hills.png?")
        await stage.until(lambda: len(chat.transcript.entries) == 2)
        await stage.answered()
        chat.pictures.toggle(chat.transcript.entries[0].message)
        await stage.until(lambda: bool(chat.transcript.entries[0].pictures))
        chat.composer.text = "Draw them with @main.py and @data.bin"
        await stage.until(lambda: len(chat.attachments.found) == 2)


SCENES: Final[dict[str, Callable[[Stage], Awaitable[None]]]] = {
    "empty": empty,
    "streaming": streaming,
    "thinking": thinking,
    "finished": finished,
    "scrolled": scrolled,
    "error": error,
    "picker": picker,
    "context": context,
    "pulling": pulling,
    "details": details,
    "no models": no_models,
    "side by side": side_by_side,
    "chats": chats,
    "history": history,
    "command": command,
    "help": help_screen,
    "settings": settings,
    "completion": completion,
    "files": files,
}
