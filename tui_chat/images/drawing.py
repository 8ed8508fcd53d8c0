"""Pictures for terminals: as half blocks in cells, or as PNG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tui_chat.images.opening import opened, saved, small

WIDTH: Final = 80
HEIGHT: Final = 40
"""Most cells of a picture."""

COLOURS: Final = 64
"""Most colours of a picture that has a palette: twice as many cost a third more bytes, and look much the same."""

Rgb = tuple[int, int, int]
"""Red, green and blue, from 0 to 255."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A picture with a palette."""

    width: int
    height: int
    palette: tuple[Rgb, ...]
    pixels: bytes
    """The number of each pixel's colour, row by row from the top left."""


def half_blocks(
    data: bytes, name: str, width: int, height: int, background: Rgb
) -> tuple[tuple[tuple[Rgb, Rgb], ...], ...]:
    """Rows of cells, at most `width` by `height`: the colours of the upper and lower pixel of each.

    `background` is seen where the picture is transparent. A picture is not made larger than it is.

    Raises:
        FileError: it is broken or too large, or Pillow is not installed.
    """
    with opened(data, name) as image:
        image = small(image, max(1, min(width, WIDTH)), 2 * max(1, min(height, HEIGHT)), background)
        pixels = image.tobytes()
    flat = list(zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True))
    rows = [flat[start : start + image.width] for start in range(0, len(flat), image.width)]
    if len(rows) % 2:
        rows.append([background] * image.width)
    return tuple(tuple(zip(*pair, strict=True)) for pair in zip(rows[::2], rows[1::2], strict=True))


def as_png(data: bytes, name: str, width: int, height: int, background: Rgb) -> tuple[bytes, int, int]:
    """A picture as PNG that fits into a box of pixels, and its width and height.

    Raises:
        FileError: as `half_blocks`.
    """
    with opened(data, name) as image:
        image = small(image, width, height, background)
        return saved(image, "PNG"), image.width, image.height


def indexed(data: bytes, name: str, columns: int, rows: int, cell: tuple[int, int], background: Rgb) -> Indexed:
    """A picture in few colours that fits into a box of cells and fills whole ones, of so many pixels each.

    Raises:
        FileError: as `half_blocks`.
    """
    from PIL import ImageOps

    width, height = cell
    with opened(data, name) as image:
        image = small(image, columns * width, rows * height, background)
        image = ImageOps.expand(image, (0, 0, -image.width % width, -image.height % height), background)
        image = image.quantize(COLOURS)
        flat = image.getpalette() or []
        palette = tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
        return Indexed(*image.size, palette, image.tobytes())
