"""What a prompt attaches: the files that it mentions as `@path`, read when it is sent.

So attachments live in the draft as words: they are typed, edited, undone and saved as the prompt is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from threading import Event
from typing import Final

from tui_chat.attachments.folders import candidates, list_folder
from tui_chat.attachments.paths import (
    mention,
    mentioned,
    mentions_in,
    missing,
    paths_in,
    paths_mentioned,
    shortened,
)
from tui_chat.attachments.reading import attach, look_at
from tui_chat.errors import FileError
from tui_chat.parts import Blob, File, attached
from tui_chat.text.sanitize import clean_line

TOTAL_LIMIT: Final = 20_000_000
"""Most bytes of all files of a prompt: they are sent again with every turn."""
_MOST: Final = 1_000
"""Most files of a prompt."""
_CANDIDATES: Final = 50


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or folder that a prompt mentions."""

    name: str
    size: int = 0
    """Bytes on the disk, of all files."""
    mime: str = "text/plain"
    files: tuple[str, ...] = ()
    """Of a folder: the names of the files in it."""
    left_out: int = 0
    """Files and folders in a folder that would not go."""
    trouble: FileError | None = None
    """Why it cannot be attached."""

    @property
    def is_image(self) -> bool:
        """Whether it is a picture."""
        return self.mime.startswith("image/")

    def unread(self) -> File:
        """It as a part of a prompt, without its bytes."""
        return attached(self.name, self.mime, Blob("", self.size))


def look_through(text: str, stop: Event) -> tuple[Attachment, ...]:
    """What a prompt would attach, then the paths that do not exist. Looks at the disk, until `stop` is set."""
    folder, found = _folder(), list[Attachment]()
    for path, is_folder in _paths(text, folder):
        if stop.is_set():
            break
        name = _name(path, folder)
        try:
            if is_folder:
                found.append(look_at_folder(path, stop))
            else:
                found.append(Attachment(name, *look_at(path, name)))
        except FileError as error:
            found.append(Attachment(name, trouble=error))
    gone = [each.path for each in missing(text, folder) if each.end < len(text)]  # the last may be half typed
    found.extend(Attachment(name, trouble=missing_file(name, "It goes as text.")) for name in gone)
    return tuple(found)


def not_there(text: str) -> str:
    """That paths in a prompt were sent as text; empty if there are none. Looks at the disk."""
    gone = list(dict.fromkeys(each.path for each in missing(text, _folder())))
    return f"{missing_file(', '.join(gone))}: it was sent as text." if gone else ""


def missing_file(name: str, hint: str = "Check the path.") -> FileError:
    """The error for a path that does not exist."""
    return FileError(f"There is no file {clean_line(name, 200)}", hint)


def look_at_folder(path: Path, stop: Event) -> Attachment:
    """What a folder would attach.

    Raises:
        FileError: there is no text file in it, or too much.
    """
    folder, listing = _folder(), list_folder(path, stop)
    name = f"{_name(path, folder)}/"
    if not listing.files:
        raise FileError(f"{name} has no text files that git does not ignore", "Attach single files.")
    if listing.cut:
        raise FileError(f"{name} has too many files", "Attach a folder within it.")
    return Attachment(
        name, listing.size, files=tuple(_name(file, path) for file in listing.files), left_out=listing.left_out
    )


def attach_mentioned(text: str, stop: Event) -> tuple[File, ...]:
    """The files that a prompt mentions, each once, as parts.

    Raises:
        FileError: one of them cannot be attached, or they are too many or too large.
    """
    folder, parts = _folder(), dict[Path, File]()
    for path, is_folder in _paths(text, folder):
        within = look_at_folder(path, stop).files if is_folder else ("",)
        for file in map(path.joinpath, within):
            if file not in parts:
                parts[file] = attach(file, _name(file, folder))
            if sum(part.blob.size for part in parts.values()) > TOTAL_LIMIT or len(parts) > _MOST:
                most = f"{TOTAL_LIMIT // 1_000_000} MB or {_MOST:,} files"
                raise FileError(f"The files are more than {most}", "Attach fewer of them.")
            if stop.is_set():
                raise FileError("Stopped", "")
    return tuple(parts.values())


def still_attached(files: Iterable[File], before: str, after: str) -> tuple[File, ...]:
    """The files of a prompt without those that it mentioned `before` it was edited, and not `after`."""
    gone = _names_in(before) - _names_in(after)
    return tuple(file for file in files if not gone & {file.name, *map(str, PurePath(file.name).parents)})


def existing(text: str, _stop: Event) -> frozenset[str]:
    """Those of `paths_mentioned` that exist."""
    return frozenset().union(*(paths_mentioned(mention(each.path)) for each, _ in mentioned(text, _folder())))


def completed(typed: str, stop: Event) -> tuple[str, ...]:
    """The paths that a typed one may become (`folders.candidates`)."""
    return candidates(typed, str(_folder()), _CANDIDATES, stop)


def as_mentions(text: str) -> str:
    """The mentions of the paths that a dropped or pasted text consists of; empty if it is anything else."""
    return " ".join(map(mention_of, paths_in(text)))


def mention_of(path: Path) -> str:
    """An existing path as a mention, relative to the working or home folder if it is in one.

    Raises:
        FileError: it does not exist.
    """
    folder = _folder()
    whole = folder / path.expanduser()
    name = shortened(whole, folder)
    if not whole.exists():
        raise missing_file(name)
    return mention(f"{name}/" if whole.is_dir() else name)


def _names_in(text: str) -> frozenset[str]:
    folder = _folder()
    return frozenset(_name(Path(os.path.expanduser(each.path)), folder) for each in mentions_in(text))


def _paths(text: str, folder: Path) -> Iterator[tuple[Path, bool]]:
    """The existing paths that a prompt mentions, and whether each is a folder: these end with a slash."""
    seen = set[Path]()
    for each, path in mentioned(text, folder):
        is_folder = path.is_dir()
        if path not in seen and is_folder == each.path.endswith("/"):
            seen.add(path)
            yield path, is_folder


def _name(path: Path, folder: Path) -> str:
    return clean_line(shortened(path, folder), 200)


def _folder() -> Path:
    """The working folder; the root if it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")
