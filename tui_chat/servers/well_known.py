"""Well-known models of several sizes, to begin with."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tui_chat.server import Server
from tui_chat.servers.route import is_loopback

CLOUD: Final = "ollama.com"
_GB: Final = 1_000_000_000
_USABLE: Final = 0.8
"""The share of the memory that a model may take."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model of Ollama's library."""

    name: str
    size: int
    """Bytes to download."""

    @property
    def memory(self) -> float:
        """About as many bytes as it takes in memory, with a chat of usual length."""
        return 1.2 * self.size + _GB


_KNOWN: Final = (
    KnownModel("qwen3:0.6b", 523_000_000),
    KnownModel("qwen3:1.7b", 1_400_000_000),
    KnownModel("qwen3:4b", 2_500_000_000),
    KnownModel("qwen3:8b", 5_200_000_000),
    KnownModel("qwen3:14b", 9_300_000_000),
    KnownModel("gpt-oss:20b", 14_000_000_000),
    KnownModel("qwen3:32b", 20_000_000_000),
    KnownModel("gpt-oss:120b", 65_000_000_000),
)
"""The smallest first."""
_UNSURE: Final = _KNOWN[1:4]
"""For a server whose memory is not known."""


def is_cloud(model: str) -> bool:
    """Whether a name is that of a model of Ollama's cloud: `gpt-oss:120b-cloud`, `glm-5:cloud`."""
    return model.endswith((":cloud", "-cloud"))


def memory_of(server: Server) -> int | None:
    """The memory in bytes of a server that runs on this machine; None for others, and if it is not known."""
    with suppress(ValueError, OSError, AttributeError):  # Windows has no sysconf
        if server.uds or is_loopback(urlsplit(server.url).hostname or ""):
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def fitting(memory: int | None) -> tuple[KnownModel, ...]:
    """Up to three models that fit a memory, small to large; the smallest one in any case."""
    if memory is None:
        return _UNSURE
    fits = [model for model in _KNOWN if model.memory <= _USABLE * memory] or [_KNOWN[0]]
    return tuple(fits[-5::2] if len(fits) >= 5 else fits[-3:])
