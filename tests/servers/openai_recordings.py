"""What real servers answered, read back from `tests/recordings` as it went over the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "recordings"
STREAMS = sorted(
    path.name
    for pattern in ("v1-*", "llamacpp-*", "lcpp-*")
    for path in FOLDER.glob(pattern)
    if re.search(rb"(?i)^> POST .*completions\n(.*\n)*Content-Type: text/event-stream", path.read_bytes(), re.M)
)
"""The recordings of whole streams."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One answer: its status, its headers by name in lower case, its body without chunked encoding."""

    status: int
    headers: dict[str, str]
    body: bytes


def recorded(name: str) -> Recording:
    """The first answer in a recording."""
    raw = (FOLDER / name).read_bytes()
    raw = raw[raw.index(b"HTTP/1.1 ") :].replace(b"\r\n", b"\n")
    head, _, body = raw.partition(b"\n\n")
    status, *lines = head.decode().splitlines()
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = re.sub(rb"(?m)^[0-9a-f]{1,5}\n(?=data: |{|\n)|^0\n+\Z", b"", body)
    elif "content-length" in headers:
        body = body[: int(headers["content-length"])]
    return Recording(int(status.split()[1]), headers, body)
