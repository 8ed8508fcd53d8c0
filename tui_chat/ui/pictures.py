"""The pictures in the log that the user wants to see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Final

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui_chat.errors import ChatError, FileError
from tui_chat.images.drawing import HEIGHT, WIDTH, Rgb, as_png, half_blocks, indexed
from tui_chat.markdown.draw import Rows
from tui_chat.messages import Message, Role
from tui_chat.parts import Image
from tui_chat.terminal.driver import DiffDriver
from tui_chat.terminal.keys import GraphicsTold
from tui_chat.terminal.passthrough import multiplexer
from tui_chat.terminal.pictures import (
    has_placeholders,
    picture_number,
    placeholder_colour,
    placeholders,
    send_picture,
)
from tui_chat.terminal.sixel import ASK_GRAPHICS, Sixel, cell_of
from tui_chat.terminal.textual_private import driver_of
from tui_chat.ui.widgets.column import MARGIN
from tui_chat.ui.widgets.rows import FixedRows, HalfBlockRows

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen
    from tui_chat.ui.widgets.entry import Entry

_CELL: Final = (8, 16)
"""Pixels of a cell for which pictures are sent to the terminal, which scales them to its own cells."""
_WIDE: Final = 800
_HIGH: Final = 600
"""Most pixels of a picture that is drawn by Sixel: with more it takes a megabyte and more of the line."""
_PATIENCE: Final = 5.0
"""Seconds until a terminal that does not answer counts as one without graphics."""


class Pictures:
    """Shows and hides pictures: by the terminal's graphics if it has them, else as half blocks."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._told: GraphicsTold | None = None
        """What the terminal has said of its graphics."""
        self._heard = asyncio.Event()
        self._cell: tuple[int, int] | None = None
        """Width and height of a cell in pixels, when a picture was last drawn by Sixel."""
        self._sixels: dict[object, Rows] = {}
        """What stands for pictures that the driver can draw, by what they were made from."""

    @staticmethod
    def are_in(message: Message | None) -> bool:
        """Whether a message has pictures."""
        return message is not None and any(isinstance(file, Image) for file in message.files)

    def toggle(self, message: Message | None) -> None:
        """Show the pictures of a message, or hide them."""
        entry = next((each for each in self._entries if each.message is message), None)
        if entry is None or not self.are_in(message):
            self._screen.notify("There is no picture in this message.", timeout=3)
        elif entry.pictures:
            entry.pictures = {}
            self._screen.transcript.changed(entry)
        else:
            self._screen.start(self._show, "pictures", entry)

    def told(self, told: GraphicsTold) -> None:
        """Take what the terminal says of its graphics; draw anew what was drawn for cells of another size."""
        self._told = told
        self._heard.set()
        driver = driver_of(self._screen.app)
        if self._cell and isinstance(driver, DiffDriver) and self._cell != (told.cell or cell_of(driver.fileno)):
            self._screen.start(self._show, "pictures", *(entry for entry in self._entries if entry.pictures))

    @property
    def _entries(self) -> Sequence[Entry]:
        return self._screen.transcript.entries

    async def _show(self, *entries: Entry) -> None:
        for entry in entries:
            images = [file for file in entry.message.files if isinstance(file, Image)]
            try:
                entry.pictures = {each.blob.digest: await self._drawn(each) for each in images}
            except ChatError as error:
                self._screen.status.say_error(error)
            self._screen.transcript.changed(entry)

    async def _drawn(self, image: Image) -> Rows:
        """The picture as rows.

        Raises:
            FileError: it cannot be drawn.
            StoreError: it cannot be read.
        """
        screen = self._screen
        holder = Message(Role.USER, (image,))
        (file,) = (await screen.workspace.store.with_data([holder]))[0].files
        if (data := file.blob.data) is None:
            raise FileError(f"{image.name} is not in the database any more", "Attach it again.")
        width = min(WIDTH, screen.transcript.scrollable_content_region.width - 2 * MARGIN)
        height = min(HEIGHT, max(4, screen.transcript.size.height - 4))
        ground = self._ground()
        environ, wanted = screen.services.environ, screen.services.config.pictures
        run = screen.workspace.disk.run
        if wanted == "kitty" or (wanted == "auto" and has_placeholders(environ)):
            box = (width * _CELL[0], height * _CELL[1])
            png, *size = await run(lambda _: as_png(data, image.name, *box, ground))
            columns, rows = (ceil(pixels / cell) for pixels, cell in zip(size, _CELL, strict=True))
            number = picture_number(file.blob.digest)
            if (driver := driver_of(screen.app)) is not None:
                driver.write(send_picture(png, number, columns, rows, environ))
            return _silent(placeholders(columns, rows), Style(color=Color.from_rgb(*placeholder_colour(number))))
        if cell := await self._sixel_cell():
            key = (file.blob.digest, width, height, cell, ground)
            if key not in self._sixels and isinstance(driver := driver_of(screen.app), DiffDriver):
                box = (min(width, _WIDE // cell[0]), min(height, _HIGH // cell[1]))
                sixel = await run(lambda _: Sixel(indexed(data, image.name, *box, cell, ground), cell))
                if (mark := driver.sixels.add(sixel)) is not None:
                    self._sixels[key] = _silent(placeholders(sixel.columns, sixel.rows, mark), Style.null())
            if key in self._sixels:
                return self._sixels[key]
        return HalfBlockRows(await run(lambda _: half_blocks(data, image.name, width, height, ground)))

    def _ground(self) -> Rgb:
        """The colour behind a prompt and its pictures."""
        log = self._screen.transcript
        colour = log.stack.look.prompt.bgcolor
        return colour.get_truecolor() if colour else log.background_colors[1].rgb

    async def _sixel_cell(self) -> tuple[int, int] | None:
        """Width and height in pixels of a cell, for a terminal that draws Sixel; None for any other.

        Inside tmux and screen nobody has tried it: there, the user has to ask for it in the config.
        """
        screen, driver = self._screen, driver_of(self._screen.app)
        wanted = screen.services.config.pictures
        inside = wanted == "auto" and multiplexer(screen.services.environ)
        if not isinstance(driver, DiffDriver) or wanted == "blocks" or inside:
            return None
        if self._told is None:
            driver.write(ASK_GRAPHICS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), _PATIENCE)
        has_sixel = wanted == "sixel" or (self._told is not None and self._told.sixel)
        self._cell = ((self._told and self._told.cell) or cell_of(driver.fileno)) if has_sixel else None
        return self._cell


def _silent(rows: Iterable[str], style: Style) -> Rows:
    """Rows that copy as nothing."""
    return FixedRows.silent(*([Segment(row, style)] for row in rows))
