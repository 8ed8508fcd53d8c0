"""Paths as people write them: dropped on the terminal, pasted, or as `@path` in a prompt."""

from __future__ import annotations

import os
import re
import shlex
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_LONGEST: Final = 65_536
"""Characters of a dropped text."""
_MOST: Final = 256
"""Paths in one drop, and mentions in one prompt."""
_BEGINNING: Final = re.compile(r"""["']?(?:/|~|\\|\.\.?/|file:)""", re.IGNORECASE)


def paths_in(text: str) -> tuple[Path, ...]:
    """The paths that a dropped or pasted text consists of; none unless all of it is paths that exist.

    A path is absolute, or begins with `~`, `./`, `../` or `file://`: other words are words, even if there is
    such a file. Looks at the disk.
    """
    text = text.lstrip()
    if len(text) > _LONGEST or not _BEGINNING.match(text):
        return ()
    whole = text.rstrip()
    for words in ([whole], whole.splitlines(), _words(text)):  # a path with blanks may come as it is, in a line
        if len(words) <= _MOST and (paths := _existing(words)):
            return paths
    return ()


def _words(text: str) -> list[str]:
    """The words of a shell's command line, without their quotes; none where a quote is left open."""
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _existing(words: list[str]) -> tuple[Path, ...]:
    """The paths that the words are, if every one exists."""
    paths = list[Path]()
    for word in words:
        if (path := _path(word)) is None or not os.path.lexists(path):
            return ()
        paths.append(path)
    return tuple(paths)


def _path(word: str) -> Path | None:
    if "\0" in word:
        return None
    if word[:7].lower() == "file://":
        try:
            url = urlsplit(word)
        except ValueError:
            return None
        if url.netloc not in ("", "localhost", socket.gethostname()) or url.query or url.fragment:
            return None
        word = unquote(url.path, errors="surrogateescape")
        return None if "\0" in word else Path(word)
    path = os.path.expanduser(word)
    is_path = os.path.isabs(path) or path.startswith(("./", "../"))
    return Path(path) if is_path and word.strip("/.~") else None


_MENTION: Final = re.compile(r"""(?<![^\s(\[{'"])@(?:"((?:\\.|[^"\\\n])*\\?)"?|((?:\\ |[^\s"])(?:\\ |\S)*)?)""")
_ESCAPED: Final = re.compile(r"""(?<![^\s(\[{'"])\\(@(?:"([^"\\\n]+)"|([^\s"\\]+)))""")
_PLAIN: Final = re.compile(r"""[^\s"\\()\[\]{}'][^\s"\\()\[\]{}']*""")
_AFTER_A_PATH: Final = ".,;:!?)]}'\""
_OF_CODE: Final = frozenset("()[]{}'\"\0")
_SUFFIX: Final = re.compile(
    r""".\.(?:
        bash | bat | c | cc | cfg | conf | cpp | cs | css | csv | diff | env | go | h | hpp | html? | ini |
        ipynb | java | jpe?g | jsx? | json | jsonl | kt | lock | log | lua | md | patch | php | pl | png | ps1 |
        py | rb | rs | rst | scss | sh | sql | svg | swift | tex | toml | tsv | tsx? | txt | vue | webp | xml |
        ya?ml | zig | zsh
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
"""Suffixes of files that people attach: words that end so are paths, where `@app.route` is not."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A path after an `@`, from `start` to `end` of the prompt, with the `@` and quotes."""

    start: int
    end: int
    path: str
    """Without quotes, and without backslashes before blanks."""


def mentions_in(text: str) -> Iterator[Mention]:
    """Everything that looks like a mention: an `@` at the beginning of a word, and the rest of the word.

    A blank after a backslash belongs to the word.
    """
    for found in _MENTION.finditer(text):
        yield Mention(found.start(), found.end(), _meant(found))


def paths_mentioned(text: str) -> frozenset[str]:
    """The paths of the mentions that may attach something, without the punctuation after them."""
    return frozenset(each.path.rstrip(_AFTER_A_PATH) for each in islice(mentions_in(text), _MOST))


def mention_at(text: str, cursor: int) -> Mention | None:
    """The mention that is being typed: it ends at `cursor`, an offset."""
    line = text.rfind("\n", 0, cursor) + 1
    for found in _MENTION.finditer(text[line:cursor]):
        is_closed = found[1] is not None and found.end() > found.end(1)
        if line + found.end() == cursor and not is_closed:
            return Mention(line + found.start(), cursor, _meant(found))
    return None


def mention(path: str) -> str:
    """A path as a mention: `@` and the path, in quotes where it needs them."""
    if _PLAIN.fullmatch(path) and path[-1] not in _AFTER_A_PATH:
        return f"@{path}"
    return '@"' + re.sub(r'(["\\])', r"\\\1", path) + '"'


def unfinished_mention(path: str) -> str:
    """As `mention`, but for a folder without the closing quote: its files can be typed next."""
    written = mention(path)
    return written[:-1] if path.endswith("/") and written.endswith('"') else written


def mentioned(text: str, folder: Path) -> Iterator[tuple[Mention, Path]]:
    """The mentions whose paths exist, relative to `folder` unless they are absolute. Looks at the disk.

    Punctuation after a path does not belong to it, unless a file has that very name.
    """
    for each in islice(mentions_in(text), _MOST):
        bare = each.path.rstrip(_AFTER_A_PATH)
        for path in (each.path,) if text[each.start : each.start + 2] == '@"' else (each.path, bare):
            whole = folder / os.path.expanduser(path)
            if path and "\0" not in path and os.path.lexists(whole):
                yield Mention(each.start, each.end - (len(each.path) - len(path)), path), whole
                break


def missing(text: str, folder: Path) -> Iterator[Mention]:
    """The mentions of paths that do not exist. What has a known suffix, or is in a folder, is taken for a path.

    Looks at the disk.
    """
    there = {each.start for each, _ in mentioned(text, folder)}
    for each in islice(mentions_in(text), _MOST):
        path = each.path.rstrip(_AFTER_A_PATH)
        before, slash, _ = path.rpartition("/")
        quoted = text[each.start - 1 : each.start] in ("'", '"')  # as in `import x from "@/lib/x"`
        if each.start in there or quoted or not path or set(path) & _OF_CODE:
            continue
        if _SUFFIX.search(path) or (slash and os.path.isdir(folder / os.path.expanduser(before + slash))):
            yield Mention(each.start, each.end, path)


def unescaped(text: str) -> str:
    """A prompt as it is sent: without the backslash before `@path`, which kept the file from being attached.

    Other words keep theirs: `\\@list` is Perl.
    """

    def plain(found: re.Match[str]) -> str:
        path = (found[2] or found[3]).rstrip(_AFTER_A_PATH)
        return found[1] if "/" in path or _SUFFIX.search(path) else found[0]

    return _ESCAPED.sub(plain, text)


def shortened(path: Path, folder: Path) -> str:
    """A path relative to `folder`, else to the home folder (`~/…`), else as it is."""
    whole = Path(os.path.normpath(folder / path))
    for base, mark in ((folder, ""), (Path(os.path.expanduser("~")), "~/")):
        if whole != base and whole.is_relative_to(base):
            return f"{mark}{whole.relative_to(base)}"
    return str(whole)


def _meant(found: re.Match[str]) -> str:
    quoted, plain = found.groups()
    return re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (plain or "").replace("\\ ", " ")
