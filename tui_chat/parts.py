"""The parts of a message, in order. All are immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with their digest and size, which is all that a list of files needs."""

    digest: str
    size: int
    data: bytes | None = field(default=None, compare=False, repr=False)
    """None if they are lost, or only in the store (`Store.with_data` reads them)."""

    @classmethod
    def of(cls, data: bytes) -> Blob:
        """The blob of these bytes."""
        return cls(blake2b(data, digest_size=16).hexdigest(), len(data), data)


@dataclass(frozen=True, slots=True)
class Text:
    """Text of the answer or the prompt."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """Thinking of a model, apart from its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class File:
    """A file, or a picture."""

    name: str
    mime: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class Image(File):
    """A picture, for models that see."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model wants called."""

    id: str
    name: str
    arguments: str
    """JSON text."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a tool call."""

    id: str
    """The ID of the call."""
    text: str


Part = Text | Thinking | File | ToolCall | ToolResult


def parts_of(text: str = "", thinking: str = "", files: Iterable[File] = ()) -> tuple[Part, ...]:
    """The parts of a message: thinking, text, files. Empty ones are left out."""
    words: list[Part] = [Thinking(thinking)] if thinking else []
    return (*words, *([Text(text)] if text else []), *files)


def attached(name: str, mime: str, blob: Blob) -> File:
    """The part for a file, by its media type."""
    return (Image if mime.startswith("image/") else File)(name, mime, blob)


def filled(part: Part, data: Mapping[str, bytes]) -> Part:
    """A part with its bytes from `data`, by digest, if it has none."""
    if not isinstance(part, File) or part.blob.data is not None:
        return part
    return replace(part, blob=replace(part.blob, data=data.get(part.blob.digest)))
