"""One measure: what Textual lays out by, what rows are broken by, and what the driver draws."""

from __future__ import annotations

from hypothesis import example, given, settings
from rich.cells import cell_len, get_character_cell_size
from tui_chat.terminal.frames import row_cells
from tui_chat.text.clusters import JOINER, clusters, unjoined

from tests.hostile import HOSTILE


@settings(deadline=None)
@given(HOSTILE)
@example("\u200db")
@example("\u200d\u200d\u200db")
@example("a\u200d b🇩🇪🇩")
def test_the_driver_draws_as_many_cells_as_were_laid_out(text: str) -> None:
    spans = clusters(text)
    assert [start for start, _, _ in spans] + [len(text)] == [0, *(end for _, end, _ in spans)]
    assert all(cells <= 2 for _, _, cells in spans)
    assert sum(cells for _, _, cells in spans) == cell_len(text) == len(row_cells(text))


@settings(deadline=None)
@given(HOSTILE)
def test_only_emoji_are_joined(text: str) -> None:
    shown = unjoined(text)
    assert len(shown) == len(text)
    assert [char for char in shown if char != "\u034f"] == [
        char for char, other in zip(text, shown, strict=True) if other != "\u034f"
    ]
    if JOINER not in shown and "\ufe0f" not in shown:
        assert cell_len(shown) == sum(map(get_character_cell_size, text))


def test_a_flag_and_a_family_are_one_cluster_and_words_are_none() -> None:
    def split(text: str) -> list[str]:
        return [unjoined(text)[start:end] for start, end, _ in clusters(unjoined(text))]

    assert split("🇩🇪🇫🇷🇩") == ["🇩🇪", "🇫🇷", "🇩"]
    assert split("👩\u200d👩\u200d👧!") == ["👩\u200d👩\u200d👧", "!"]
    assert split("a\u200db") == ["a\u034f", "b"]
    assert [cell.text for cell in row_cells("e\x1b[1m\u0301")] == ["e\u0301"]
