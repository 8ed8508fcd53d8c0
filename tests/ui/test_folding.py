"""A long paste stands in the composer as a label, and is sent, kept and edited whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from tui_chat.ui.widgets.folding import CHARACTERS, LINES, PASTED_LINES, UNFOLDED, FoldedTexts

from tests.server import ScriptedServer, reply
from tests.ui.kit import AppDriver, driven

LONG = "words and more words " * 50_000


@pytest.fixture
async def run() -> AsyncIterator[AppDriver]:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        yield run


async def paste(run: AppDriver, text: str) -> None:
    whole = len(run.chat.composer.text) + len(text)
    run.chat.composer.post_message(events.Paste(text))
    await run.until(lambda: len(run.chat.composer.text) == whole)


def folded(run: AppDriver) -> bool:
    return len(run.chat.composer.document.text) < 80


@pytest.mark.parametrize(
    "text", [LONG, "!" * 1_000_000, "\n" * 100_000 + "end", "short\n" * LINES, "short\n" * PASTED_LINES]
)
async def test_a_long_paste_is_laid_out_as_a_few_words(run: AppDriver, text: str) -> None:
    await run.pilot.press("a")
    await paste(run, text)
    await run.pilot.press("b")
    assert folded(run)
    assert run.chat.composer.text == f"a{text}b"


async def test_pastes_that_are_long_together_are_folded_too(run: AppDriver) -> None:
    for _ in range(10):
        await paste(run, "x" * (CHARACTERS - 100))
    assert len(run.chat.composer.document.text) < CHARACTERS + 1000
    assert run.chat.composer.text == "x" * (CHARACTERS - 100) * 10


async def test_a_long_paste_is_sent_whole(run: AppDriver) -> None:
    await paste(run, LONG + "end")
    await run.pilot.pause(0.1)  # an Enter right after a paste belongs to it
    await run.pilot.press("enter")
    await run.idle()
    (prompt, _) = run.app.workspace.conversation.branch
    assert prompt.text == LONG + "end"


async def test_a_label_is_deleted_whole_and_comes_back_whole(run: AppDriver) -> None:
    await run.pilot.press("a")
    await paste(run, LONG)
    await run.pilot.press("b", "left", "backspace")
    assert run.chat.composer.text == "ab"
    await run.pilot.press("ctrl+z")
    assert run.chat.composer.text == f"a{LONG}b"


async def test_what_is_typed_within_a_label_stands_behind_it(run: AppDriver) -> None:
    await paste(run, LONG)
    await run.pilot.press("left", "left", "x", "y")
    assert run.chat.composer.text == f"{LONG}xy"


async def test_a_selection_that_ends_within_a_label_is_of_all_of_it(run: AppDriver) -> None:
    await paste(run, LONG)
    await run.pilot.press("z", "shift+left", "shift+left", "shift+left", "delete")
    assert run.chat.composer.text == ""


async def test_a_long_draft_is_folded_when_the_chat_is_opened_again(run: AppDriver) -> None:
    await paste(run, LONG)
    await run.pilot.press("ctrl+n")
    await run.until(lambda: run.chat.composer.text == "")
    (chat,) = await run.app.workspace.store.chats()
    await run.chat.navigation.open_chat(chat.id)
    await run.until(lambda: run.chat.composer.text == LONG)
    assert folded(run)


async def test_a_folded_paste_is_unfolded_in_its_place_edited_and_sent_whole(run: AppDriver) -> None:
    text = "some words of a line\n" * 312
    await run.pilot.press("a")
    await paste(run, text)
    assert run.shows("[text 1: 312 lines · Alt+U unfolds]")
    await run.pilot.press("b")
    run.app.post_message(events.Key("alt+u", "u"))  # as it comes from a terminal
    await run.until(lambda: not folded(run))
    assert run.chat.composer.document.text == f"a{text}b"
    await run.pilot.press("ctrl+z")
    assert folded(run)
    await run.pilot.press("alt+u", "x", "enter")
    await run.idle()
    (prompt, _) = run.app.workspace.conversation.branch
    assert prompt.text == f"a{text}xb"


async def test_of_several_texts_the_one_at_the_cursor_is_unfolded(run: AppDriver) -> None:
    for word in ("one\n", "two\n"):
        await paste(run, word * 30)
        await run.pilot.press("ctrl+j")
    await run.pilot.press("up", "up", "alt+u")
    assert run.chat.composer.document.text.startswith("one\n" * 30 + "\n[text 2")


async def test_a_click_on_a_label_unfolds_it(run: AppDriver) -> None:
    await paste(run, "one\n" * 30)
    await run.pilot.press("ctrl+j", "x")
    await run.pilot.click(run.chat.composer, offset=(6, 1))
    assert folded(run)
    await run.pilot.click(run.chat.composer, offset=(6, 0))
    assert run.chat.composer.document.text == "one\n" * 30 + "\nx"


@pytest.mark.parametrize("text", ["x" * (CHARACTERS + 1), "short\n" * (UNFOLDED // 6 + 1)])
async def test_a_text_that_would_make_keys_slow_stays_folded_and_goes_to_the_editor(
    run: AppDriver, text: str
) -> None:
    await paste(run, text)
    assert run.shows("^G edits]")
    await run.pilot.press("alt+u")
    assert folded(run)
    assert run.chat.composer.text == text
    assert run.notices == ["Too long to be edited here: ^G opens your editor."]


async def test_a_recalled_prompt_of_some_lines_is_not_folded(run: AppDriver) -> None:
    await paste(run, text := "some\nlines\n" * 20 + "end")
    await run.pilot.pause(0.1)
    await run.pilot.press("enter")
    await run.idle()
    await run.pilot.press("up")
    assert run.chat.composer.document.text == text


@given(st.lists(st.text(max_size=30) | st.text(max_size=5).map(lambda text: text * 3_000), max_size=5))
def test_what_was_folded_is_unfolded_in_its_place(texts: list[str]) -> None:
    folded = FoldedTexts()
    assert folded.unfold(", ".join(map(folded.fold, texts))) == ", ".join(texts)


@pytest.mark.parametrize(
    "text", ["[text 1: 1,050,000 characters]", "[text 99999999999999999999999: x]", "[text 0: x]"]
)
def test_what_only_looks_like_a_label_is_text(text: str) -> None:
    folded = FoldedTexts()
    folded.fold(LONG)
    assert folded.unfold(text) == text


async def test_the_last_line_can_be_cut() -> None:
    async with driven(None) as run:
        for text in ("", "one line", "two\nlines"):
            run.chat.composer.text = text
            run.chat.composer.move_cursor(run.chat.composer.document.end)
            await run.pilot.press("ctrl+x")
            assert run.chat.composer.text == text.rpartition("\n")[0] + "\n" * ("\n" in text)
