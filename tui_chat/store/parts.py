"""The parts of messages as rows. Each function runs inside a transaction of its caller.

The bytes of files are in `blobs` by digest, once for all messages, and are read only on demand.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from tui_chat.parts import Blob, File, Image, Part, Text, Thinking, ToolCall, ToolResult
from tui_chat.store.fields import whole
from tui_chat.text.sanitize import clean_line

_NOTHING: Final = Blob("", 0)
_NAMES: Final = ("kind", "text", "name", "mime", "call", "blob", "size")
_COLUMNS: Final = ", ".join(_NAMES)
_VALUES: Final = ", ".join(f":{name}" for name in _NAMES)
_SAVE: Final = f"""
    INSERT OR REPLACE INTO parts ({_COLUMNS}, message, position) SELECT {_VALUES}, :message, :position
    WHERE NOT EXISTS (
        SELECT 1 FROM parts WHERE message = :message AND position = :position AND ({_COLUMNS}) IS ({_VALUES})
    )
"""
"""Replacing a row frees its pages before it takes new ones: half the log of an update."""

TEXT: Final = """(
    SELECT coalesce(group_concat(text, char(10, 10)), '') FROM
    (SELECT text FROM parts WHERE message = m.seq AND kind = 'text' AND text <> '' ORDER BY position)
)"""
"""SQL for `Message.text` of a message `m`."""
THINKING: Final = TEXT.replace("'text'", "'thinking'")
"""SQL for `Message.thinking`."""


def save(connection: sqlite3.Connection, message: int, parts: Sequence[Part]) -> None:
    """Save the parts of the message with this number. Unchanged parts are not written."""
    for position, part in enumerate(parts):
        put(connection, message, position, part)
    connection.execute("DELETE FROM parts WHERE message = ? AND position >= ?", (message, len(parts)))


def put(connection: sqlite3.Connection, message: int, position: int, part: Part) -> None:
    """Save one part, and the bytes of its file unless they are stored already."""
    row = dict(zip(_NAMES, row_of(part), strict=True))
    connection.execute(_SAVE, {**row, "message": message, "position": position})
    if isinstance(part, Image | File) and part.blob.data is not None:
        blob = (part.blob.digest, part.blob.data)
        connection.execute("INSERT OR IGNORE INTO blobs (digest, data) VALUES (?, ?)", blob)


def of_chat(connection: sqlite3.Connection, chat_id: str, since: int) -> dict[int, tuple[Part, ...]]:
    """The parts of a chat's messages that changed after revision `since`, by the messages' numbers."""
    rows = connection.execute(
        f"""
        SELECT p.message, p.position, {", ".join(f"p.{name}" for name in _NAMES)}
        FROM messages m INDEXED BY messages_of_chat CROSS JOIN parts p ON p.message = m.seq
        WHERE m.chat = ? AND m.revision > ?
        """,
        (chat_id, since),
    ).fetchall()
    rows.sort(key=lambda row: row[:2])  # SQLite would copy all the texts to sort them
    return {number: tuple(_stored(*row) for _, _, *row in each) for number, each in groupby(rows, itemgetter(0))}


def data_of(connection: sqlite3.Connection, digests: Collection[str]) -> dict[str, bytes]:
    """The stored bytes for these digests."""
    query = "SELECT data FROM blobs WHERE digest = ?"
    return {digest: row[0] for digest in digests if (row := connection.execute(query, (digest,)).fetchone())}


def sweep(connection: sqlite3.Connection) -> None:
    """Remove bytes that no message uses."""
    connection.execute("DELETE FROM blobs WHERE digest NOT IN (SELECT blob FROM parts WHERE blob <> '')")


def _stored(kind: str, text: str, name: str, mime: str, call: str, digest: str, size: int) -> Part:
    if not (name or call or digest):
        return part_of(kind, text)  # most parts
    return part_of(kind, text, clean_line(name), clean_line(mime), clean_line(call), Blob(digest, size))


def row_of(part: Part) -> tuple[str, str, str, str, str, str, int]:
    """A part as kind, text, name, media type, call id, digest and size."""
    match part:
        case Text(text):
            return ("text", whole(text), "", "", "", "", 0)
        case Thinking(text):
            return ("thinking", whole(text), "", "", "", "", 0)
        case Image(name, mime, blob) | File(name, mime, blob):
            kind = "image" if isinstance(part, Image) else "file"
            return (kind, "", whole(name), whole(mime), "", blob.digest, blob.size)
        case ToolCall(id, name, arguments):
            return ("tool_call", whole(arguments), whole(name), "", whole(id), "", 0)
        case ToolResult(id, text):
            return ("tool_result", whole(text), "", "", whole(id), "", 0)


def part_of(kind: str, text: str, name: str = "", mime: str = "", call: str = "", blob: Blob = _NOTHING) -> Part:
    """The part for such a row."""
    match kind:
        case "thinking":
            return Thinking(text)
        case "image":
            return Image(name, mime, blob)
        case "file":
            return File(name, mime, blob)
        case "tool_call":
            return ToolCall(call, name, text)
        case "tool_result":
            return ToolResult(call, text)
        case _:  # an unknown kind must not hide words
            return Text(text)
