"""What a relay allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and manners. Times are seconds, sizes bytes."""

    model: str = ""
    """The model for requests that name none; empty takes one that is in memory, else the newest."""
    hosts: frozenset[str] = frozenset()
    """Names that `Host` may give, in lower case, beside IP addresses and localhost."""
    origins: frozenset[str] = frozenset()
    """Origins of web pages that may use the relay, like `https://chat.example.org`."""
    streams: int = 32
    """How many replies may be generated at once, in all."""
    streams_per_token: int = 4
    body_bytes: int = 16 * 1024 * 1024
    """How large a request may be; images are the large part."""
    body_seconds: float = 30.0
    """How long a request may take to come in."""
    context: int = 32768
    """The largest `num_ctx` that a request may ask for."""
    duration: float = 30 * 60.0
    """How long a reply may take."""
    revocation: float = 1.0
    """How long a reply may outlive its token."""
    silence: float = 15.0
    """After how long without a word the line is kept alive: proxies give up after 30 to 60 s."""
    verdict: float = 1.0
    """How long the headers wait for the server's first word, so that its "no" becomes a status."""
    head: float = 10.0
    """How long a connection may be without a whole head of a request before it is closed."""
    stuck: float = 60.0
    """How long a client may refuse to read before its connection is broken off."""
    grace: float = 60.0
    """How long a reply that can be resumed outlives its connection."""
    ahead_bytes: int = 64 * 1024
    """How far a reply may run ahead of a slow client."""
    resume_bytes: int = 512 * 1024
    """How much of a reply that can be resumed is held: so much unread, and as much again of what was read."""
