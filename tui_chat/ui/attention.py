"""The terminal's title shows the phase of a reply, and a notice tells the end of a long one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tui_chat.chat.generation import Generation
from tui_chat.chat.open_chat import OpenChat
from tui_chat.chat.workspace import Workspace
from tui_chat.messages import State
from tui_chat.terminal.notices import NoticeKind, notice, set_title
from tui_chat.ui import phrases

LONG_SECONDS: Final = 10.0
"""The end of a reply that took less is not told."""
_TITLE: Final = "tui-chat"


class Attention:
    """Looks at the replies once a second, and tells the terminal what has changed."""

    def __init__(
        self, workspace: Workspace, write: Callable[[str], None], environ: Mapping[str, str], kind: NoticeKind
    ) -> None:
        """`write` takes control sequences for the terminal that `environ` tells of."""
        self.focused = False
        """Whether the terminal has said that it has the focus. Some never do."""
        self._workspace = workspace
        self._write = write
        self._environ = environ
        self._kind = kind
        self._running: tuple[tuple[OpenChat, Generation], ...] = ()
        self._title = ""

    def look(self) -> None:
        """Send a notice for each reply that took long and has ended unseen, and title the terminal."""
        before = self._running
        self._running = tuple((chat, chat.generation) for chat in self._workspace.replying if chat.generation)
        for chat, reply in before:
            message = reply.message
            if not reply.ended or message is None or (message.seconds or 0) < LONG_SECONDS:
                continue
            if not self.focused or chat is not self._workspace.current:
                whole = message.state is State.COMPLETE
                words = "A reply is complete" if whole else f"A reply has ended: {phrases.ending(message)}"
                self._write(notice(self._kind, words, self._environ).decode())
        title = _TITLE
        if self._running:
            title = f"● {phrases.doing(self._running[0][0])} · {_TITLE}"  # the open chat comes first
        if title != self._title:
            self._title = title
            self._write(set_title(title, self._environ).decode())
