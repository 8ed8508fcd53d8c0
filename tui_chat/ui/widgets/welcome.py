"""The card in the empty log: how to begin, or what is wrong with the server and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.errors import ReplyError, Unauthorized, Unreachable
from tui_chat.servers.connection import Connection
from tui_chat.servers.well_known import fitting, memory_of
from tui_chat.text.figures import size
from tui_chat.ui import phrases
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.widgets.clickable import clickable

_KEY: Final = 5
"""Cells of the column of keys, or more if a key needs them."""
_HOW_TO_ASK: Final = {
    "send": "send",
    "new-line": "start a new line",
    "models": "choose a model",
    "chats": "open or search chats",
    "command-palette": "all commands",
    "help": "help",
}
_SIGNS: Final = "/ commands · @ files · ! shell"
_LOOKING: Final = "Looking for a server …"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the card."""

    rank: int
    """Where there is no room, the lines of the highest rank go first, the last of them before the others."""
    content: Content
    key: Content = Content("")  # noqa: RUF009  it does not change
    """Stands before the first row; the others are indented as far."""

    def rows(self, width: int) -> list[Content]:
        """The line in so many cells."""
        indent = self.key.cell_length
        wrapped = self.content.wrap(max(1, width - indent))
        return [(self.key if number == 0 else Content(" " * indent)) + row for number, row in enumerate(wrapped)]


class Welcome(Widget):
    """A card: the state in one line, what to do, and the keys for it."""

    auto_links = False
    lines: reactive[tuple[_Line, ...]] = reactive((_Line(0, Content.styled(_LOOKING, "bold")),), layout=True)

    def __init__(self, keys: Keymap) -> None:
        super().__init__()
        self._keys = keys

    def show(self, connection: Connection, *, demo: bool = False, every: float = 0.0) -> None:
        """Show the state of the server; `every`: seconds between two tries to reach it."""
        if (error := connection.error) is not None:
            key = "set the key: {servers-edit} on this server"
            servers = key if isinstance(error, Unauthorized) else "choose, add or edit a server"
            ways = {"servers": servers, "demo": "a demo without a server", "command-palette": "all commands"}
            tried = f" Tried: {', '.join(connection.tried)}." if connection.tried else ""
            self._say(_what(connection, error, self._keys), ways, f"◌ Trying again every {every:.0f} s.{tried}")
        elif connection.obstacle is not None:
            ways = {"demo": "a demo meanwhile", "servers": "another server", "command-palette": "all commands"}
            what = "Load or download one there."
            if connection.pulls:
                memory = memory_of(connection.server)
                *names, last = (f"{model.name} ({size(model.size)})" for model in fitting(memory))
                ways = {"models": f"pull {', '.join(names)} or {last}" if names else f"pull {last}", **ways}
                what = "How much memory it has is not known here: begin with a small one."
                if memory is not None:
                    what = f"This machine has {size(memory)} of memory, and room for these:"
            self._say((f"{connection.obstacle}.", what), ways, "◌ tui-chat will pick it up by itself.")
        elif not connection.model:
            self._say((_LOOKING,), {})
        else:
            about = ("This is a demo without a model; its chats are not kept.",) if demo else ()
            self._say((f"Ask {connection.model} anything.", *about), _HOW_TO_ASK, _SIGNS)

    def _say(self, lines: tuple[str, ...], ways: Mapping[str, str], below: str = "") -> None:
        """Show lines, the first one bold; keys with `ways`, their words by command id; a dim line."""
        first, *rest = lines
        blank = _Line(4, Content(""))
        about = (_Line(2, Content(line)) for line in rest if line)
        said = [_Line(0, Content.styled(first, "bold")), *about, blank]
        width = max([_KEY, *(len(self._keys[id]) for id in ways)])
        for place, (id, words) in enumerate(ways.items()):
            ((label, _, action),) = self._keys.footer(id)
            parts = Content(self._keys.hint(words)), Content.styled(f"{label:<{width}}  ", "bold $you")
            if id not in ("send", "new-line"):
                parts = clickable(parts[0], action), clickable(parts[1], action)
            said.append(_Line(min(1, place), *parts))
        self.lines = (*said, blank, _Line(3, Content.styled(below, "$text-muted")))

    def render(self) -> Content:
        """The lines for which there is room."""
        lines, size = list(self.lines), self.content_size
        while len(rows := [row for line in lines for row in line.rows(size.width)]) > size.height and lines:
            *_, last = sorted(range(len(lines)), key=lambda at: lines[at].rank)
            del lines[last]
        return Content("\n").join(rows)


def _what(connection: Connection, error: ReplyError, keys: Keymap) -> tuple[str, ...]:
    """What is wrong and what helps, in as few lines as a small terminal has."""
    if isinstance(error, Unreachable) and not connection.server.named:
        return (
            "No model server was found on this machine.",
            "Start one, in another terminal:   ollama serve",
            "Or name one:   tui-chat --url http://HOST:11434",
        )
    return str(error), phrases.advice(error, keys)
