"""Builds a prompt from the command line: its words, attached files, and standard input."""

from __future__ import annotations

import json
import re
import select
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tui_chat.attachments.reading import FILE_LIMIT, attach, check_size, decoded, is_picture
from tui_chat.errors import ConfigError
from tui_chat.output import is_terminal
from tui_chat.parts import File, Image
from tui_chat.servers.content import fenced
from tui_chat.shell.words import warn
from tui_chat.text.sanitize import clean, clean_line

_MOST: Final = 16_000_000
"""Most bytes of standard input: more than any model reads."""
_PATIENCE: Final = 2.0
"""Seconds to wait for standard input before saying so."""
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9+#_-]{1,20}")

Format = str | Mapping[str, object]
"""The format of the answer: any if empty, `json`, or a JSON schema."""


def question(words: Sequence[str], files: Sequence[Path]) -> str:
    """The prompt: the words, then the files and standard input in fences; standard input alone has none.

    Raises:
        ConfigError: a file or standard input cannot be read.
        FileError: it is not text, or too large.
    """
    asked = clean(" ".join(words)).strip()
    parts = [asked] if asked else []
    parts += [f"{clean_line(str(file))}:\n{fenced(_text_of(file), _language(file))}" for file in files]
    if piped := _piped():
        parts.append(fenced(piped) if parts else piped.strip("\n"))
    return "\n\n".join(parts)


def pictures_in(files: Sequence[Path]) -> tuple[tuple[File | Image, ...], tuple[Path, ...]]:
    """The files that are pictures, as parts, and the others.

    Raises:
        FileError: a picture cannot be sent.
    """
    pictures = tuple(file for file in files if is_picture(file.expanduser()))
    parts = tuple(attach(file.expanduser(), clean_line(str(file))) for file in pictures)
    return parts, tuple(file for file in files if file not in pictures)


def _language(file: Path) -> str:
    """The word after an opening fence: the file's extension, if it can be one."""
    return file.suffix[1:] if _LANGUAGE.fullmatch(file.suffix[1:]) else ""


def answer_format(given: str) -> Format:
    """The value of `--format`: `json`, or the schema in a file.

    Raises:
        ConfigError: the file cannot be read, or is not a JSON schema.
        FileError: it is not text, or too large.
    """
    if given in ("", "json"):
        return given
    try:
        schema = json.loads(_text_of(Path(given)))
    except (ValueError, RecursionError) as error:
        reason = clean_line(str(error), 100)
        raise ConfigError(f"{clean_line(given)} is not JSON: {reason}", "It has to be a JSON schema.") from None
    if not isinstance(schema, dict):
        raise ConfigError(f"{clean_line(given)} is not a JSON schema", 'Begin with {"type": "object", …}.')
    return schema


def _piped() -> str:
    """Standard input from a pipe or a file; empty for a terminal."""
    if sys.stdin is None or is_terminal(sys.stdin):
        return ""
    try:
        if not select.select([sys.stdin], [], [], _PATIENCE)[0]:  # for example, a pipe of ssh that does not end
            warn("Waiting for the end of standard input; if there is nothing to send, run with </dev/null.")
        data = sys.stdin.buffer.read(_MOST + 1)
    except OSError as error:
        raise ConfigError(f"Cannot read standard input: {error.strerror}", "Or run with </dev/null.") from None
    check_size(len(data), _MOST, "Standard input")
    return decoded(data, "Standard input")


def _text_of(file: Path) -> str:
    name = clean_line(str(file))
    try:
        with file.expanduser().open("rb") as opened:
            data = opened.read(FILE_LIMIT + 1)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have that name"
        raise ConfigError(f"Cannot read {name}: {reason}", "Check the path.") from None
    check_size(len(data), FILE_LIMIT, name)
    return decoded(data, name)
