"""Cells wanted → bytes → emulator == cells wanted, for whatever screens follow each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size, set_cell_size
from tui_chat.terminal.cells import disputed_width, overlay
from tui_chat.terminal.frames import parse_frame, row_cells
from tui_chat.terminal.painter import Painter
from tui_chat.text.clusters import clusters, unjoined
from wcwidth import wcwidth

from tests.hostile import DISPUTED
from tests.terminal.emulator import Emulator

SGR = [
    "",
    "1",
    "2",
    "1;2",
    "3;31",
    "4;38;5;200",
    "7",
    "9;48;2;1;2;3",
    "44",
    "1;97;104",
    "21",
    "53;32",
    "38;2;9;8;7;44",
    "5;8",
]
CLUSTERS = [
    "a",
    "b",
    "Z",
    " ",
    " ",
    " ",
    "  ",
    "          ",
    "─",
    "é",
    "ö",
    "漢",
    "字",
    "한",
    "😀",
    "❤️",
    "👩‍👩‍👧",
    "🇩🇪",
    "e\u0301",
    "क्षि",
    "☀",
    "\u00a0",
    *DISPUTED,
]
LINKS = ["", "", "", "id=1;https://a.example/", ";https://b.example/?q=1;2"]
STRETCH = st.tuples(st.sampled_from(SGR), st.sampled_from(LINKS), st.lists(st.sampled_from(CLUSTERS), max_size=12))


def styled(sgr: str, link: str, text: str) -> str:
    """Text as Rich renders it."""
    shown = f"\x1b[{sgr}m{text}\x1b[0m" if sgr else text
    return f"\x1b]8;{link}\x1b\\{shown}\x1b]8;;\x1b\\" if link else shown


def fit(stretches: list[tuple[str, str, list[str]]], width: int) -> str:
    """The stretches cut and padded to exactly `width` columns, measured cluster by cluster."""
    pieces, room = [], width
    for sgr, link, texts in stretches:
        text = unjoined("".join(texts))
        if room == width:
            text = without_start(text)
        if cell_len(text) > room:
            text = set_cell_size(text, room)
        room -= cell_len(text)
        pieces.append(styled(sgr, link, text))
    return "".join(pieces) + " " * room


def without_start(text: str) -> str:
    """`text` without what would belong to a cell left of it."""
    return next((text[start:] for start, _, cells in clusters(text) if cells), "")


@st.composite
def sessions(draw: st.DrawFn) -> tuple[int, int, list[str]]:
    """A size, and frames as Textual writes them: whole screens, scrolled ones, pieces."""
    width, height = draw(st.integers(4, 40)), draw(st.integers(2, 10))
    rows = st.lists(STRETCH, max_size=5).map(lambda stretches: fit(stretches, width))
    screen = draw(st.lists(rows, min_size=height, max_size=height))
    frames = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["whole", "scroll", "scroll", "piece", "piece", "row"]))
        patches: list[tuple[int, int, str]] = []
        if kind == "piece":
            x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
            size = draw(st.integers(1, width - x))
            patches = [(x, y, fit(draw(st.lists(STRETCH, max_size=3)), size))]
        elif kind == "row":
            y = draw(st.integers(0, height - 1))
            patches = [(0, y, draw(rows))]
        else:
            if kind == "whole":
                screen = draw(st.lists(rows, min_size=height, max_size=height))
            else:
                top = draw(st.integers(0, height - 2))
                bottom = draw(st.integers(top + 2, height))
                part, lines = screen[top:bottom], draw(st.integers(1, 3))
                new = draw(st.lists(rows, min_size=lines, max_size=lines))
                moved = (part + new)[lines:] if draw(st.booleans()) else (new + part)[: len(part)]
                screen[top:bottom] = moved
            patches = [(0, y, row) for y, row in enumerate(screen)]
        cursor = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        frames.append(
            "\n".join(f"\x1b[{y + 1};{x + 1}H{text}" for x, y, text in patches)
            + f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H"
        )
    return width, height, frames


def new_painter(width: int, height: int, *, bce: bool = True) -> Painter:
    return Painter(erases_in_colour=bce)


def show(painter: Painter, data: str, width: int, height: int) -> str:
    frame = parse_frame(data)
    assert frame is not None
    painter.show(frame, width, height)
    return painter.paint()


@settings(max_examples=250, deadline=None)
@given(sessions(), st.booleans())
def test_the_painted_screen_equals_the_stock_one_after_every_frame(
    session: tuple[int, int, list[str]], bce: bool
) -> None:
    width, height, frames = session
    painter = new_painter(width, height, bce=bce)
    stock, thrifty = Emulator(width, height), Emulator(width, height, bce=bce)
    stock.feed("\x1b[?7l")
    for data in frames:
        stock.feed(data)
        thrifty.feed(show(painter, data, width, height))
        assert thrifty.snapshot() == stock.snapshot()
        assert (thrifty.cursor.x, thrifty.cursor.y) == (stock.cursor.x, stock.cursor.y)
        assert painter.paint() == ""


@settings(max_examples=100, deadline=None)
@given(sessions())
def test_skipped_frames_leave_the_same_screen(session: tuple[int, int, list[str]]) -> None:
    width, height, frames = session
    painter = new_painter(width, height)
    stock, thrifty = Emulator(width, height), Emulator(width, height)
    stock.feed("\x1b[?7l")
    for number, data in enumerate(frames):
        stock.feed(data)
        frame = parse_frame(data)
        assert frame is not None
        painter.show(frame, width, height)
        if number % 2:
            thrifty.feed(painter.paint())
    thrifty.feed(painter.paint())
    assert thrifty.snapshot() == stock.snapshot()


TERMINALS: dict[str, Callable[[str], int]] = {
    "new": get_character_cell_size,
    "old": lambda character: get_character_cell_size(character, "5.0.0"),
    "of wcwidth": lambda character: max(0, wcwidth(character)),
    "without zero width": lambda character: max(1, get_character_cell_size(character)),
}


@pytest.mark.parametrize("terminal", TERMINALS)
@settings(max_examples=100, deadline=None)
@given(session=sessions())
def test_a_terminal_that_measures_clusters_otherwise_keeps_its_columns(
    terminal: str,
    session: tuple[int, int, list[str]],
) -> None:
    """Every cell away from a disputed cluster is right even where each character takes its own width."""
    width, height, frames = session
    painter = new_painter(width, height)
    agreeing, naive = Emulator(width, height), Emulator(width, height, width_of=TERMINALS[terminal])
    for data in frames:
        sequences = show(painter, data, width, height)
        agreeing.feed(sequences)
        naive.feed(sequences)
    for wanted, shown in zip(agreeing.snapshot(), naive.snapshot(), strict=True):
        touched: set[int] = set()
        for head, glyph in enumerate(wanted):
            if columns := disputed_width(glyph.data) if glyph.data else 0:
                # A neighbour to the left may be cut in half by a glyph that came out wider and was then
                # overwritten; at the right edge the wider glyph moves to the left.
                touched.update(range(head - 1 - (head + columns > width), head + 2))
        for x in range(width):
            if x not in touched:
                # what takes no column there has joined it
                same = shown[x]._replace(data=shown[x].data[: len(wanted[x].data)])
                assert same == wanted[x], (x, wanted, shown)


@pytest.mark.parametrize("terminal", TERMINALS)
def test_what_stands_behind_a_disputed_cluster_stays(terminal: str) -> None:
    for text in DISPUTED:
        columns = len(row_cells(f"a{text}"))
        painter, naive = new_painter(20, 1), Emulator(20, 1, width_of=TERMINALS[terminal])
        for before in (" " * columns, f"a{text}"):
            naive.feed(show(painter, f"\x1b[1;1H{before}\x1b[1mtail\x1b[m\x1b[1;1H", 20, 1))
        behind = naive.snapshot()[0][columns : columns + 4]
        assert "".join(glyph.data for glyph in behind) == "tail", ascii(text)


WIDTH, HEIGHT = 120, 40
DARK = "38;2;224;224;224;48;2;18;18;18"


def screen(rows: list[str], cursor: tuple[int, int] = (4, 37)) -> str:
    """A frame of the whole screen in one style, with a scrollbar at the right."""
    lines = [styled(DARK, "", f"{row:<{WIDTH - 1}}") + styled("48;2;0;0;0", "", " ") for row in rows]
    return (
        "\n".join(f"\x1b[{y + 1};1H{line}" for y, line in enumerate(lines))
        + f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H"
    )


def transcript(lines: int, tail: str = "") -> list[str]:
    """A log that fills the screen but for two rows of a composer, which stay."""
    log = [" ".join(f"{word * (number + 7) % 99991:x}" for word in range(9, 25)) for number in range(lines)]
    return ["title", *[*log, tail][-(HEIGHT - 3) :], "---", "> "]


def cost(*frames: str, bce: bool = True) -> int:
    """Bytes of the last frame."""
    painter = new_painter(WIDTH, HEIGHT, bce=bce)
    return [len(show(painter, frame, WIDTH, HEIGHT).encode()) for frame in frames][-1]


def test_an_unchanged_frame_costs_nothing() -> None:
    assert cost(screen(transcript(80)), screen(transcript(80))) == 0


def test_a_moved_cursor_costs_a_few_bytes() -> None:
    assert cost(screen(transcript(80)), screen(transcript(80), (5, 37))) <= 4


def test_a_token_appended_costs_the_token_and_two_moves() -> None:
    replies = ("A", "A bounded", "A bounded queue")
    assert cost(*(screen(transcript(80, reply)) for reply in replies)) <= len(" queue") + 2 * 8


def test_a_token_in_another_colour_costs_only_that_colour() -> None:
    start, before = screen(transcript(80, "A")), screen(transcript(80, "A bounded"))
    red = f"\x1b[0m\x1b[38;2;255;0;0;48;2;18;18;18mqueue\x1b[0m\x1b[{DARK}m"
    after = before.replace("A bounded     ", f"A bounded{red}")
    assert cost(start, before, after) <= len("queue") + len("\x1b[38;2;255;0;0m") + 2 * 8


@pytest.mark.parametrize("bce", [True, False])
def test_scrolling_by_a_row_costs_margins_and_the_new_row(bce: bool) -> None:
    blanks = 0 if bce else WIDTH
    assert cost(screen(transcript(80)), screen(transcript(81)), bce=bce) <= len(transcript(80)[-4]) + 100 + blanks


def test_scrolling_back_costs_the_same_as_scrolling_on() -> None:
    assert cost(screen(transcript(83)), screen(transcript(80))) <= 3 * WIDTH + 100


def test_clearing_the_screen_costs_a_few_bytes_per_row() -> None:
    assert cost(screen(transcript(80)), screen([""] * HEIGHT)) <= HEIGHT * 10


def test_forgetting_paints_all_again_within_the_size_of_the_text() -> None:
    painter = new_painter(WIDTH, HEIGHT)
    frame = screen(transcript(80))
    first = show(painter, frame, WIDTH, HEIGHT)
    painter.forget()
    assert len(painter.paint()) == len(first) < len(frame)


def test_a_resize_paints_all_again() -> None:
    painter = new_painter(WIDTH, HEIGHT)
    show(painter, screen(transcript(80)), WIDTH, HEIGHT)
    small = Emulator(20, 5)
    small.feed(show(painter, "\x1b[1;1Hhello\x1b[1;1H", 20, 5))
    assert [row.rstrip() for row in small.text] == ["hello", "", "", "", ""]


def test_controls_inside_a_frame_are_not_obeyed() -> None:
    painter = new_painter(20, 2)
    hostile = "\x1b[1;1Ha\x1b]0;title\x07b\x1b]52;c;aGk=\x1b\\c\x1b[2Jd\x9be\x1b[?1049lf\x00g\x1bch\x1b[1;1H"
    sequences = show(painter, hostile, 20, 2)
    assert "abcde" in sequences.replace("\x1b[m", "")
    for forbidden in ("\x1b]", "\x1b[2J", "\x9b", "1049", "\x00", "\x1bc"):
        assert forbidden not in sequences


@pytest.mark.parametrize("data", ["\x1b[?1000h", "\x1b]52;c;aGk=\x07", "\x07", "", "hello", "\x1b]22;text\x07"])
def test_what_does_not_begin_with_a_position_is_no_frame(data: str) -> None:
    assert parse_frame(data) is None


def test_a_cluster_drawn_narrower_than_measured_leaves_nothing_old_behind_it() -> None:
    painter, naive = new_painter(6, 1), Emulator(6, 1, width_of=get_character_cell_size)
    naive.feed(show(painter, "\x1b[1;1Habcdef\x1b[1;1H", 6, 1))
    naive.feed(show(painter, "\x1b[1;1Ha❤️def\x1b[1;1H", 6, 1))
    assert naive.text == ["a❤\ufe0f def"]


def test_no_link_stays_open_behind_a_frame() -> None:
    painter = new_painter(10, 1)
    linked = styled("4", ";https://a.example/", "0123456789")
    sequences = show(painter, f"\x1b[1;1H{linked}\x1b[1;1H", 10, 1)
    assert sequences.rindex("\x1b]8;;\x1b\\") > sequences.rindex("https://a.example/")


def test_half_a_wide_cluster_becomes_blank() -> None:
    row = row_cells("\x1b[44m漢字\x1b[0m")
    covered = overlay(row, 1, row_cells("xy"))
    assert [cell.text for cell in covered] == [" ", "x", "y", " "]
    assert covered[0].style.background == covered[3].style.background == "44"
    assert [cell.text for cell in overlay(row, 3, row_cells("字"))] == ["漢", "", " ", " "]


def test_the_last_line_of_a_growing_text_scrolls_with_the_rows_above_it() -> None:
    painter, terminal = Painter(erases_in_colour=True), Emulator(60, 8)
    rows = [f"row {number} of a text that scrolls" for number in range(6)] + ["the last line, which", "status"]
    after = [*rows[1:6], "the last line, which grows as it scrolls", "and the next", "status"]
    sent = ""
    for lines in (rows, after):
        text = "".join(f"\x1b[{y + 1};1H{line.ljust(60)}" for y, line in enumerate(lines))
        frame = parse_frame(text + "\x1b[1;1H")
        assert frame is not None
        painter.show(frame, 60, 8)
        sent = painter.paint()
        terminal.feed(sent)
        assert [row.rstrip() for row in terminal.text] == lines
    assert "grows as it scrolls" in sent
    assert "the last line" not in sent


def test_a_row_that_occurs_twice_scrolls_with_the_rows_below_it() -> None:
    painter, terminal = Painter(erases_in_colour=True), Emulator(40, 8)
    rows = ["first", "=" * 40, "row 0", "=" * 40, *(f"row {number}" for number in range(1, 5))]
    for lines in (rows, [*rows[1:], "row 5"]):
        frame = parse_frame("".join(f"\x1b[{y + 1};1H{line.ljust(40)}" for y, line in enumerate(lines)))
        assert frame is not None
        painter.show(frame, 40, 8)
        sent = painter.paint()
        terminal.feed(sent)
        assert [row.rstrip() for row in terminal.text] == lines
    assert "=" not in sent
