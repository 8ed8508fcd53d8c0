"""Questions that a person at the terminal answers with yes or no."""

from __future__ import annotations

import asyncio
import sys

from tui_chat.chat.workspace import Workspace
from tui_chat.errors import ConfigError
from tui_chat.output import is_terminal
from tui_chat.servers.connection import leaving, runs_at


async def check_consent(workspace: Workspace) -> None:
    """Ask whether prompts may leave this machine, unless the model runs here or the person has agreed before.

    Raises:
        ConfigError: the person does not agree, or cannot be asked.
    """
    connection, choices = workspace.connection, workspace.choices
    host = runs_at(connection.model, connection.models)
    if not host or await choices.agreed(host):
        return
    told = leaving(connection.model, host)
    if not await confirmed(f"{told} Go on, and do not ask again?"):
        raise ConfigError(told, "Nothing was sent. --cloud agrees to it, -m chooses another model.")
    await choices.agree(host)


async def confirmed(question: str, *, unasked: bool = False) -> bool:
    """Whether the person says yes. `unasked`: what counts where nobody can be asked.

    The answer is awaited without blocking, so that Ctrl+C cancels it.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return unasked
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline().strip().lower() in ("y", "yes")
