"""Pictures: their kind from the first bytes, and opened by Pillow, whatever is wrong with them."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING, Final

from tui_chat.errors import FileError

if TYPE_CHECKING:
    from PIL import Image as pil

PIXELS: Final = 50_000_000
"""Most pixels that are decoded: at four bytes each they take 200 MB. Telephones make 12 to 50 million."""
WITH_PILLOW: Final = "pip install 'tui-chat-llm[images]'"
_QUALITY: Final = 88
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
_DEEP: Final = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_PALE: Final = ("P", "PA", "1", "LA", "La")
_BROKEN: Final = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError),
    *(struct.error, zlib.error, MemoryError, RuntimeError),
)
"""What decoders raise for broken files."""
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
)
_OTHERS: Final = (
    (b"ftypheic", 4, "HEIC"),
    (b"ftypmif1", 4, "HEIC"),
    (b"ftypavif", 4, "AVIF"),
    (b"II*\0", 0, "TIFF"),
    (b"MM\0*", 0, "TIFF"),
)


def pillow() -> ModuleType | None:
    """Pillow's `Image` module; None if it is not installed."""
    try:
        from PIL import Image
    except ImportError:
        return None
    return Image


@contextmanager
def opened(data: bytes, name: str) -> Iterator[pil.Image]:
    """A picture, opened by Pillow but not decoded yet; for animations, the first frame.

    Raises:
        FileError: it is broken, even if that shows only later; it has more than `PIXELS`; Pillow is not installed.
    """
    module = pillow()
    if module is None:
        raise FileError("Pictures cannot be drawn without Pillow", f"Install it: {WITH_PILLOW}")
    warnings.simplefilter("ignore", module.DecompressionBombWarning)  # it would be printed
    large = FileError(f"{name} has more than {PIXELS // 1_000_000} million pixels", "Scale it down first.")
    try:
        with module.open(BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > PIXELS:
                raise large
            yield image
    except module.DecompressionBombError:
        raise large from None
    except _BROKEN:
        raise FileError(f"{name} is a broken picture", "Open it in another program and save it again.") from None


def small(image: pil.Image, width: int, height: int, background: tuple[int, int, int]) -> pil.Image:
    """A picture as RGB on a background, upright, scaled down to fit into a box of pixels, without metadata."""
    from PIL import Image, ImageOps

    image.draft("RGB", (max(width, height), max(width, height)))  # JPEG is decoded to not much more than that
    if image.mode in _DEEP:
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    elif image.mode in _PALE:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode != "RGBA":
        image = image.convert("RGB")
    image = ImageOps.exif_transpose(image)
    image.thumbnail((width, height), Image.Resampling.LANCZOS)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*background, 255)), image)
    image = image.convert("RGB")
    image.info.clear()
    return image


def saved(image: pil.Image, kind: str) -> bytes:
    """A picture in a format of Pillow's, in few bytes."""
    file = BytesIO()
    image.save(file, kind, quality=_QUALITY, optimize=True)
    return file.getvalue()


def media_type(data: bytes) -> str:
    """The media type of a picture that models take; empty for anything else."""
    return _known(data, _SIGNATURES)


def other_format(data: bytes) -> str:
    """The name of a picture's format that models do not take; empty for anything else."""
    return _known(data, _OTHERS)


def _known(data: bytes, table: tuple[tuple[bytes, int, str], ...]) -> str:
    return next((name for mark, at, name in table if data[at : at + len(mark)] == mark), "")
