"""Prompts written anew, versions walked through, finding and saving: what a person does with what was said."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from tui_chat.ui.dialogs.ask import AskScreen
from tui_chat.ui.dialogs.find import FindScreen

from tests.server import ScriptedServer, done, end, head, pause, reply, thought, token
from tests.ui.kit import AppDriver, driven


async def said(run: AppDriver, server: ScriptedServer, prompt: str, text: str) -> None:
    """A prompt, and what is answered to it."""
    server._scripts.pop("/api/chat", None)
    server.script(*reply(text))
    await run.say(prompt)
    await run.until(lambda: bool(run.transcript.entries) and run.transcript.entries[-1].message.text == text)
    await run.idle()


def shown(run: AppDriver) -> list[str]:
    return [entry.message.text for entry in run.transcript.entries]


async def edit_the_first_of_two(run: AppDriver, server: ScriptedServer) -> None:
    """Have two prompts answered, and begin to write the first one anew."""
    await said(run, server, "first", "answer one")
    await said(run, server, "second", "answer two")
    await run.pilot.press("alt+up", "alt+up", "alt+up", "alt+up", "e")
    await run.until(lambda: run.chat.composer.text == "first")


async def test_a_prompt_written_anew_is_another_version_and_both_can_be_walked_to() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await edit_the_first_of_two(run, server)
        await said(run, server, "first, better", "answer three")
        assert shown(run) == ["first, better", "answer three"]
        assert server.asked()[-1]["messages"] == [{"role": "user", "content": "first, better"}]
        assert run.shows("you · ‹ 2/2 ›")
        await run.pilot.press("alt+up", "alt+up", "left")
        await run.until(lambda: len(run.transcript.entries) == 4)
        assert shown(run) == ["first", "answer one", "second", "answer two"]
        assert run.shows("you · ‹ 1/2 ›")
        await run.pilot.press("left")
        assert shown(run)[0] == "first"
        await run.pilot.press("right")
        await run.until(lambda: shown(run)[0] == "first, better")


async def test_what_is_selected_below_a_prompt_that_is_written_anew_goes_with_the_log() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await edit_the_first_of_two(run, server)
        await run.pilot.press("alt+up")
        run.chat.composer.focus()
        await said(run, server, "first, better", "answer three")
        assert run.transcript.steps.message is None
        await run.pilot.press("escape", "alt+up", "escape")
        assert shown(run) == ["first, better", "answer three"]


async def test_a_regenerated_reply_says_which_version_it_is_and_the_old_one_is_there() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await said(run, server, "go", "one")
        server._scripts.pop("/api/chat")
        server.script(*reply("two"))
        await run.pilot.press("ctrl+r")
        await run.until(lambda: run.shows("‹ 2/2 ›"))
        assert shown(run) == ["go", "two"]
        await run.pilot.press("alt+up", "left")
        await run.until(lambda: shown(run) == ["go", "one"])
        assert run.shows("‹ 1/2 ›")


async def test_how_long_a_version_was_thought_about_is_told_whenever_it_is_shown() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), thought("hm"), token("one"), done(), end())
        await run.say("go")
        await run.idle()
        server._scripts.pop("/api/chat")
        server.script(*reply("two"))
        await run.pilot.press("ctrl+r")
        await run.until(lambda: run.shows("‹ 2/2 ›"))
        await run.pilot.press("alt+up", "left")
        await run.until(lambda: shown(run) == ["go", "one"])
        assert run.shows("▸ thought for ")
        store, chat = run.app.workspace.store, run.app.workspace.conversation.chat.id
        (kept,) = [message for message in (await store.load(chat)).messages if message.thinking]
        assert kept.usage is not None
        assert kept.usage.thinking_seconds is not None


async def test_esc_leaves_a_prompt_as_it_was_and_what_is_written_is_never_overwritten() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await said(run, server, "first", "answer one")
        await run.pilot.press("alt+up", "e")
        await run.until(lambda: run.chat.composer.text == "first")
        await run.pilot.press("escape")
        await run.until(lambda: not run.chat.composer.text)
        await said(run, server, "second", "answer two")
        assert shown(run) == ["first", "answer one", "second", "answer two"]
        run.chat.composer.text = "half a thought"
        await run.pilot.press("alt+up", "e")
        await run.pilot.pause()
        assert run.chat.composer.text == "half a thought"


async def test_no_version_is_changed_under_a_reply_on_its_way() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await said(run, server, "first", "answer one")
        server._scripts.pop("/api/chat")
        server.script(
            *reply(*["word "] * 3)[:2], *[step for _ in range(100) for step in (token("more "), pause(0.05))]
        )
        await run.say("second")
        await run.until(lambda: len(run.transcript.entries) == 4)
        await run.pilot.press("alt+up", "alt+up", "e", "left")
        await run.pilot.pause()
        assert not run.chat.composer.text
        assert len(run.transcript.entries) == 4
        await run.chat.replies.stop()
        await run.idle()


async def test_find_marks_what_is_typed_and_goes_from_place_to_place() -> None:
    lines = [f"Line {number} has nothing.\n" for number in range(60)]
    lines[10], lines[50] = "Here is a Nädel in hay.\n", "Another needle, and a NEEDLE.\n"
    async with ScriptedServer() as server, driven(server) as run:
        await said(run, server, "a needle please", "\n".join(lines))
        await run.pilot.press("ctrl+home", "ctrl+f")
        await run.until(lambda: isinstance(run.app.screen, FindScreen))
        await run.pilot.press(*"needle")
        await run.until(lambda: run.shows("message 1 of 2"))
        await run.pilot.press("enter")
        await run.until(lambda: run.shows("message 2 of 2") and run.shows("Another needle"))
        await run.pilot.press("down")
        await run.until(lambda: run.shows("message 1 of 2") and run.shows("a needle please"))
        await run.pilot.press("up")
        await run.until(lambda: run.shows("Another needle"))
        await run.pilot.press("ctrl+u", *"nadel")
        await run.until(lambda: run.shows("a Nädel in hay") and run.shows("message 1 of 1"))
        row = next(y for y, text in enumerate(run.log()) if "Nädel" in text)
        marked = [
            segment.text for segment in run.transcript.render_line(row) if segment.style and segment.style.reverse
        ]
        assert marked == ["Nädel"]
        await run.pilot.press("x")
        await run.until(lambda: run.shows("no matches"))
        await run.pilot.press("escape")
        await run.until(lambda: run.chat.composer.has_focus)
        assert not run.transcript.finding.hits


async def test_what_was_stepped_to_is_saved_under_a_name_that_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code-1.py").write_text("mine")
    async with ScriptedServer() as server, driven(server) as run:
        await said(run, server, "code please", "Here:\n\n```python\nprint('hello')\n```\n")
        await run.pilot.press("alt+up", "alt+down", "ctrl+s")
        await run.until(lambda: isinstance(run.app.screen, AskScreen) and run.shows("code-1-2.py"))
        assert run.shows("Enter save in")
        await run.pilot.press("ctrl+u", *"code-1.py", "enter")
        await run.until(lambda: run.shows("already exists"))
        await run.pilot.press("ctrl+u", *"~nobody-here/x", "enter")
        await run.until(lambda: run.shows("no such home"))
        await run.pilot.press("ctrl+u", *"my-code-1.py", "enter")
        await run.until(lambda: (tmp_path / "my-code-1.py").exists())
        await run.pilot.press("escape", "ctrl+s")
        await run.until(lambda: run.shows("reply.md"))
        await run.pilot.press("enter")
        await run.until(lambda: (tmp_path / "reply.md").exists())
        await run.pilot.press("ctrl+s")
        await run.until(lambda: run.shows("reply-2.md"))
    assert (tmp_path / "code-1.py").read_text() == "mine"
    assert (tmp_path / "my-code-1.py").read_text() == "print('hello')\n"
    assert (tmp_path / "reply.md").read_text().startswith("Here:")
    assert (tmp_path / "reply.md").stat().st_mode & 0o077 == 0


async def test_a_burst_of_text_on_a_selected_message_is_typed_whole_and_commands_nothing() -> None:
    """Keys that come in one read, as after a lag, are all on their way before the first of them is handled."""
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("Well."))
        await run.say("a question")
        await run.until(lambda: run.shows("Well."))
        await run.idle()
        await run.pilot.press("alt+up")
        await run.until(lambda: run.transcript.steps.message is not None)
        for key in "where are more error words here":
            run.app.post_message(events.Key("space" if key == " " else key, key))
        run.app.post_message(events.Key("enter", "\r"))
        await run.until(lambda: len(server.asked()) == 2)
        messages = server.asked()[1]["messages"]
        assert isinstance(messages, list)
        assert messages[-1]["content"] == "where are more error words here"
        await run.idle()


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("a", "b", "backspace", "c"), "ac"),
        (("a", "b", "ctrl+u", "c", "d"), "cd"),
        (("a", "space", "b", "ctrl+w", "c"), "a c"),
        (("a", "b", "home", "c", "end", "d"), "cabd"),
    ],
)
async def test_keys_that_arrive_in_one_burst_act_in_their_order(keys: tuple[str, ...], text: str) -> None:
    async with driven(None) as run:
        for key in keys:
            run.app.post_message(events.Key(key, " " if key == "space" else key if len(key) == 1 else None))
        await run.pilot.pause(0.2)
        await run.until(lambda: run.chat.composer.text == text)


async def test_a_long_text_can_be_undone_and_redone() -> None:
    async with driven(None) as run:
        composer = run.chat.composer
        composer.insert(text := "line\n" * 100)
        await run.pilot.press("ctrl+z")
        assert composer.text == ""
        await run.pilot.press("ctrl+y")
        assert composer.text == text
        composer.clear()
        await run.pilot.press("ctrl+z", "ctrl+y")
        assert composer.text == ""
