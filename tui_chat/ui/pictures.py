"""The pictures in the log that the user wants to see."""

from __future__ import annotations

from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Final

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui_chat.errors import ChatError, FileError
from tui_chat.images.drawing import HEIGHT, WIDTH, Rgb, as_png, half_blocks
from tui_chat.messages import Message, Role
from tui_chat.parts import Image
from tui_chat.terminal.pictures import (
    has_placeholders,
    picture_number,
    placeholder_colour,
    placeholders,
    send_picture,
)
from tui_chat.terminal.textual_private import driver_of
from tui_chat.ui.widgets.column import MARGIN
from tui_chat.ui.widgets.picture import HalfBlockRows
from tui_chat.ui.widgets.rows import FixedRows, Rows

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_CELL: Final = (8, 16)
"""Pixels of a cell for which pictures are sent to the terminal, which scales them to its own cells."""


class Pictures:
    """Shows and hides pictures: by the terminal's graphics if it has them, else as half blocks."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen

    def toggle(self, message: Message | None) -> None:
        """Show the pictures of a message, or hide them."""
        self._screen.start(self._toggle, "pictures", message)

    async def _toggle(self, message: Message | None) -> None:
        log = self._screen.transcript
        entry = next((each for each in log.entries if message is not None and each.message.id == message.id), None)
        images = [file for file in entry.message.files if isinstance(file, Image)] if entry else []
        if entry is None or not images:
            self._screen.notify("There is no picture in this message.", timeout=3)
            return
        try:
            entry.pictures = (
                {} if entry.pictures else {each.blob.digest: await self._drawn(each) for each in images}
            )
        except ChatError as error:
            self._screen.status.say_error(error)
        log.changed(entry)

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
        red, green, blue = screen.transcript.background_colors[1].rgb
        ground: Rgb = (red, green, blue)
        environ, wanted = screen.services.environ, screen.services.config.pictures
        if wanted == "kitty" or (wanted == "auto" and has_placeholders(environ)):
            box = (width * _CELL[0], height * _CELL[1])
            png, *size = await screen.workspace.disk.run(lambda _: as_png(data, image.name, *box, ground))
            columns, rows = (ceil(pixels / cell) for pixels, cell in zip(size, _CELL, strict=True))
            number = picture_number(file.blob.digest)
            if (driver := driver_of(screen.app)) is not None:
                driver.write(send_picture(png, number, columns, rows, environ))
            style = Style(color=Color.from_rgb(*placeholder_colour(number)))
            return FixedRows.silent(*([Segment(row, style)] for row in placeholders(columns, rows)))
        draw = partial(half_blocks, data, image.name, width, height, ground)
        return HalfBlockRows(await screen.workspace.disk.run(lambda _: draw()))
