"""What the UI is given by the composition root. Tests give it something else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tui_chat.config import Config
from tui_chat.servers.connection import Connect, Discover
from tui_chat.servers.server_file import ServerFile


@dataclass(frozen=True, slots=True)
class Services:
    """The outside world, as far as the UI touches it."""

    config: Config
    connect: Connect
    """Makes the backend of a server. Called after the first frame."""
    discover: Discover
    """Looks for servers on this machine."""
    environ: Mapping[str, str] = field(default_factory=dict)
    demo: bool = False
    """Whether to start on the demo."""
    question: str = ""
    """What to ask at the start; empty for nothing."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, for the figures of replies."""
    open_link: Callable[[str], None] | None = None
    """Opens an address on the user's desktop; None where there is none."""
    added: ServerFile = field(default_factory=ServerFile)
    """The servers that were added on screen; in memory if nothing else is said."""
