"""Writes `screenshots/*.svg`:  .venv/bin/python -m tests.screenshots

The pictures show the demo, each scene as the snapshot tests play it; a test says when they are stale.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

from textual.app import App
from textual.pilot import Pilot

from tests.moving_picture import Frame, moving
from tests.server import done, end, head, token, wait
from tests.ui.scenes import SCENES, USAGE, Play, Stage

FOLDER: Final = Path(__file__).parent.parent / "screenshots"
PICTURES: Final[dict[str, tuple[str, str, tuple[int, int]]]] = {
    "chat": ("finished", "tui-chat-dark", (100, 34)),
    "streaming": ("streaming", "tui-chat-dark", (80, 20)),
    "chats": ("side by side", "tui-chat-dark", (80, 20)),
    "command": ("command", "tui-chat-dark", (80, 20)),
    "models": ("pulling", "tui-chat-dark", (80, 20)),
    "error": ("error", "tui-chat-light", (80, 16)),
    "light": ("finished", "tui-chat-light", (80, 24)),
}
"""File name: scene, theme and size."""


_MOVING_THEME: Final = "tui-chat-dark"
_MOVING_SIZE: Final = (84, 26)
_QUESTION: Final = "How do I limit the number of requests in flight, in Python?"
_ANSWER: Final = """\
With a **semaphore**: it lets so many in, and the others wait.

```python
gate = asyncio.Semaphore(8)

async def fetch(url: str) -> bytes:
    async with gate:  # at most eight at once
        response = await client.get(url)
        return response.content
```

- `Semaphore(8)` counts down from 8; at 0, `async with` waits.
- An exception gives its place back, too.

| requests | at once | time |
|---------:|--------:|-----:|
| 1,000 | 1 | 210 s |
| 1,000 | 8 | 27 s |
"""
_PIECES: Final = [re.findall(r".{1,5}", words, re.DOTALL) for words in re.findall(r"\s*\S+\s*\S+\s*?", _ANSWER)]
"""What comes from one frame to the next, in tokens."""
_TOKEN_SECONDS: Final = 1 / 48


def picture(name: str) -> str:
    """One picture as SVG, the same text at every run."""
    scene, theme, size = PICTURES[name]
    play = Play(SCENES[scene], theme)
    app = play.app()

    async def take() -> str:
        async with app.run_test(size=size) as pilot:
            await play.run(pilot)
            return _exported(app, "tui-chat")

    svg = asyncio.run(take())
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def _exported(app: App[None], title: str) -> str:
    """The screen as SVG, without Rich's random number in its names."""
    return re.sub(r"terminal-\d+(?=-)", "terminal", app.export_screenshot(title=title))


def animation() -> str:
    """A prompt that is typed and answered, as one picture that moves; the same text at every run."""
    frames, gates = list[Frame](), [asyncio.Event() for _ in range(len(_PIECES) + 1)]
    play = Play(SCENES["empty"], _MOVING_THEME)
    app = play.app()

    async def film(pilot: Pilot[None]) -> None:
        stage = Stage(play.server, pilot, gates[-1], play.now)

        async def shoot(seconds: float) -> None:
            await pilot.pause()
            frames.append(Frame(_exported(app, ""), seconds))

        count = sum(map(len, _PIECES))
        usage = {**USAGE, "eval_count": count, "eval_duration": round(count * _TOKEN_SECONDS * 1e9)}
        script = [
            step for gate, piece in zip(gates, _PIECES, strict=False) for step in (wait(gate), *map(token, piece))
        ]
        stage.server.script(head(), *script, wait(gates[-1]), done("stop", **usage), end())
        await shoot(0.6)
        for at in range(0, len(_QUESTION), 2):
            stage.chat.composer.insert(_QUESTION[at : at + 2])
            await shoot(0.09)
        await shoot(0.4)
        await pilot.press("enter")
        await stage.until(lambda: len(stage.chat.transcript.entries) == 2)
        await shoot(0.5)
        said = ""
        for gate, piece in zip(gates, _PIECES, strict=False):
            said += "".join(piece)
            play.now[0] += len(piece) * _TOKEN_SECONDS
            gate.set()
            await stage.until(lambda said=said: stage.chat.transcript.entries[-1].answer.source == said)  # type: ignore[misc]
            await pilot.pause(0.05)
            stage.chat.status.show()
            await shoot(len(piece) * _TOKEN_SECONDS)
        gates[-1].set()
        await stage.until(lambda: not stage.chat.replies.busy)
        await shoot(5.0)

    async def run() -> None:
        async with app.run_test(size=_MOVING_SIZE) as pilot:
            await play.run(pilot)
            await film(pilot)

    asyncio.run(run())
    return moving(frames)


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "moving.svg").write_text(animation())
    print("screenshots/moving.svg")
    for name in PICTURES:
        (FOLDER / f"{name}.svg").write_text(picture(name))
        print(f"screenshots/{name}.svg")


if __name__ == "__main__":
    main()
