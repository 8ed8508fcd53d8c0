"""`/set` and `/show`, as people know them from `ollama run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.chat.settings import TOPICS, set_parameter, set_system, shown
from tui_chat.parameters import PARAMETERS
from tui_chat.ui.completion import Candidate
from tui_chat.ui.dialogs.text import TextScreen

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


def parameter(screen: ChatScreen, text: str) -> None:
    """Change a parameter of this chat to a value; without a value it is as in the settings."""
    screen.notify(set_parameter(screen.workspace, text), timeout=5, markup=False)
    screen.server.show()


def format(screen: ChatScreen, format: str) -> None:
    """Let the model answer in JSON, or as a JSON schema says."""
    parameter(screen, f"format {format}")


def names(_screen: ChatScreen) -> list[Candidate]:
    """The names of all parameters."""
    return [
        Candidate(f"{it.name} ", f"{it.help.rstrip('.')} ({it.range}).", more=True) for it in PARAMETERS.values()
    ]


def topics(_screen: ChatScreen) -> list[Candidate]:
    """What `/show` can show."""
    return [Candidate(topic, help) for topic, help in TOPICS.items()]


def system(screen: ChatScreen, text: str) -> None:
    """Change the system prompt of this chat; `""` removes it."""
    screen.notify(set_system(screen.workspace, text), timeout=4)


def figures(screen: ChatScreen) -> None:
    """Say where the figures of a reply are."""
    screen.notify("The status bar shows the figures of each reply.", timeout=4)


async def show(screen: ChatScreen, topic: str) -> None:
    """Show what is set and known: all of it, or one topic, which begins its heading."""
    texts = await shown(screen.workspace, topic)
    await screen.ask(TextScreen(screen.keys, screen.workspace.connection.model, texts))
