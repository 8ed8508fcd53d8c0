"""Files as parts of a message, or why not. These functions wait for the disk: call them in `DiskThreads`."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import Final

from tui_chat.errors import FileError
from tui_chat.images.opening import media_type, other_format
from tui_chat.images.prepare import prepare
from tui_chat.parts import Blob, File
from tui_chat.text.sanitize import clean

FILE_LIMIT: Final = 1_000_000
"""Largest text file, in bytes: 200,000 tokens and more, where local models have windows of 4,000 to 128,000."""
IMAGE_LIMIT: Final = 50_000_000
"""Largest picture as it is read, in bytes; it is scaled down for sending."""
_START: Final = 8192
"""Bytes that tell text, pictures and other files apart."""
_ENCODINGS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def look_at(path: Path, name: str) -> tuple[int, str]:
    """A file's size in bytes, and its media type by its first bytes.

    Raises:
        FileError: it cannot be read, is too large, or is neither text nor a picture that models take.
    """
    start, size = _read(path, _START, name)
    return size, _checked(start, size, name)[0]


def attach(path: Path, name: str) -> File:
    """A file as a part. Text is sanitised and kept as UTF-8; a picture is scaled down for models.

    Raises:
        FileError: as `look_at`, or a picture is broken.
    """
    if look_at(path, name)[1] != "text/plain":
        return prepare(_read(path, IMAGE_LIMIT, name)[0], name)
    return File(name, "text/plain", Blob.of(read_text(path, name).encode()))


def is_picture(path: Path) -> bool:
    """Whether a file is a picture, also of a kind that models do not take."""
    try:
        start, _ = _read(path, _START, path.name)
    except FileError:
        return False
    return bool(media_type(start) or other_format(start))


def read_text(path: Path, name: str) -> str:
    """The sanitised text of a file.

    Raises:
        FileError: as `look_at`.
    """
    return _checked(*_read(path, FILE_LIMIT + 1, name), name)[1]


def _read(path: Path, most: int, name: str) -> tuple[bytes, int]:
    """The first bytes of a regular file, at most `most`, and its size.

    Raises:
        FileError: it cannot be read, or is not a regular file.
    """
    try:
        # Without NONBLOCK, opening a pipe waits for a writer.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(number, "rb", buffering=0) as file:
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode):
                raise FileError(f"{name} is not a regular file", "Attach a file with text, or a picture.")
            data = bytearray()
            while len(data) < most and (more := file.read(most - len(data))):
                data += more
            return bytes(data), max(status.st_size, len(data))
    except IsADirectoryError:
        raise FileError(f"{name} is a folder", "A slash at its end attaches the text files in it.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have that name"
        raise FileError(f"Cannot read {name}: {reason}", "Check the path.") from None


def _checked(data: bytes, size: int, name: str) -> tuple[str, str]:
    """The media type and the text, if it is text, of a file of `size` bytes that begins with `data`."""
    if kind := other_format(data):
        raise FileError(f"{name}: models do not take {kind} pictures", "Convert it to PNG or JPEG first.")
    if mime := media_type(data):
        check_size(size, IMAGE_LIMIT, name)
        return mime, ""
    check_size(size, FILE_LIMIT, name)
    return "text/plain", decoded(data, name, whole=len(data) >= size)


def decoded(data: bytes, name: str, *, whole: bool = True) -> str:
    """Sanitised text: UTF-8, or UTF-16 with its mark. If not `whole`, it may end within a character.

    Raises:
        FileError: it is not text.
    """
    encoding = next((encoding for mark, encoding in _ENCODINGS if data.startswith(mark)), "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data, whole)
    except UnicodeDecodeError:
        if b"\0" not in data:
            raise FileError(f"{name} is not UTF-8 text", "Convert it first, for example with iconv.") from None
        text = "\0"
    if "\0" in text:
        raise FileError(f"{name} is binary, not text", "Send its contents as text.")
    return clean(text)


def check_size(size: int, limit: int, name: str) -> None:
    """Check that a text or a picture of `size` bytes is not too large.

    Raises:
        FileError: it is.
    """
    if size > limit:
        raise FileError(f"{name} is larger than {limit // 1_000_000} MB", "Send the part that matters.")
