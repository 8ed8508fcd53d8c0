"""Writes `screenshots/*.svg`:  .venv/bin/python -m tests.screenshots

The pictures show the demo, each scene as the snapshot tests play it; a test says when they are stale.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

from tests.ui.scenes import SCENES, Play

FOLDER: Final = Path(__file__).parent.parent / "screenshots"
PICTURES: Final[dict[str, tuple[str, str, tuple[int, int]]]] = {
    "chat": ("finished", "textual-dark", (100, 34)),
    "streaming": ("streaming", "textual-dark", (80, 20)),
    "scrolled": ("scrolled", "nord", (80, 24)),
    "models": ("picker", "textual-dark", (80, 20)),
    "error": ("error", "textual-light", (80, 16)),
    "light": ("finished", "textual-light", (80, 24)),
}
"""File name: scene, theme and size."""


def picture(name: str) -> str:
    """One picture as SVG, the same text at every run."""
    scene, theme, size = PICTURES[name]
    play = Play(SCENES[scene], theme)
    app = play.app()

    async def take() -> str:
        async with app.run_test(size=size) as pilot:
            await play.run(pilot)
            return app.export_screenshot(title="tui-chat")

    svg = asyncio.run(take())
    identifier = re.search(r"terminal-\d+", svg)
    svg = svg.replace(identifier.group(), "terminal") if identifier else svg
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        (FOLDER / f"{name}.svg").write_text(picture(name))
        print(f"screenshots/{name}.svg")


if __name__ == "__main__":
    main()
