"""What the empty log says: that all is ready, or what was tried and how to start a server."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.config import Config
from tui_chat.conversation.connection import Connection


class Welcome(Widget):
    """A card in the empty log."""

    lines: reactive[tuple[str, ...]] = reactive(("Looking for a server …",), layout=True)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config

    def show(self, connection: Connection, *, demo: bool = False) -> None:
        """Say how it stands with the server."""
        if connection.error is not None:
            self.lines = self._missing(connection)
        elif not connection.model:
            self.lines = (
                f"{connection.server.label} is there, but has no models.",
                "",
                "Get one, in another terminal:   ollama pull qwen3:4b",
                "It is noticed as soon as it is there.   F2 starts a demo meanwhile.",
            )
        else:
            self.lines = (
                f"Ask {connection.model} anything.",
                *(["This is a demo without a model; its chats are not kept."] if demo else []),
                "",
                "Enter sends · Ctrl+J starts a new line · Esc stops a reply",
                "Ctrl+L models · Ctrl+O chats and search · Ctrl+P commands · F1 keys",
            )

    def _missing(self, connection: Connection) -> tuple[str, ...]:
        named = self._config.named
        return (  # what matters most first: a small terminal shows no more
            str(connection.error),
            "It is looked for again every few seconds. F2 starts a demo that needs no server.",
            "",
            "Start one, in another terminal:   ollama serve",
            "Or name one:   tui-chat --url http://HOST:11434",
            *(() if named else ("", f"Tried: {', '.join(connection.tried or (connection.server.label,))}")),
        )

    def render(self) -> Content:
        """The card."""
        first, *rest = self.lines
        return Content("\n").join([Content.styled(first, "bold"), *(Content(line) for line in rest)])
