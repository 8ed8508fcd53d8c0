"""Questions that a person at the terminal answers with yes or no."""

from __future__ import annotations

import asyncio
import sys

from tui_chat.output import is_terminal


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
