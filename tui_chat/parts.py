"""What a message is made of: parts, in the order in which they were said. All are immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes, known by their digest: who shows or counts them needs no more than that and their number."""

    digest: str
    size: int
    data: bytes | None = field(default=None, compare=False, repr=False)
    """None where they are in the store only (`Store.with_data` reads them), or lost."""

    @classmethod
    def of(cls, data: bytes) -> Blob:
        """The blob that these bytes are."""
        return cls(blake2b(data, digest_size=16).hexdigest(), len(data), data)


@dataclass(frozen=True, slots=True)
class Text:
    """What is said."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """What a model thought before it said something."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that models can look at."""

    name: str
    mime: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class File:
    """A file that is no picture."""

    name: str
    mime: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model wants called."""

    id: str
    name: str
    arguments: str
    """JSON text."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave."""

    id: str
    """That of the call."""
    text: str


Part = Text | Thinking | Image | File | ToolCall | ToolResult


def parts_of(text: str = "", thinking: str = "", files: Iterable[Image | File] = ()) -> tuple[Part, ...]:
    """The parts of a message that is thought, then said, with files behind it. What is empty is no part."""
    words: list[Part] = [Thinking(thinking)] if thinking else []
    return (*words, *([Text(text)] if text else []), *files)


def attached(name: str, mime: str, blob: Blob) -> Image | File:
    """The part that a file becomes, by its media type."""
    return (Image if mime.startswith("image/") else File)(name, mime, blob)


def filled(part: Part, data: Mapping[str, bytes]) -> Part:
    """A part with its bytes, where `data` has them by digest and it has none."""
    if not isinstance(part, Image | File) or part.blob.data is not None:
        return part
    return replace(part, blob=replace(part.blob, data=data.get(part.blob.digest)))
