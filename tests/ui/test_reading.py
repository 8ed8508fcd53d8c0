"""Selecting, copying, stepping, recalling: what a reader does with what is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from tui_chat.chat.conversation import Conversation
from tui_chat.config import Config
from tui_chat.ui.dialogs.ask import LinkScreen

from tests.chat.kit import ask
from tests.server import ScriptedServer, done, end, head, reply
from tests.ui.kit import AppDriver, driven

TEXT = (
    "A paragraph that is long enough to be wrapped over several rows of the terminal, so that joining shows.\n\n"
    "```python\nprint('hello')\n```\n\nSee [the docs](https://example.com/docs) for more.\n"
)


def reversed_text(run: AppDriver) -> str:
    """What of the log is shown in reverse."""
    view = run.transcript
    strips = [view.render_line(y) for y in range(view.size.height)]
    return "".join(part.text for strip in strips for part in strip if part.style and part.style.reverse)


async def answered(server: ScriptedServer, run: AppDriver, text: str = TEXT) -> None:
    server.script(*reply(text))
    await run.say("go")
    await run.idle()


async def test_a_selection_over_rows_copies_the_source_without_hard_breaks() -> None:
    async with ScriptedServer() as server, driven(server, size=(50, 24)) as run:
        await answered(server, run)
        rows = run.rows()
        first = next(y for y, row in enumerate(rows) if "A paragraph" in row)
        last = next(y for y, row in enumerate(rows) if "joining shows." in row)
        assert last > first + 1
        await run.pilot.mouse_down(offset=(2, first))
        await run.pilot.hover(offset=(rows[last].index("shows.") + 6, last))
        await run.pilot.mouse_up(offset=(rows[last].index("shows.") + 6, last))
        await run.pilot.pause()
        await run.pilot.press("ctrl+c")
        assert run.clipboard == TEXT.split("\n")[0]


async def test_alt_c_copies_the_last_reply_as_it_was_written() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await answered(server, run)
        await run.pilot.press("alt+c")
        assert run.clipboard == TEXT


async def test_steps_go_through_messages_code_and_links_and_back() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await answered(server, run)
        seen = []
        for _ in range(3):
            await run.pilot.press("alt+down")
            step = run.transcript.steps.chosen()
            assert step is not None
            seen.append(step.what)
        assert seen == ["the message", "code block 1", "the link"]
        await run.pilot.press("alt+up", "c")
        assert run.clipboard == "print('hello')\n"
        assert any(row.startswith("▎") for row in run.rows())
        await run.pilot.press("escape")
        assert run.chat.composer.has_focus
        assert not any(row.startswith("▎") for row in run.rows())


async def test_two_links_in_a_row_are_numbered_and_marked_by_themselves() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await answered(server, run, "Read [one](https://example.com/1) and [two](https://example.com/2).\n")
        marked = []
        for what in ("link 2 of 2", "link 1 of 2"):
            await run.pilot.press("shift+tab")
            await run.until(lambda what=what: run.shows(f"{what} selected"))  # type: ignore[misc]
            marked.append(reversed_text(run))
        assert marked == ["two", "one"]
        await run.pilot.press("c")
        assert run.clipboard == "https://example.com/1"


@pytest.mark.parametrize("keys", [("alt+up", "alt+down"), ("shift+tab", "tab"), ("shift+tab", "down")])
async def test_each_pair_of_keys_selects_and_arrows_go_on(keys: tuple[str, str]) -> None:
    up, down = keys
    async with ScriptedServer() as server, driven(server) as run:
        await answered(server, run)
        await run.pilot.press(up, "up")
        assert run.shows("code block 1 selected")
        await run.pilot.press(down)
        assert run.shows("link selected")
        await run.pilot.press("escape", "f5")
        assert run.clipboard == TEXT


async def test_an_empty_reply_is_not_copied() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(head(), done(), end())
        await run.say("go")
        await run.idle()
        run.app.copy_to_clipboard("kept")
        for key in ("alt+c", "ctrl+s"):
            await run.pilot.press(key)
        told = [f"The message is empty: there is nothing to {verb}." for verb in ("copy", "save")]
        await run.until(lambda: run.notices[-2:] == told)
        assert run.clipboard == "kept"


async def test_clicks_select_a_word_and_a_paragraph_and_paint_all_of_it() -> None:
    text = (
        "Set `max_depth=3` in /etc/tool.conf, and read the whole of it: "
        + "more words " * 12
        + "\n\nAnother one.\n"
    )
    async with ScriptedServer() as server, driven(server, size=(60, 24)) as run:
        await answered(server, run, text)
        y, row = next((y, row) for y, row in enumerate(run.rows()) if "tool.conf" in row)
        for times, copied in ((2, "/etc/tool.conf"), (3, text.split("\n")[0].replace("`", "").strip())):
            await run.pilot.click(offset=(row.index("tool") + 1, y), times=times)
            await run.pilot.pause()
            selected = run.chat.get_selected_text()
            assert selected is not None
            assert selected.replace("`", "").strip() == copied
        ground = run.chat.get_component_rich_style("screen--selection").bgcolor
        strip = run.transcript.render_line(y - run.transcript.region.y)
        painted = "".join(
            part.text
            for part in strip
            if part.style and part.style.bgcolor == ground and part.style.color not in (None, ground)
        )
        assert "max_depth=3" in painted
        assert ground is not None
        await run.pilot.click(offset=(row.index(" and") + 0, y), times=2)
        assert not run.chat.get_selected_text()


async def test_a_click_on_the_words_that_copy_a_code_block_copies_that_block() -> None:
    text = "One:\n\n```sh\nls\n```\n\nTwo:\n\n```python\nx = 1\ny = 2\n```\n"
    async with ScriptedServer() as server, driven(server, size=(60, 24)) as run:
        await answered(server, run, text)
        for number, code in ((2, "x = 1\ny = 2\n"), (1, "ls\n")):
            y, row = next((y, row) for y, row in enumerate(run.rows()) if f"#{number}" in row)
            await run.pilot.click(offset=(row.index("copy") + 1, y))
            await run.until(lambda code=code: run.clipboard == code)  # type: ignore[misc]
            assert f"code block {number}" in run.notices[-1]


async def test_code_blocks_are_numbered_through_the_chat_and_copied_by_their_number() -> None:
    async with ScriptedServer() as server, driven(server, size=(60, 40)) as run:
        server.script(*reply("One:\n\n```sh\nls\n```\n\n> ~~~~\n> ```\n> ~~~~\n"))
        await run.say("```\nno number in a prompt\n```")
        await run.idle()
        server._scripts.pop("/api/chat")
        server.script(*reply("- Three:\n\n  ```python\n  x = 1\n  ```\n"))
        await run.say("go on")
        await run.idle()
        await run.until(lambda: all(run.shows(f"#{number}  c copy") for number in (1, 2, 3)))
        copy = run.chat.keys.commands["copy"]
        for block, code in ((3, "x = 1\n"), (2, "```\n"), (1, "ls\n")):
            run.chat.carry_out(copy, str(block))
            assert run.clipboard == code
            assert run.notices[-1] == f"Copied code block {block}: {len(code)} B by OSC 52."
        for number in ("4", "0", "two", "\x1b"):
            run.chat.carry_out(copy, number)
            assert run.status.text.startswith("There is no code block ")
            assert "\x1b" not in run.status.text
        run.chat.show_branch()
        await run.until(lambda: run.shows("#3  c copy"))


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TERM": "xterm-256color"}, "Copied the message: 4.0 kB by OSC 52."),
        (
            {"TERM": "tmux-256color", "TMUX": "x"},
            "Copied the message: 4.0 kB by OSC 52 through tmux."
            " If it does not arrive, set in tmux: set -g set-clipboard on",
        ),
        ({"TERM": "screen", "STY": "x"}, "Copied the message: 4.0 kB by OSC 52 through screen."),
        ({"TERM": "linux"}, "The message, 4.0 kB, is in {}: the clipboard cannot take it."),
        ({"TERM": "vt220"}, "The message, 4.0 kB, is in {}: the clipboard cannot take it."),
    ],
)
async def test_a_copy_says_how_it_went(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    async with ScriptedServer() as server, driven(server, config=Config(data_dir=tmp_path)) as run:
        run.chat.services = run.app.services = replace(run.chat.services, environ=environ)
        await answered(server, run, "x" * 3999 + "é")
        run.chat.action_command("copy")
        file = tmp_path / "copied.txt"
        await run.until(lambda: words.format(file) in run.notices)
        assert file.exists() is ("{}" in words)
        if file.exists():
            assert file.read_text() == run.clipboard == "x" * 3999 + "é"
            assert file.stat().st_mode & 0o777 == 0o600


async def test_a_copy_too_large_for_the_clipboard_goes_to_a_file_and_a_full_disk_is_said(tmp_path: Path) -> None:
    async with ScriptedServer() as server, driven(server, config=Config(data_dir=tmp_path)) as run:
        await answered(server, run, "x" * 100_000)
        run.chat.action_command("copy")
        await run.until(lambda: (tmp_path / "copied.txt").exists())
        run.chat.services = replace(run.chat.services, config=Config(data_dir=tmp_path / "gone"))
        run.chat.action_command("copy")
        await run.until(lambda: run.status.error)
        assert run.status.text.endswith("copied.txt: No such file or directory.")


@pytest.mark.parametrize("place", [(2, 20), (190, 20), (60, 0), (100, 20)])
async def test_the_wheel_scrolls_the_log_beside_its_column_too(place: tuple[int, int]) -> None:
    async with ScriptedServer() as server, driven(server, size=(200, 40)) as run:
        await answered(server, run, "\n\n".join(f"Paragraph {number}." for number in range(60)))
        end = run.transcript.scroll_offset.y
        for kind, rows in ((events.MouseScrollUp, -1), (events.MouseScrollDown, 0)):
            run.app.screen._forward_event(kind(None, *place, 0, 0, 0, False, False, False, *place))
            await run.pilot.pause()
            assert run.transcript.scroll_offset.y == end + rows * run.app.scroll_sensitivity_y
        assert run.transcript.viewport.follows


async def test_a_link_shows_its_address_and_does_not_open_by_itself() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await answered(server, run)
        y, row = next((y, row) for y, row in enumerate(run.rows()) if "the docs" in row)
        await run.pilot.click(offset=(row.index("the docs") + 1, y))
        await run.until(lambda: isinstance(run.app.screen, LinkScreen))
        assert run.shows("https://example.com/docs")
        await run.pilot.press("o")  # there is no desktop to open it on
        assert isinstance(run.app.screen, LinkScreen)
        await run.pilot.press("c")
        await run.until(lambda: not isinstance(run.app.screen, LinkScreen))
        assert run.clipboard == "https://example.com/docs"


async def test_up_in_an_empty_composer_recalls_prompts_and_down_comes_back() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        for prompt in ("first", "second"):
            await run.say(prompt)
            await run.idle()
        composer = run.chat.composer
        shown = []
        for key in ("up", "up", "down", "down"):
            await run.pilot.press(key)
            await run.pilot.pause()
            shown.append(composer.text)
        assert shown == ["second", "first", "second", ""]


async def test_up_in_a_prompt_that_is_being_written_moves_the_cursor() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        await run.say("first")
        await run.idle()
        await run.pilot.press("a", "ctrl+j", "b", "up")
        await run.pilot.pause()
        assert run.chat.composer.text == "a\nb"
        assert run.chat.composer.cursor_location[0] == 0


async def test_chats_are_listed_searched_renamed_deleted_and_taken_back() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        for prompt, text in (("apples please", "Red ones."), ("pears please", "Green ones.")):
            server._scripts.pop("/api/chat", None)
            server.script(*reply(text))
            await run.pilot.press("ctrl+n")
            await run.until(lambda: not run.transcript.entries)
            await run.say(prompt)
            await run.until(lambda text=text: run.shows(text))  # type: ignore[misc]
            await run.idle()
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("apples please") and run.shows("2 msg"))
        await run.pilot.press(*"Red")
        await run.until(lambda: run.shows("Red ones."))
        await run.pilot.press("enter")
        await run.until(lambda: run.header.title == "apples please")
        assert run.transcript.steps.message is not None
        await run.pilot.press("escape", "ctrl+o")
        await run.until(lambda: run.shows("pears please"))
        await run.pilot.press("ctrl+d")
        await run.until(lambda: not run.shows("pears please"))
        await run.pilot.press("ctrl+z")
        await run.until(lambda: run.shows("pears please"))
        await run.pilot.press("up", "ctrl+r", *" and plums", "enter")
        await run.until(lambda: run.shows("pears please and plums"))


async def test_a_draft_is_on_disk_soon_after_the_last_key_and_gone_when_it_is_sent() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        store = run.app.workspace.store
        await run.pilot.press(*"not yet sent")
        await run.until(lambda: run.app.workspace.conversation.chat.draft == "not yet sent")
        chat = run.app.workspace.conversation.chat.id
        assert (await store.load(chat)).chat.draft == "not yet sent"
        await run.pilot.press("enter")
        await run.until(lambda: run.shows("ok"))
        assert (await store.load(chat)).chat.draft == ""


async def test_the_chat_that_is_pinned_or_renamed_stays_the_highlighted_one() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        store = run.app.workspace.store
        for name in ("one", "two", "three"):
            conversation = Conversation(store)
            await ask(conversation, name)
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("three"))
        await run.pilot.press("down", "down", "ctrl+t")
        await run.until(lambda: run.shows("★"))
        await run.pilot.press("ctrl+d")
        await run.until(lambda: not run.shows("one"))
        assert [chat.title for chat in await store.chats()] == ["three", "two"]


async def test_the_open_chat_can_be_deleted_and_a_new_one_is_there_instead() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        await run.say("hello")
        await run.idle()
        deleted = run.app.workspace.conversation.chat.id
        run.chat.composer.text = "half a thought"
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("2 msg"))
        await run.pilot.press("ctrl+d")
        await run.until(lambda: run.shows("Deleted. ^Z undoes it."))
        assert run.notices == ["Deleted. ^Z undoes it."]
        await run.pilot.press("escape")
        await run.until(lambda: not run.transcript.entries)
        assert run.app.workspace.conversation.chat.id != deleted
        assert run.chat.composer.text == ""
        await run.say("another")
        await run.idle()
        store = run.app.workspace.store
        assert [chat.title for chat in await store.chats()] == ["another"]
        await store.save(deleted, deleted=False)
        assert (await store.load(deleted)).chat.draft == "half a thought"


async def test_a_draft_that_is_deleted_while_it_is_open_stays_deleted() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await run.pilot.press(*"mine")
        await run.until(lambda: bool(run.app.workspace.conversation.chat.draft))
        await run.pilot.press("!", "ctrl+o")
        await run.until(lambda: run.shows("mine") and run.shows("draft"))
        await run.pilot.press("ctrl+d")
        await run.until(lambda: run.shows("No chats yet."))
        await run.pilot.press("escape")
        await run.until(lambda: len(run.app.screen_stack) == 1 and not run.chat.composer.text)
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("No chats yet."))


async def test_the_open_chat_that_is_taken_back_goes_on() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        await run.say("hello")
        await run.idle()
        await run.pilot.press("ctrl+o")
        await run.until(lambda: run.shows("2 msg"))
        await run.pilot.press("ctrl+d")
        await run.until(lambda: not run.shows("2 msg"))
        await run.pilot.press("ctrl+z")
        await run.until(lambda: run.shows("2 msg"))
        await run.pilot.press("escape")
        await run.until(lambda: len(run.app.screen_stack) == 1)
        assert len(run.transcript.entries) == 2


async def test_typing_on_after_stepping_writes_into_the_composer() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        await answered(server, run)
        await run.pilot.press("alt+up", *"what")
        await run.until(lambda: run.chat.composer.text == "what")
        assert run.transcript.steps.message is None


async def test_letters_are_text_where_no_message_is_selected() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        run.transcript.focus()  # as it may be for a moment while the program starts
        await run.pilot.press(*"ce are")
        await run.until(lambda: run.chat.composer.text == "ce are")


async def test_a_prompt_comes_after_what_another_tui_chat_has_said_meanwhile() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("first answer"))
        await run.say("first")
        await run.idle()
        workspace = run.app.workspace
        other = Conversation(workspace.store, await workspace.store.load(workspace.conversation.chat.id))
        await ask(other, "said elsewhere")
        await run.say("second")
        await run.until(lambda: len(run.transcript.entries) == 5)
        await run.idle()
        texts = [entry.message.text for entry in run.transcript.entries]
        assert texts == ["first", "first answer", "said elsewhere", "second", "first answer"]


async def test_a_version_that_was_replaced_is_found_again_by_searching_for_it() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("It was a pear."))
        server.script(*reply("It was a plum."))
        await run.say("what was it")
        await run.idle()
        await run.pilot.press("ctrl+r")
        await run.until(lambda: run.shows("plum"))
        await run.idle()
        await run.pilot.press("ctrl+o", *"pear")
        await run.until(lambda: run.shows("It was a pear."))
        await run.pilot.press("enter")  # there is no such title: the message is the first
        await run.until(lambda: len(run.app.screen_stack) == 1)
        await run.until(lambda: any("It was a pear." in row for row in run.log()))


async def test_the_mark_moves_with_what_was_stepped_to_when_the_width_changes() -> None:
    async with ScriptedServer() as server, driven(server, size=(100, 24)) as run:
        await answered(server, run)
        await run.pilot.press("alt+down", "alt+down")
        await run.pilot.resize_terminal(40, 24)
        await run.pilot.pause()
        marked = [row for row in run.log() if row.startswith("▎")]
        assert any("print('hello')" in row for row in marked)
        assert not any("paragraph" in row for row in marked)
