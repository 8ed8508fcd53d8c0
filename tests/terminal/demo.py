"""A small application with all that is hard to draw; the tests drive it, and `python demo.py` shows it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Footer, Input, RichLog, Static
from tui_chat.terminal.choose import choose_driver

LINES = (
    "plain text that is long enough to be wrapped on a narrow terminal, and then some more of it",
    "[b]bold[/b] [i]italic[/i] [u]underlined[/u] [s]struck[/s] [reverse]reversed[/] [dim]dim[/] [red on blue]colours[/]",
    "漢字かな交じり文 한국어 텍스트",
    "emoji 😀 🚀 ❤️ 👩‍👩‍👧 🇩🇪 then text",
    "combining e\u0301 n\u0303 and क्षि then text",
    "",
    "a table │ of │ boxes ─────────────┐",
)


class Demo(App[None]):
    """A log that scrolls, a line that grows, an input, an overlay."""

    CSS = """
    RichLog { height: 1fr; }
    #tail { height: auto; background: $surface; }
    #overlay { layer: top; dock: right; width: 21; height: 5; border: round red; display: none; }
    #overlay.shown { display: block; }
    Screen { layers: base top; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("f2", "overlay", "Overlay"),
        ("f3", "fill", "Fill"),
        ("f4", "redraw", "Redraw"),
        ("f10", "quit", "Quit"),
    ]
    ENABLE_COMMAND_PALETTE = False

    tell: int | None = None
    """Where to write a byte after every repaint that F3 caused."""

    def compose(self) -> ComposeResult:
        yield RichLog(wrap=True)
        yield Static("", id="tail")
        yield Static("漢字 on top", id="overlay")
        yield Input(select_on_focus=False)
        yield Footer()

    def on_mount(self) -> None:
        self.animation_level = "none"
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()
        self.tokens: list[str] = []
        self.count = 0

    def say(self, lines: Iterable[str]) -> None:
        log = self.query_one(RichLog)
        for line in lines:
            log.write(Text.from_markup(line))
        log.write(Text("a link", Style(link="https://a.example/x;y", underline=True)))

    def stream(self, token: str) -> None:
        self.tokens.append(token)
        self.query_one("#tail", Static).update("".join(self.tokens))

    def action_overlay(self) -> None:
        self.query_one("#overlay").toggle_class("shown")

    def action_fill(self) -> None:
        self.say(LINES)
        self.count += 1
        self.stream(f"token{self.count} 漢字 ")
        if self.tell is not None:
            self.call_after_refresh(os.write, self.tell, b".")

    def action_redraw(self) -> None:
        redraw = getattr(self._driver, "redraw", None)
        if redraw is not None:
            redraw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.say([event.value])
        event.input.value = ""


if __name__ == "__main__":
    app = Demo(driver_class=choose_driver(os.environ))
    app.tell = int(sys.argv[1]) if len(sys.argv) > 1 else None
    app.run()
