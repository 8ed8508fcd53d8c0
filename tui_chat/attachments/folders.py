"""What is in folders: paths to complete to, and the text files that would be attached.

pathspec reads `.gitignore` as git does. Git itself is not asked: in a folder from elsewhere it would run what that
folder's configuration says (`core.fsmonitor`), it may be missing, and a process for every key is slow.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from tui_chat.attachments.reading import look_at, read_text
from tui_chat.errors import FileError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_COSTLY: Final = re.compile(r"(?:\*+[^*]+){5}")
"""Patterns whose matching takes time that grows with a high power of a path's length."""
_ENTRIES: Final = 20_000
"""Entries of folders that are looked at."""
_FILES: Final = 1_000
"""Files of a folder that are attached, or put in order as candidates."""
_SECONDS: Final = 1.0
"""Time for a folder, of which files wait to be read too."""


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """What git ignores in a folder: the rules of it and of the folders above it, up to the repository's."""

    specs: tuple[tuple[str, GitIgnoreSpec], ...] = ()
    """From the top down: a folder, ending with a slash, and its `.gitignore`."""

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Whether an absolute path is ignored. The nearest rules that match it decide."""
        for folder, spec in reversed(self.specs):
            verdict = spec.check_file(path[len(folder) :] + ("/" if is_folder else "")).include
            if verdict is not None:
                return verdict
        return False

    def within(self, folder: str) -> IgnoreRules:
        """The rules in a folder below."""
        from pathspec import GitIgnoreSpec  # late: the start need not wait for it

        try:
            lines = read_text(Path(folder, ".gitignore"), ".gitignore").splitlines()
        except FileError:
            return self
        spec = GitIgnoreSpec.from_lines(filter(_usable, lines))
        return IgnoreRules((*self.specs, (folder.rstrip("/") + "/", spec)))


def _usable(line: str) -> bool:
    """Whether a line of a `.gitignore` is cheap and valid; git leaves out invalid ones too."""
    from pathspec import GitIgnoreSpec

    try:
        return not _COSTLY.search(line) and bool(GitIgnoreSpec.from_lines([line]))
    except (ValueError, re.error):
        return False


def rules_for(folder: str) -> IgnoreRules:
    """The rules in an absolute folder; none outside of git repositories."""
    above = [folder, *map(str, Path(folder).parents)]
    top = next((place for place, each in enumerate(above) if os.path.lexists(os.path.join(each, ".git"))), None)
    rules = IgnoreRules()
    for each in reversed(above[: top + 1] if top is not None else []):
        rules = rules.within(each)
    return rules


def candidates(
    typed: str, folder: str, limit: int, stop: Event, clock: Callable[[], float] = time.monotonic
) -> tuple[str, ...]:
    """The first `limit` paths that begin with `typed`, relative to `folder`, in any case.

    Folders come first and end with a slash; hidden and ignored paths come last. A folder that is not there, or may
    not be read, has none. Takes about a second at most, and ends when `stop` is set.
    """
    before, slash, prefix = typed.rpartition("/")
    parent = os.path.join(folder, os.path.expanduser(before + slash))
    parent = os.path.normpath(parent) if parent.strip("/") else "/"
    ended, prefix = _ending(stop, clock), prefix.casefold()
    rules, found = rules_for(parent), list[tuple[bool, bool, str, str]]()
    for entry in _entries(parent, ended)[:_ENTRIES]:
        if len(found) >= _FILES or stop.is_set():
            break
        if entry.name.casefold().startswith(prefix):
            with suppress(OSError):  # a link to itself
                is_folder = entry.is_dir()
                aside = entry.name.startswith(".") or rules.ignores(entry.path, is_folder)
                found.append((aside, not is_folder, entry.name.casefold(), entry.name))
    return tuple(f"{before}{slash}{name}{'' if is_file else '/'}" for _, is_file, _, name in sorted(found)[:limit])


@dataclass(frozen=True, slots=True)
class FolderListing:
    """The text files of a folder and those below, by path."""

    files: tuple[Path, ...] = ()
    size: int = 0
    """Bytes of all of them."""
    left_out: int = 0
    """Files and folders that are hidden, ignored by git, links, too large, or not text."""
    cut: bool = False
    """Whether there may be more: the folder is too large or too slow."""


def list_folder(folder: Path, stop: Event, clock: Callable[[], float] = time.monotonic) -> FolderListing:
    """What of a folder would be attached. Takes about a second at most, and ends when `stop` is set."""
    files, left_out, size, entries = list[Path](), 0, 0, 0
    ended, top = _ending(stop, clock), os.path.abspath(folder)
    waiting = [(top, rules_for(top))]
    while waiting:
        place, rules = waiting.pop(0)
        for entry in sorted(_entries(place, ended), key=lambda entry: entry.name):
            entries += 1
            if entries > _ENTRIES or len(files) >= _FILES or ended():
                return FolderListing(tuple(sorted(files)), size, left_out, cut=True)
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name.startswith(".") or entry.is_symlink() or rules.ignores(entry.path, is_folder):
                left_out += 1
            elif is_folder:
                waiting.append((entry.path, rules.within(entry.path)))
            elif (bytes_in := _size_of_text(entry)) is None:
                left_out += 1
            else:
                files.append(Path(entry.path))
                size += bytes_in
    return FolderListing(tuple(sorted(files)), size, left_out, cut=ended())


def _ending(stop: Event, clock: Callable[[], float]) -> Callable[[], bool]:
    """Tells whether `stop` is set or the time is over."""
    deadline = clock() + _SECONDS
    return lambda: stop.is_set() or clock() > deadline


def _entries(folder: str, ended: Callable[[], bool]) -> list[os.DirEntry[str]]:
    """What is in a folder, up to one more than the limit, as far as it can be read until it `ended`."""
    found = list[os.DirEntry[str]]()
    with suppress(OSError, ValueError), os.scandir(folder) as entries:
        for entry in islice(entries, _ENTRIES + 1):
            if ended():
                break
            found.append(entry)
    return found


def _size_of_text(entry: os.DirEntry[str]) -> int | None:
    """The size of a text file in bytes; None for any other."""
    try:
        size, mime = look_at(Path(entry.path), entry.name)
    except FileError:
        return None
    return size if mime == "text/plain" else None
