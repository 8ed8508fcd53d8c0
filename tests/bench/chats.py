"""Long chats and many chats: stores built beforehand, and how the program opens, scrolls and searches them."""

from __future__ import annotations

import statistics
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image
from tui_chat.messages import Message, Role
from tui_chat.parts import Blob, parts_of
from tui_chat.parts import Image as PartImage
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

from tests.bench.content import tokens
from tests.bench.measures import Figures, percentile, typing
from tests.bench.programs import Program, Run, running
from tests.bench.screen import Screen
from tests.bench.serve import Server
from tests.bench.store_cost import corpus
from tests.store.kit import index

_TOKENS: Final = 400
"""Of each message of a long chat."""
_WHEEL_UP: Final = "\x1b[<64;60;14M"
_CTRL_O: Final = "\x0f"
_ABOVE: Final = "\x1b[1;3A"
_ESC: Final = "\x1b"
_PATIENCE: Final = 30.0
_QUIET_CPU: Final = 0.05
"""Share of a core below which a program is taken to be at rest."""


async def build_chat(folder: Path, messages: int) -> None:
    """A store with one chat of so many messages; none of 0."""
    store = await Store.open(folder / "chats.db")
    text, chain = "".join(tokens("mixed", _TOKENS, "zz")), list[Message]()
    for number in range(messages):
        parent = chain[-1].id if chain else None
        role = Role.ASSISTANT if number % 2 else Role.USER
        chain.append(
            Message(role, parts_of(f"Message {number}. {text}"), id=f"{number:016x}", parent=parent, model="tiny")
        )
    if chain:
        await store.adopt(Thread(Chat("c" * 16, leaf=chain[-1].id), tuple(chain)))
        await index(store)
    await store.aclose()


async def build_pictures(folder: Path, count: int) -> None:
    """A store with one chat whose first prompt has so many pictures."""
    store = await Store.open(folder / "chats.db")
    pictures = [_picture(number) for number in range(count)]
    prompt = Message(Role.USER, (*pictures, *parts_of("What do you see?")), id="a" * 16)
    reply = Message(Role.ASSISTANT, parts_of("Ten squares."), id="b" * 16, parent=prompt.id, model="tiny")
    await store.adopt(Thread(Chat("c" * 16, leaf=reply.id), (prompt, reply)))
    await store.aclose()


def _picture(number: int) -> PartImage:
    """A PNG of 200x200 noisy pixels."""
    pixels = Random(number).randbytes(200 * 200 * 3)
    file = BytesIO()
    Image.frombytes("RGB", (200, 200), pixels).save(file, "PNG")
    return PartImage(f"{number}.png", "image/png", Blob.of(file.getvalue()))


def show_pictures(run: Run) -> None:
    """Show the pictures of the prompt above the last reply."""
    for key in (_ABOVE, _ABOVE, "p", _ESC):
        run.session.key(key)
        run.session.settle()
    assert run.session.sees("▀"), run.session.screen.text()


async def build_chats(folder: Path, chats: int) -> None:
    """A store with many chats of ten messages of about a kilobyte."""
    store = await Store.open(folder / "chats.db")
    for thread in corpus(chats, 10):
        await store.adopt(thread)
    await index(store)
    await store.aclose()


def opening(server: Server, home: Path, folder: Path, *, scrolls: bool) -> Figures:
    """Open the chat spoken in last: until ready, at rest, per frame of typing and of scrolling."""
    with running(Program.OURS, server, home, "--data-dir", str(folder), "--continue") as run:
        _rest(run)
        figures = {"ready": run.ready * 1000, "memory": run.session.memory(), **typing(run, 20)}
        return {**figures, **_wheel(run, 40)} if scrolls else figures


def _rest(run: Run) -> None:
    """Wait until the program has nothing to do any more."""
    session = run.session
    for _ in range(60):
        cpu = session.cpu()
        session.run(0.5)
        if session.cpu() - cpu < _QUIET_CPU * 0.5:
            return


def _wheel(run: Run, steps: int) -> Figures:
    session, delays, cpu = run.session, list[float](), run.session.cpu()
    for _ in range(steps):
        before, pressed = session.changed, session.key(_WHEEL_UP)
        assert session.until(lambda before=before: session.changed > before, 5), session.screen.text()  # type: ignore[misc]
        delays.append(session.changed - pressed)
        session.run(0.05)
    return {
        "scroll p50": statistics.median(delays) * 1000,
        "scroll p95": percentile(delays, 0.95) * 1000,
        "scroll cpu": (session.cpu() - cpu) * 1000 / steps,
    }


class _Results:
    """Notes when results changed, not only the search field: first and last since `begin`."""

    def __init__(self, field: int) -> None:
        self._field = field
        self.first = self.last = 0.0

    def begin(self) -> None:
        self.first = self.last = 0.0

    def __call__(self, moment: float, screen: Screen) -> None:
        waits = any("Searching …" in row for row in screen.text())
        if screen.dirty - {self._field} and not waits:
            self.first = self.first or moment
            self.last = moment


def finding(server: Server, home: Path, folder: Path, words: str) -> Figures:
    """Ctrl+O until the list is there, then words typed: until the first results of a key, and until all."""
    with running(Program.OURS, server, home, "--data-dir", str(folder)) as run:
        _rest(run)
        session, pressed = run.session, run.session.key(_CTRL_O)
        assert session.until(lambda: session.sees(" msg "), _PATIENCE), session.screen.text()
        listed = session.changed - pressed
        session.settle()
        results = _Results(next(y for y, row in enumerate(session.screen.text()) if "Type to filter" in row))
        session.watchers.append(results)
        first, every = list[float](), list[float]()
        for key in words:
            results.begin()
            pressed = session.key(key)
            session.settle(0.5)
            if results.first:
                first.append(results.first - pressed)
                every.append(results.last - pressed)
        assert first, session.screen.text()
        return {
            "list": listed * 1000,
            "first p95": percentile(first, 0.95) * 1000,
            "all p50": statistics.median(every) * 1000,
            "all p95": percentile(every, 0.95) * 1000,
        }
