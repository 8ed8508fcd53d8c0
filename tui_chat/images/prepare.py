"""Prepares pictures for models: small enough, upright, in a format that servers take.

Ollama takes PNG, JPEG and WebP; llama.cpp what stb_image decodes, and silently drops WebP. So WebP and GIF are
sent as PNG or JPEG if Pillow is installed. Models see fewer pixels than cameras make: Gemma 896 a side, Llama 3.2
Vision 1120, Claude 1568, GPT-4o 2048. Qwen-VL takes a token for each 28x28 pixels: 2,352 for 1568x1176.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_chat.errors import FileError
from tui_chat.images.opening import WITH_PILLOW, media_type, opened, pillow, saved, small
from tui_chat.parts import Blob, Image

if TYPE_CHECKING:
    from PIL import Image as pil

SIDE: Final = 1568
"""Most pixels of the longer side."""
IMAGE_LIMIT: Final = 3_750_000
"""Most bytes of a picture as it is sent: 5 MB as base64, the lowest limit of hosted servers (Anthropic)."""
_LOSSLESS_LIMIT: Final = 1_000_000
"""Bytes. A picture that takes more as PNG is a photograph: it is sent as JPEG."""
_WHITE: Final = (255, 255, 255)
_AS_THEY_ARE: Final = ("image/png", "image/jpeg")
_ORIENTATION: Final = 0x0112


def prepare(data: bytes, name: str) -> Image:
    """A picture as a part: scaled down to `SIDE` and `IMAGE_LIMIT`, upright, the first frame of an animation.

    A picture that fits is sent as it is. Any other is encoded again, without metadata.

    Raises:
        FileError: it is broken, or too large and Pillow is not installed.
    """
    mime = media_type(data)
    if pillow() is None:
        if len(data) <= IMAGE_LIMIT:
            return Image(name, mime, Blob.of(data))
        raise FileError(f"{name} is too large for models", f"To have it scaled down: {WITH_PILLOW}")
    with opened(data, name) as image:
        fits = max(image.size) <= SIDE and len(data) <= IMAGE_LIMIT
        if fits and mime in _AS_THEY_ARE and image.getexif().get(_ORIENTATION, 1) == 1:
            image.load()
            return Image(name, mime, Blob.of(data))
        encoded = _encoded(small(image, SIDE, SIDE, _WHITE), lossless=mime != "image/jpeg")
    return Image(name, media_type(encoded), Blob.of(encoded))


def _encoded(image: pil.Image, *, lossless: bool) -> bytes:
    if lossless and len(data := saved(image, "PNG")) <= _LOSSLESS_LIMIT:
        return data
    return saved(image, "JPEG")  # of SIDE x SIDE, even noise takes less than IMAGE_LIMIT
