"""The files that the prompt in the composer attaches: shown above it, pasted, dropped and asked about."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widgets.text_area import Location

from tui_chat.attachments.paths import mention_at, paths_mentioned, unfinished_mention
from tui_chat.attachments.prompt import Attachment, as_mentions, completed, existing, look_through, mention_of
from tui_chat.errors import FileError
from tui_chat.servers.connection import find
from tui_chat.text.figures import size
from tui_chat.text.sanitize import clean_line
from tui_chat.ui.completion import Candidate, Completion
from tui_chat.ui.dialogs.ask import ConfirmScreen

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_PAUSE: Final = 0.1
"""Seconds after a key until the disk is looked at."""
_ROWS: Final = 3
_NAMES: Final = 12
"""Names of a folder's files that are listed."""
_BYTES_PER_TOKEN: Final = 4
_COMMAND: Final = re.compile(r"/(?:file|image) +(.*)$")


class Attachments:
    """Looks at the files that the composer's text mentions, off the event loop, and says what they are."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self.found: tuple[Attachment, ...] = ()
        self._mentions = False
        """Whether the text may mention files."""
        self._warned = ""
        """The text that was held back once because the model does not see."""
        self._doubted = frozenset[str]()
        """Paths that a paste or a draft mentions, and that nobody may have meant to attach."""
        self._asked = ""
        """The text that was held back once because of them."""

    def written(self, text: str) -> None:
        """The composer's text has changed."""
        before, self._mentions = self._mentions, "@" in text
        if self._mentions:
            self._screen.start(self._look, "attachments", text)
        elif before:
            self._screen.workers.cancel_group(self._screen, "attachments")
            self._show(())

    async def _look(self, text: str) -> None:
        await asyncio.sleep(_PAUSE)
        try:
            self._show(await self._screen.workspace.disk.run(partial(look_through, text)))
        except FileError as error:
            self._show((Attachment("files", trouble=error),))
        if any(each.is_image for each in self.found):
            await self._screen.workspace.connection.learn_abilities()
            self._show(self.found)

    def _show(self, found: tuple[Attachment, ...]) -> None:
        self.found = found
        screen = self._screen
        doubted = self._doubted & paths_mentioned(screen.composer.text) if found else ()
        screen.attached.rows = described(found, screen.workspace.connection.window, self._blind, doubted)

    @property
    def _blind(self) -> str:
        """The model, if it is known not to see pictures."""
        connection = self._screen.workspace.connection
        model = find(connection.model, connection.models)
        return model.name if model is not None and model.is_blind else ""

    def holds_back(self, text: str) -> bool:
        """Whether a prompt has a picture that the model cannot see, and that was not said yet; says it."""
        if text == self._warned or not self._blind or not any(each.is_image for each in self.found):
            return False
        self._warned = text
        words = f"{self._blind} cannot see pictures. {{send}} again sends it anyway; {{models}} changes the model."
        self._screen.remarks.tell(self._screen.keys.hint(words))
        return True

    def doubt(self, text: str, *, hidden: bool = False) -> None:
        """Ask before the files (or only the `hidden` ones) go that a text mentions which was not typed here.

        All are doubted at once, until the disk has told which exist.
        """
        paths = frozenset(path for path in paths_mentioned(text) if not hidden or is_hidden(path))
        if paths:
            self._doubted |= paths
            self._screen.start(self._trust_missing, "doubt", text, paths, exclusive=False)

    async def _trust_missing(self, text: str, paths: frozenset[str]) -> None:
        with suppress(FileError):
            self._doubted -= paths - await self._screen.workspace.disk.run(partial(existing, text))
            self._show(self.found)

    def asks(self, text: str) -> bool:
        """Whether a prompt mentions files that may not be meant, and that was not said yet; says it."""
        doubted = self._doubted & paths_mentioned(text)
        if doubted and text != self._asked:
            self._asked = text
            ways = self._screen.keys.hint("{send} again attaches it; \\@ keeps it text.")
            self._screen.remarks.tell(f"{_in_short(doubted)}. {ways}")
            return True
        self._doubted -= doubted
        return False

    def pasted(self, text: str, start: Location, end: Location) -> None:
        """Mention the files whose paths were pasted or dropped between two places of the composer, if all are.

        What a paste itself mentions is asked about.
        """
        self.doubt(text)
        before = self._screen.composer.document.get_line(start[0])[: start[1]]
        if not before or before[-1].isspace():
            self._screen.start(self._mention_pasted, "paste", text, start, end)

    async def _mention_pasted(self, text: str, start: Location, end: Location) -> None:
        screen, composer = self._screen, self._screen.composer
        try:
            mentions = await screen.workspace.disk.run(lambda _: as_mentions(text))
            if not mentions or not await self._agreed(mentions):
                return
        except FileError as error:
            screen.remarks.say_error(error)
            return
        if composer.get_text_range(start, end) == text:
            composer.history.checkpoint()
            composer.replace(f"{mentions} ", start, end)
            screen.remarks.tell("Attached. ^Z makes it the path again.", 4, "information")

    async def add(self, path: str) -> None:
        """Mention a file at the cursor.

        Raises:
            FileError: it cannot be attached.
        """
        mention = await self._screen.workspace.disk.run(lambda _: mention_of(Path(path)))
        if await self._agreed(mention):
            self._screen.composer.insert(f"{mention} ")

    def complete(self, text: str, cursor: int) -> Completion | None:
        """Complete the mention at the cursor, or the path after `/file`."""
        found, command = mention_at(text, cursor), _COMMAND.match(text[:cursor])
        if command is not None:
            paths, start = partial(self._paths, command[1], str), cursor - len(command[1])
            return Completion(start, cursor, paths, free=command[1][-1:] in "/")
        if found is None:
            return None
        free = found.path[-1:] in ("", "/")  # Enter sends what is whole already
        return Completion(found.start, cursor, partial(self._paths, found.path, unfinished_mention), free)

    async def _paths(self, typed: str, written: Callable[[str], str]) -> Sequence[Candidate]:
        try:
            paths = await self._screen.workspace.disk.run(partial(completed, typed))
        except FileError:
            return ()
        found = [Candidate(written(path), more=written is not str or path.endswith("/")) for path in paths]
        return () if paths == (typed,) else found

    async def _agreed(self, mentions: str) -> bool:
        """Ask before folders are attached; refuse what cannot be.

        Raises:
            FileError: one of them cannot be attached.
        """
        screen = self._screen
        for each in await screen.workspace.disk.run(partial(look_through, mentions)):
            if each.trouble is not None:
                raise each.trouble
            if each.files:
                more = len(each.files) - _NAMES
                names = ", ".join(each.files[:_NAMES]) + (f" and {more} more" if more > 0 else "")
                title = f"Attach {counted(len(each.files), 'file')} of {each.name}?"
                keys = screen.keys.hint("{accept} attach · {close} cancel")
                hint = Content(f"{_figures(each)}\n{names}\n{keys}")
                if not await screen.ask(ConfirmScreen(screen.keys, title, hint)):
                    return False
        return True


def counted(number: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {what}" + "s" * (number != 1)


def is_hidden(path: str) -> bool:
    """Whether a path leads to or through a hidden file or folder."""
    return any(part.startswith(".") and part.strip(".") for part in path.split("/"))


def _in_short(doubted: Collection[str]) -> str:
    first, *others = sorted(doubted)
    more = f" and {len(others)} more" if others else ""
    return f"Not typed here: @{clean_line(first, 40)}{more}"


def described(
    found: Sequence[Attachment], window: int | None, blind: str, doubted: Collection[str] = ()
) -> tuple[Content, ...]:
    """The rows: what cannot go and why, then each file with its size.

    Args:
        blind: the model, if it sees no pictures.
        doubted: paths that are asked about.
    """
    found = sorted(found, key=lambda each: each.trouble is None)
    rows = [_described(each, blind) for each in found[: _ROWS if len(found) <= _ROWS else _ROWS - 1]]
    text = Attachment("", sum(each.size for each in found if not each.is_image))
    if hidden := found[len(rows) :]:
        words = f"… and {counted(len(hidden), 'more file')} · together {size(sum(each.size for each in found))}"
        tokens = f" · about {counted(_tokens(text), 'token')}" if text.size else ""
        refused = sum(each.trouble is not None for each in hidden)
        rows.append(Content.styled(f"{words}{tokens}" + f" · {refused} of them cannot go" * bool(refused)))
    if window and _tokens(text) > window:
        words = f"More than the context window of {window:,} tokens: not all of it will be read."
        rows.append(Content.styled(words, "$text-warning"))
    if doubted:
        rows.append(Content.styled(f"{_in_short(doubted)}. You are asked before it is attached.", "$text-warning"))
    return tuple(rows)


def _described(each: Attachment, blind: str) -> Content:
    if each.trouble is not None:
        return Content.styled(f"✗ {each.trouble.told}", "$text-error")
    row = Content.assemble((f"▪ {each.name}", "$foreground"), (f" · {_figures(each)}", "$text-muted"))
    if each.is_image and blind:
        return Content.assemble(row, (f" · {blind} cannot see pictures", "$text-warning"))
    return row


def _figures(each: Attachment) -> str:
    if each.is_image:
        return f"{each.mime} · {size(each.size)}"
    files = (counted(len(each.files), "file"),) if each.files else ()
    left_out = (f"{each.left_out:,} left out (hidden, ignored, large or not text)",) if each.left_out else ()
    return " · ".join((*files, size(each.size), f"about {counted(_tokens(each), 'token')}", *left_out))


def _tokens(each: Attachment) -> int:
    return round(each.size / _BYTES_PER_TOKEN)
