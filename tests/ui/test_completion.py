"""The list of candidates above the composer: what opens it, what its keys do, and what is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from textual import events
from tui_chat.config import Config
from tui_chat.errors import ConfigError
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.commands.table import GROUPS
from tui_chat.ui.completion import Candidate, Completion, ranked

from tests.ui.kit import AppDriver, driven


def listed(run: AppDriver) -> list[str]:
    """The names in the list; none while it is closed."""
    completions = run.chat.composer.completions
    return [choice.name for choice in completions.list.choices] if completions.display else []


def highlighted(run: AppDriver) -> str:
    choice = run.chat.composer.completions.list.choice
    return choice.name if choice is not None else ""


async def typed(run: AppDriver, text: str, *, listing: Sequence[str] | None = None) -> None:
    await run.pilot.press(*text)
    await run.until(lambda: run.chat.composer.text.endswith(text))
    if listing is not None:
        await run.until(lambda: listed(run) == list(listing))


def completing(run: AppDriver, *completers: Callable[[str, int], Completion | None]) -> None:
    """Complete by these instead."""
    run.chat.composer.completions._completers = completers


def after_at(candidates: object, *, free: bool = False) -> Callable[[str, int], Completion | None]:
    """Completes what follows the last @."""

    def complete(text: str, cursor: int) -> Completion | None:
        at = text.rfind("@", 0, cursor)
        return Completion(at + 1, cursor, candidates, free) if at >= 0 else None  # type: ignore[arg-type]

    return complete


def test_what_begins_as_it_is_typed_goes_first_and_the_whole_word_before_all() -> None:
    names = ["gemma:4b", "Qwen", "qwen:4b", "qwen", "other"]
    assert [each.text for each in ranked("qwen", map(Candidate, names))] == ["Qwen", "qwen", "qwen:4b"]
    assert [each.text for each in ranked("4B", map(Candidate, names))] == ["gemma:4b", "qwen:4b"]
    assert len(ranked("", map(Candidate, names))) == len(names)


async def test_names_are_listed_with_their_help_and_narrowed_as_one_types() -> None:
    async with driven(None) as run:
        await typed(run, "/")
        await run.until(lambda: run.shows("/bye") and run.shows("Save everything and quit"))
        assert len(listed(run)) > 8
        assert run.chat.composer.completions.size.height == 8
        await typed(run, "the", listing=["/theme"])
        await typed(run, "x", listing=[])


async def test_the_list_covers_the_log_and_moves_nothing() -> None:
    for size in ((80, 24), (40, 10)):
        async with driven(None, size=size) as run:
            before = [widget.region for widget in run.chat.children if widget.display]
            rows = run.rows()
            await typed(run, "/")
            await run.until(lambda: bool(listed(run)))
            await run.pilot.pause()
            assert [
                w.region for w in run.chat.children if w.display and w is not run.chat.composer.completions
            ] == before
            assert run.rows()[0] == rows[0]
            await run.pilot.press("backspace")
            await run.until(lambda: not listed(run))


async def test_tab_takes_the_highlighted_name_and_goes_on_with_its_argument() -> None:
    async with driven(None) as run:
        await typed(run, "/mod", listing=["/model"])
        await run.pilot.press("tab")
        await run.until(lambda: run.chat.composer.text == "/model " and "demo-think" in listed(run))
        first = highlighted(run)
        await run.pilot.press("down", "down", "up")
        second = highlighted(run)
        assert first != second
        await run.pilot.press("tab")
        await run.until(lambda: run.chat.composer.text == f"/model {second}")
        assert run.chat.focused is run.chat.composer


async def test_keys_typed_in_one_burst_complete_as_if_typed_slowly() -> None:
    async with driven(None) as run:
        for key, character in (("slash", "/"), ("m", "m"), ("o", "o"), ("d", "d"), ("tab", "\t")):
            run.app.post_message(events.Key(key, character))
        await run.until(lambda: run.chat.composer.text == "/model ")
        assert run.chat.focused is run.chat.composer


async def test_up_from_the_first_one_goes_to_the_last() -> None:
    async with driven(None) as run:
        completing(run, after_at([Candidate("one"), Candidate("two"), Candidate("three")]))
        await typed(run, "@", listing=["one", "two", "three"])
        await run.pilot.press("up")
        assert highlighted(run) == "three"
        await run.pilot.press("down")
        assert highlighted(run) == "one"


async def test_escape_closes_the_list_alone_and_it_stays_closed_for_that_word() -> None:
    async with driven(None) as run:
        await typed(run, "/the", listing=["/theme"])
        await run.pilot.press("escape")
        await run.until(lambda: not listed(run))
        assert run.chat.composer.text == "/the"
        await typed(run, "m", listing=[])
        await run.pilot.press(*["backspace"] * 5)
        await typed(run, "/the", listing=["/theme"])


async def test_without_a_list_tab_still_goes_to_the_log() -> None:
    async with driven(None) as run:
        await run.say("Hello")
        await run.idle()
        await run.pilot.press("shift+tab")
        await run.until(lambda: run.transcript.steps.message is not None)


async def test_enter_takes_what_needs_more_and_sends_nothing_yet() -> None:
    async with driven(None) as run:
        completing(run, after_at([Candidate("file", more=True), Candidate("folder/", more=True)]))
        await typed(run, "see @f", listing=["file", "folder/"])
        await run.pilot.press("down", "enter")
        await run.until(lambda: run.chat.composer.text == "see @folder/")
        assert not run.transcript.entries


async def test_a_candidate_replaces_only_its_span_in_any_line() -> None:
    async with driven(None) as run:
        completing(run, after_at([Candidate("file ")]))
        run.chat.composer.text = "first\nsee  now\nlast"
        run.chat.composer.move_cursor((1, 4))
        await run.pilot.press("@", "f")
        await run.until(lambda: listed(run) == ["file"])
        await run.pilot.press("tab")
        await run.until(lambda: run.chat.composer.text == "first\nsee @file  now\nlast")


@pytest.mark.parametrize(("free", "sent"), [(True, "@a"), (False, "@ab")])
async def test_enter_sends_what_is_typed_only_where_that_is_as_good(free: bool, sent: str) -> None:
    async with driven(None) as run:
        completing(run, after_at([Candidate("ab")], free=free))
        await typed(run, "@a", listing=["ab"])
        await run.pilot.press("enter")
        await run.until(lambda: bool(run.transcript.entries))
        assert run.transcript.entries[0].message.text == sent


async def test_slow_candidates_hold_up_no_key_and_a_late_answer_is_dropped() -> None:
    gates = {"a": asyncio.Event(), "ab": asyncio.Event()}

    def complete(text: str, cursor: int) -> Completion | None:
        async def find() -> Sequence[Candidate]:
            await gates[text].wait()
            return [Candidate(f"{text}-found")]

        return Completion(0, cursor, find) if text in gates else None

    async with driven(None) as run:
        completing(run, complete)
        await typed(run, "ab", listing=[])
        await run.pilot.press("tab")  # waits for nobody, and goes nowhere
        gates["a"].set()
        await run.pilot.pause()
        assert listed(run) == []
        gates["ab"].set()
        await run.until(lambda: listed(run) == ["ab-found"])
        assert run.chat.focused is run.chat.composer
        await typed(run, "c", listing=[])


async def test_a_text_that_nobody_types_opens_no_list() -> None:
    async with driven(None) as run:
        run.chat.composer.text = "/mod"
        await run.pilot.pause()
        await run.pilot.press("end")
        await run.pilot.pause()
        assert listed(run) == []


async def test_a_click_takes_a_candidate_and_the_composer_keeps_the_focus() -> None:
    async with driven(None) as run:
        await typed(run, "/the", listing=["/theme"])
        await run.pilot.click(run.chat.composer.completions.list)
        await run.until(lambda: run.chat.composer.text == "/theme ")
        assert run.chat.focused is run.chat.composer


async def test_the_keys_of_the_list_can_be_changed() -> None:
    keys = {"completion-take": "ctrl+y", "completion-down": "ctrl+f24"}
    with pytest.raises(ConfigError, match="both"):
        Keymap(GROUPS, {"completion-take": "ctrl+n"})
    async with driven(None, config=Config(keys={**keys, "completion-down": "alt+f9"})) as run:
        await typed(run, "/e")
        await run.until(lambda: listed(run)[:1] == ["/editor"])
        await run.pilot.press("alt+f9", "ctrl+y")
        await run.until(lambda: run.chat.composer.text.startswith("/ex"))
