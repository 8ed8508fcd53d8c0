"""What a real Ollama 0.9.3 answered, read back from `tests/recordings` as it went over the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.servers.openai_recordings import FOLDER

STREAMS = sorted(
    path.name
    for path in FOLDER.glob("*.txt")
    if b"Content-Type: application/x-ndjson\r\n" in path.read_bytes() and not path.name.startswith("after-")
)
"""The recorded streams."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its bytes on the wire, its status, and its body without chunked encoding."""

    wire: bytes
    status: int
    body: bytes


def recorded(name: str) -> Answer:
    """The answer in a recording."""
    raw = (FOLDER / name).read_bytes()
    wire = raw[raw.index(b"HTTP/1.1 ") :]
    head, _, body = wire.partition(b"\r\n\r\n")
    headers = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
    chunked = headers.get(b"transfer-encoding") == b"chunked"
    length = len(body.rstrip(b"\n")) if chunked else int(headers[b"content-length"])
    wire = head + b"\r\n\r\n" + body[:length] + (b"\n" if chunked else b"")
    return Answer(wire, int(head.split()[1]), _dechunked(body) if chunked else body[:length])


def _dechunked(body: bytes) -> bytes:
    """By the only CRLFs there are: the sizes are not true of bodies in which a path was shortened."""
    return re.sub(rb"(\A|\r\n)[0-9a-f]+\r\n", b"", body).rstrip(b"\r\n") + b"\n"
