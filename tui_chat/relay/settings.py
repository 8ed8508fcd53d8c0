"""The limits of a relay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and timeouts. Times are in seconds, sizes in bytes."""

    model: str = ""
    """The model for requests that name none; if empty, one that is in memory, else the newest."""
    hosts: frozenset[str] = frozenset()
    """Host names to answer to, in lower case, besides IP addresses and localhost."""
    origins: frozenset[str] = frozenset()
    """Origins of web pages that may use the relay, like `https://chat.example.org`."""
    streams: int = 32
    """How many replies may be generated at once."""
    streams_per_token: int = 4
    body_bytes: int = 16 * 1024 * 1024
    """How large a request may be; images are the large part."""
    body_seconds: float = 30.0
    """How long a request may take to arrive."""
    context: int = 32768
    """The largest `num_ctx` that a request may ask for."""
    duration: float = 30 * 60.0
    """How long a reply may take."""
    revocation: float = 1.0
    """How long a reply may go on after its token was removed."""
    silence: float = 15.0
    """After how long without data a heartbeat is sent: proxies give up after 30 to 60 s."""
    verdict: float = 1.0
    """How long the headers wait for the server's first event, so that a refusal becomes an HTTP status."""
    head: float = 10.0
    """How long a connection may take to send the complete head of a request."""
    stuck: float = 60.0
    """How long a client may read nothing before it is disconnected."""
    grace: float = 60.0
    """How long a resumable reply goes on after its connection was lost."""
    ahead_bytes: int = 64 * 1024
    """How much of a reply may be unread by a slow client."""
    resume_bytes: int = 512 * 1024
    """How much of a resumable reply is held: this much unread, and this much that was read."""
