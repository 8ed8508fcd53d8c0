"""What the empty log says: that all is ready, or what is wrong with the server and the way out."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.errors import ReplyError, Unreachable
from tui_chat.server import Kind
from tui_chat.servers.connection import Connection
from tui_chat.ui import phrases
from tui_chat.ui.commands.keymap import Keymap


class Welcome(Widget):
    """A card in the empty log."""

    lines: reactive[tuple[str, ...]] = reactive(("Looking for a server …",), layout=True)

    def __init__(self, keys: Keymap) -> None:
        super().__init__()
        self._keys = keys

    def show(self, connection: Connection, *, demo: bool = False) -> None:
        """Say how it stands with the server."""
        if connection.error is not None:
            self.lines = _unusable(connection, connection.error, self._keys)
        elif connection.obstacle is not None:
            self.lines = _empty(connection, self._keys)
        elif not connection.model:
            self.lines = ("Looking for a server …",)
        else:
            self.lines = (
                f"Ask {connection.model} anything.",
                *(["This is a demo without a model; its chats are not kept."] if demo else []),
                "",
                self._keys.hint("{send} sends · {new-line} starts a new line · {stop} stops a reply"),
                self._keys.hint(
                    "{models} models · {chats} chats and search · {command-palette} commands · {help} keys"
                ),
            )

    def render(self) -> Content:
        """The card."""
        first, *rest = self.lines
        return Content("\n").join([Content.styled(first, "bold"), *(Content(line) for line in rest)])


def _unusable(connection: Connection, error: ReplyError, keys: Keymap) -> tuple[str, ...]:
    """What is wrong and the way out of it first: a small terminal shows no more."""
    what: tuple[str, ...] = (str(error), phrases.advice(error, keys))
    if isinstance(error, Unreachable) and not connection.server.named:
        what = (
            "No model server was found on this machine.",
            "Start one, in another terminal:   ollama serve",
            "Or name one:   tui-chat --url http://HOST:11434",
        )
    tried = f" Tried: {', '.join(connection.tried)}." if connection.tried else ""
    return (
        *what,
        "",
        keys.hint("{servers} servers and their keys · {demo} a demo without a server · {help} keys"),
        f"Trying again every few seconds.{tried}",
    )


def _empty(connection: Connection, keys: Keymap) -> tuple[str, ...]:
    is_ollama = connection.backend.server.kind is Kind.OLLAMA
    return (
        f"{connection.server.label} is there, but has no models.",
        "",
        "Get one, in another terminal:   ollama pull qwen3:4b" if is_ollama else "Load or download one there.",
        keys.hint("tui-chat will pick it up by itself. {demo} starts a demo meanwhile."),
    )
