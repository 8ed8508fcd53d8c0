"""Pictures made fit for models and drawn in cells: whatever they are, and with Pillow or without it."""

from __future__ import annotations

import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as pil
from tui_chat.attachments.reading import attach
from tui_chat.errors import FileError
from tui_chat.images.drawing import HEIGHT, WIDTH, as_png, half_blocks
from tui_chat.images.opening import media_type
from tui_chat.images.prepare import IMAGE_LIMIT, SIDE, prepare
from tui_chat.parts import Blob, Image

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
KINDS = ("PNG", "JPEG", "WEBP", "GIF")


def encoded(image: pil.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def flag(width: int, height: int, mode: str = "RGB") -> pil.Image:
    """Red on the left, blue on the right."""
    image = pil.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image.convert(mode)


def decoded(part: Image) -> pil.Image:
    assert part.blob.data is not None
    assert media_type(part.blob.data) == part.mime
    return pil.open(BytesIO(part.blob.data))


def close_to(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))


@pytest.fixture
def without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_that_fits_goes_as_it_is(kind: str, tmp_path: Path) -> None:
    data = encoded(flag(SIDE, 20), kind)
    (tmp_path / "flag.txt").write_bytes(data)
    assert attach(tmp_path / "flag.txt", "flag.txt") == Image("flag.txt", f"image/{kind.lower()}", Blob.of(data))


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_picture_is_scaled_down_and_keeps_its_shape(kind: str) -> None:
    part = prepare(encoded(flag(3136, 1568), kind), "flag")
    image = decoded(part)
    assert image.size == (SIDE, SIDE // 2)
    assert part.mime in ("image/png", "image/jpeg")
    image = image.convert("RGB")
    assert close_to(image.getpixel((10, 10)), RED)
    assert close_to(image.getpixel((SIDE - 10, 10)), BLUE)


@pytest.mark.parametrize("kind", ["WEBP", "GIF"])
def test_what_not_all_servers_take_becomes_png_the_first_frame_of_it(kind: str) -> None:
    frames = [pil.new("RGB", (20, 10), colour) for colour in (RED, BLUE)]
    part = prepare(encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True), "frames")
    assert part.mime == "image/png"
    assert close_to(decoded(part).convert("RGB").getpixel((5, 5)), RED)


def test_a_picture_is_turned_upright_and_its_metadata_dropped() -> None:
    exif = pil.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    exif[0x010F] = "Secret Camera"
    data = encoded(flag(40, 20), "JPEG", exif=exif, comment=b"secret comment", icc_profile=b"secret profile")
    part = prepare(data, "photo")
    image = decoded(part)
    assert image.size == (20, 40)
    assert close_to(image.getpixel((10, 2)), RED)
    assert close_to(image.getpixel((10, 37)), BLUE)
    assert part.blob.data is not None
    assert b"ecret" not in part.blob.data
    assert not image.getexif()


def test_what_is_transparent_becomes_white() -> None:
    clear = pil.new("RGBA", (SIDE + 2, 10), (0, 0, 0, 0))
    for image in (clear, clear.convert("LA"), clear.convert("P")):
        made = decoded(prepare(encoded(image, "PNG", transparency=0 if image.mode == "P" else None), "clear"))
        assert close_to(made.convert("RGB").getpixel((5, 2)), WHITE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16"])
def test_pictures_of_any_mode_keep_their_brightness(mode: str) -> None:
    size = (SIDE + 2, 40)
    grey = pil.new(mode, size, 0x8000) if mode == "I;16" else pil.new("L", size, 128).convert(mode)
    made = decoded(prepare(encoded(grey, "JPEG" if mode == "CMYK" else "PNG"), "grey")).convert("L")
    levels = made.tobytes()
    assert 110 < sum(levels) / len(levels) < 145


def test_noise_is_made_small_enough() -> None:
    noise = pil.effect_noise((1700, 1700), 200)
    part = prepare(
        encoded(pil.merge("RGB", [noise, noise.transpose(pil.Transpose.ROTATE_90), noise]), "PNG"), "noise"
    )
    assert part.mime == "image/jpeg"
    assert part.blob.size <= IMAGE_LIMIT


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8_000, 10_000, 100_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side: int, recwarn: pytest.WarningsRecorder) -> None:
    for work in (prepare, lambda data, name: half_blocks(data, name, 10, 10, WHITE)):
        with pytest.raises(FileError, match="more than 50 million pixels"):
            work(png(side, side, bytes(1000)), "bomb")
    assert not recwarn


def test_a_very_flat_picture_is_scaled_down() -> None:
    data = encoded(pil.new("RGB", (1, 100_000)), "PNG")
    assert decoded(prepare(data, "line")).size == (1, SIDE)
    assert len(half_blocks(data, "it", 40, 10, WHITE)) == 10


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(KINDS), st.data())
def test_broken_pictures_are_a_clear_error(kind: str, data: st.DataObject) -> None:
    whole = bytearray(encoded(flag(60, 40, "P" if kind == "GIF" else "RGB"), kind))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(12, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(16, len(whole)))])
    for work in (
        prepare,
        lambda data, _: half_blocks(data, "it", 8, 8, WHITE),
        lambda data, _: as_png(data, "it", 9, 9, WHITE),
    ):
        try:
            work(cut, "it")
        except FileError as error:
            assert error.hint  # noqa: PT017 - it may be whole


def test_a_picture_that_ends_too_early_is_broken() -> None:
    for kind in KINDS:
        with pytest.raises(FileError, match="photo is a broken picture"):
            prepare(encoded(flag(600, 400), kind)[:-150], "photo")


def test_other_pictures_are_named(tmp_path: Path) -> None:
    (tmp_path / "scan").write_bytes(encoded(flag(2, 2), "TIFF"))
    with pytest.raises(FileError, match="models do not take TIFF pictures"):
        attach(tmp_path / "scan", "scan")


@pytest.mark.usefixtures("without_pillow")
@pytest.mark.parametrize("kind", KINDS)
def test_without_pillow_a_picture_within_the_limits_goes_as_it_is(kind: str) -> None:
    sys.modules.pop("PIL")
    data = encoded(flag(SIDE, 2), kind)
    sys.modules["PIL"] = None  # type: ignore[assignment]
    assert prepare(data, "a").blob.data == data
    for work in (
        lambda: prepare(data + bytes(IMAGE_LIMIT), "large"),
        lambda: half_blocks(data, "it", 8, 8, WHITE),
    ):
        with pytest.raises(FileError) as caught:
            work()
        assert "pip install 'tui-chat-llm[images]'" in caught.value.hint


def test_a_cell_shows_two_pixels() -> None:
    image = pil.new("RGB", (2, 3))
    colours = [(10, 20, 30), (40, 50, 60), (70, 80, 90), (100, 110, 120), (130, 140, 150), (160, 170, 180)]
    for place, colour in enumerate(colours):
        image.putpixel((place % 2, place // 2), colour)
    one, two, three, four, five, six = colours
    drawn = half_blocks(encoded(image, "PNG"), "it", 40, 40, (1, 2, 3))
    assert drawn == (((one, three), (two, four)), ((five, (1, 2, 3)), (six, (1, 2, 3))))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(-5, 400), st.integers(-5, 400))
def test_cells_are_as_many_as_were_asked_for_at_most(width: int, height: int, columns: int, rows: int) -> None:
    drawn = half_blocks(encoded(pil.new("L", (width, height), 255), "PNG"), "it", columns, rows, WHITE)
    assert 1 <= len(drawn) <= max(1, min(rows, HEIGHT))
    assert {len(row) for row in drawn} == {len(drawn[0])}
    assert 1 <= len(drawn[0]) <= max(1, min(columns, WIDTH, width))
    assert all(close_to(cell[0], WHITE) for row in drawn for cell in row)


def test_a_transparent_picture_shows_the_background() -> None:
    data = encoded(pil.new("RGBA", (2, 2), (255, 255, 255, 0)), "PNG")
    assert half_blocks(data, "it", 2, 2, (1, 2, 3))[0][0] == ((1, 2, 3), (1, 2, 3))
