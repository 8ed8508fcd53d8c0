"""What the UI gets from the composition root; tests give it something else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tui_chat.config import Config
from tui_chat.servers.connection import Connect, Discover
from tui_chat.servers.server_file import ServerFile


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the outside world that the UI uses."""

    config: Config
    connect: Connect
    """Makes the backend of a server. Called after the first frame."""
    discover: Discover
    """Looks for servers on this machine."""
    environ: Mapping[str, str] = field(default_factory=dict)
    demo: bool = False
    """Whether to start on the demo."""
    question: str = ""
    """A prompt to send at the start, or empty."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, for the figures of replies."""
    open_link: Callable[[str], object] | None = None
    """Opens an address on the user's desktop; None without a desktop."""
    added: ServerFile = field(default_factory=ServerFile)
    """The servers that were added on screen; in memory by default."""
