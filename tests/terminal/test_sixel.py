"""Sixel: pictures row by row of cells, each drawn where the painter knows that cells of it stand."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from tui_chat.images.drawing import Indexed
from tui_chat.terminal.frames import parse_frame
from tui_chat.terminal.outbox import Outbox
from tui_chat.terminal.painter import Painter
from tui_chat.terminal.pictures import MOST_CELLS, placeholders
from tui_chat.terminal.sixel import ASK_GRAPHICS, Sixel, Sixels

from tests.terminal.emulator import Emulator

STRIP: Final = re.compile(r'\x1bP0;1q"1;1;(\d+);(\d+)([^\x1b]*)\x1b\\')
STEP: Final = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])")
WIDTH: Final = 24
HEIGHT: Final = 9


def decoded(strip: str) -> list[list[tuple[int, ...] | None]]:
    """The pixels of a Sixel sequence, in percent of red, green and blue; None where none was drawn."""
    match = STRIP.fullmatch(strip)
    assert match is not None
    width, height = int(match[1]), int(match[2])
    pixels: list[list[tuple[int, ...] | None]] = [[None] * width for _ in range(height)]
    colours: dict[str, tuple[int, ...]] = {}
    x = top = 0
    colour: tuple[int, ...] = ()
    end = 0
    for step in STEP.finditer(match[3]):
        assert step.start() == end
        end = step.end()
        number, *parts, chosen, count, repeated, single, move = step.groups()
        if number:
            colours[number] = tuple(map(int, parts))
        elif chosen:
            colour = colours[chosen]
        elif move:
            x, top = 0, top + 6 * (move == "-")
        else:
            bits = ord(repeated or single) - 63
            for column in range(x, x + int(count or 1)):
                for bit in range(6):
                    if bits >> bit & 1:
                        pixels[top + bit][column] = colour
            x += int(count or 1)
    assert end == len(match[3])
    return pixels


@st.composite
def pictures(draw: st.DrawFn) -> tuple[Indexed, tuple[int, int]]:
    cell = draw(st.integers(1, 9)), draw(st.integers(1, 14))
    width, height = draw(st.integers(1, 6)) * cell[0], draw(st.integers(1, 4)) * cell[1]
    palette = draw(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=9))
    colours = draw(st.lists(st.integers(0, len(palette) - 1), min_size=width, max_size=width * height))
    pixels = bytes(colours[place % len(colours)] for place in range(width * height))
    return Indexed(width, height, tuple(palette), pixels), cell


@settings(deadline=None)
@given(pictures(), st.data())
def test_a_strip_draws_exactly_its_part_of_the_picture(made: tuple[Indexed, tuple[int, int]], data: Any) -> None:
    picture, cell = made
    sixel = Sixel(picture, cell)
    row = data.draw(st.integers(0, sixel.rows - 1))
    start = data.draw(st.integers(0, sixel.columns - 1))
    end = data.draw(st.integers(start + 1, sixel.columns))
    drawn = decoded(sixel.strip(row, start, end))
    assert drawn == [
        [
            tuple(round(part * 100 / 255) for part in picture.palette[picture.pixels[y * picture.width + x]])
            for x in range(start * cell[0], end * cell[0])
        ]
        for y in range(row * cell[1], (row + 1) * cell[1])
    ]


class SixelTerminal(Emulator):
    """One that keeps pixels in cells, and scrolls where a picture reaches the bottom margin."""

    cell = (2, 3)

    def feed(self, text: str) -> None:
        end = 0
        for match in STRIP.finditer(text):
            super().feed(text[end : match.start()])
            end = match.end()
            self._draw(match[0])
        super().feed(text[end:])

    def _draw(self, strip: str) -> None:
        pixels, (width, height) = decoded(strip), self.cell
        assert len(pixels) == height
        for column in range(len(pixels[0]) // width):
            part = [line[column * width : (column + 1) * width] for line in pixels]
            self.buffer[self.cursor.y][self.cursor.x + column] = self.default_char._replace(data=str(part))
        self.index()
        self.carriage_return()


def sixels(count: int) -> list[Sixel]:
    """Pictures of which no two cells look alike."""
    palette = tuple((green % 256, green // 256, 0) for green in range(0, 256 * 255, 255))
    width, height = 4 * SixelTerminal.cell[0], 3 * SixelTerminal.cell[1]
    each = width * height
    return [
        Sixel(
            Indexed(width, height, palette, bytes(range(number * each, number * each + each))), SixelTerminal.cell
        )
        for number in range(count)
    ]


@st.composite
def views(draw: st.DrawFn) -> list[tuple[int, tuple[int, int, int, int] | None]]:
    """Where a log is scrolled to, and what covers a part of it: column, row, columns and rows."""
    covers = st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(1, 12), st.integers(1, 4))
    return draw(st.lists(st.tuples(st.integers(0, 12), st.none() | covers), min_size=1, max_size=6))


def frame_of(log: list[str], top: int, cover: tuple[int, int, int, int] | None) -> str:
    """A frame as Textual sends it: rows of a log above a status bar, and a dialog over it."""
    rows = [*log[top : top + HEIGHT - 1], "status".ljust(WIDTH)]
    patches = [f"\x1b[{y + 1};1H{row}" for y, row in enumerate(rows)]
    if cover is not None:
        x, y, columns, lines = cover
        patches += [f"\x1b[{y + line + 1};{x + 1}H\x1b[44m{'d' * columns}\x1b[0m" for line in range(lines)]
    return "".join(patches) + "\x1b[1;1H"


@settings(max_examples=150, deadline=None)
@given(views())
def test_the_screen_is_what_it_should_be_however_pictures_scroll_and_are_covered(
    shown: list[tuple[int, tuple[int, int, int, int] | None]],
) -> None:
    painter = Painter(erases_in_colour=True)
    terminal, wanted = SixelTerminal(WIDTH, HEIGHT), Emulator(WIDTH, HEIGHT)
    wanted.feed("\x1b[?7l")
    log, looks = [f"line {number}".ljust(WIDTH) for number in range(22)], dict[str, str]()
    for place, picture in zip((3, 9), sixels(2), strict=True):
        mark = painter.sixels.add(picture)
        assert mark is not None
        for row, cells in enumerate(placeholders(4, 3, mark)):
            log[place + row] = f"\x1b[1m▌\x1b[0m \x1b[42m{cells}\x1b[0m{'':{WIDTH - 6}}"
            for column in range(4):
                pixels = decoded(picture.strip(row, column, column + 1))
                looks[cells[4 * column : 4 * column + 4]] = str(pixels)
    for top, cover in shown:
        wanted.feed(frame_of(log, top, cover))
        frame = parse_frame(frame_of(log, top, cover))
        assert frame is not None
        painter.show(frame, WIDTH, HEIGHT)
        for data in islice(iter(painter.paint, ""), 20):
            assert len(STRIP.findall(data)) <= 4  # of two rows, each at most cut in two
            terminal.feed(data)
        assert painter.paint() == ""
        expected = [[glyph.data if glyph.data in looks else glyph for glyph in row] for row in wanted.snapshot()]
        assert [
            [glyph.data if other in looks else glyph for glyph, other in zip(row, others, strict=True)]
            for row, others in zip(terminal.snapshot(), expected, strict=True)
        ] == [[looks.get(glyph, glyph) if isinstance(glyph, str) else glyph for glyph in row] for row in expected]


def test_a_picture_that_scrolls_is_not_sent_anew() -> None:
    painter = Painter(erases_in_colour=True)
    (picture,) = sixels(1)
    mark = painter.sixels.add(picture)
    assert mark is not None
    log = [f"line {number}".ljust(WIDTH) for number in range(22)]
    log[9:12] = [f"{row}{'':{WIDTH - 4}}" for row in placeholders(4, 3, mark)]
    sent = []
    for top in (*range(12), *range(11, -1, -1)):
        frame = parse_frame(frame_of(log, top, None))
        assert frame is not None
        painter.show(frame, WIDTH, HEIGHT)
        sent.append(len(STRIP.findall("".join(iter(painter.paint, "")))))
    down, up = sent[:12], sent[12:]
    assert down == [0, 0, 1, 1, 1, *[0] * 7]
    assert up == [0, 1, 1, *[0] * 9]  # the first row in sight is the last one, which never went


def test_to_ask_what_the_terminal_can_paints_nothing_anew() -> None:
    outbox = Outbox(Painter(erases_in_colour=True))
    outbox.open()
    frame = parse_frame(f"\x1b[1;1H{'text':<10}\x1b[1;1H")
    assert frame is not None
    outbox.show(frame, 10, 1)
    assert outbox.take()
    outbox.control(ASK_GRAPHICS)
    assert outbox.take().decode() == ASK_GRAPHICS
    assert outbox.take() == b""


def test_there_is_a_mark_for_so_many_pictures_and_no_more() -> None:
    kept = Sixels()
    (picture,) = sixels(1)
    marks = [kept.add(picture) for _ in range(MOST_CELLS)]
    assert len({*marks} - {None}) == MOST_CELLS
    assert kept.add(picture) is None
