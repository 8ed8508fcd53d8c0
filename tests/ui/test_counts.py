"""The promises of speed as counts: what a token, a frame, a scroll and a resize may cost. No clock, so no flaky run."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from tui_chat.markdown import inline
from tui_chat.messages import Message, Role
from tui_chat.parts import parts_of
from tui_chat.server import Server
from tui_chat.terminal.frames import parse_frame
from tui_chat.terminal.painter import Painter
from tui_chat.ui import paint
from tui_chat.ui.paint import PaintClock
from tui_chat.ui.widgets import idle_layout
from tui_chat.ui.widgets.entry import Entry
from tui_chat.ui.widgets.scrolling import RowStrip

from tests.bench.content import KINDS, tokens
from tests.ui.kit import AppDriver, driven

NOWHERE = Server("http://127.0.0.1:9", name="nowhere")
"""A server that is never talked to: what is counted lies above it."""
SIZE = (100, 30)


@asynccontextmanager
async def chat_of(count: int) -> AsyncGenerator[AppDriver, None]:
    """The app with a chat of so many messages, each of some thirty rows."""
    text = "".join(tokens("mixed", 120, "zz"))
    roles = (Role.USER, Role.ASSISTANT)
    async with driven(NOWHERE, size=SIZE, ready=False) as run:
        run.chat.workers.cancel_group(run.chat, "look")
        run.transcript.show(
            Message(roles[number % 2], parts_of(f"Message {number}.\n\n{text}")) for number in range(count)
        )
        run.chat.show_log()
        await run.pilot.pause()
        yield run


async def live_reply(run: AppDriver, source: str = "") -> Entry:
    """A reply below the others that says `source` so far, on the screen."""
    entry = run.transcript.add(Message(Role.ASSISTANT, ()), live=True)
    await grow(run, entry, source)
    await finished(run)
    return entry


async def grow(run: AppDriver, entry: Entry, text: str) -> None:
    """Let the reply say more, and paint it."""
    entry.answer.append(text)
    run.transcript.grown()
    await run.pilot.pause()


async def finished(run: AppDriver) -> None:
    """Wait until a reply that is too long to be laid out at once is, and painted."""
    await run.until(lambda: not run.transcript.stack.unfinished)
    run.rows()
    await run.pilot.pause()


async def measured(run: AppDriver) -> None:
    """Wait until the heights of all messages are known."""
    await run.until(lambda: not run.transcript.stack.unmeasured | run.transcript.stack.unfinished)
    await run.pilot.pause()


@contextmanager
def parsed_characters() -> Iterator[list[int]]:
    """How long each text was that was parsed for inline Markdown."""
    lengths: list[int] = []
    parse = inline.parse

    def counted(text: str, references: Any) -> list[inline.Span]:
        lengths.append(len(text))
        return parse(text, references)

    with patch.object(inline, "parse", counted):
        yield lengths


async def test_many_tokens_are_painted_in_few_frames() -> None:
    async with chat_of(0) as run:
        painted: list[int] = []
        clock = PaintClock(run.transcript, lambda: painted.append(1), lambda: 3600.0)
        for _ in range(1000):
            clock.request()
        assert len(painted) == 1  # the first at once, all others at the next tick
        clock.flush()
        assert len(painted) == 2


async def test_what_is_put_off_for_less_time_than_a_timer_takes_to_start_comes_all_the_same() -> None:
    async with chat_of(0) as run:
        painted: list[int] = []
        with patch.object(paint, "time", SimpleNamespace(monotonic=lambda: 0.0)):
            clock = PaintClock(run.transcript, lambda: painted.append(1), lambda: 1e-9)
            clock.request()
            clock.request()
            await run.until(lambda: len(painted) == 2)
        with patch.object(idle_layout, "_SLICE_PAUSE", 1e-9):
            run.transcript.show(Message(Role.ASSISTANT, parts_of("Words. " * 500)) for _ in range(100))
            run.chat.show_log()
            await measured(run)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_paint_renders_and_parses_little_however_long_the_reply_is(kind: str) -> None:
    every = tokens(kind, 12_000, "aa")
    async with chat_of(2) as run:
        log = run.transcript
        entry = await live_reply(run, "".join(every[:600]))
        for start in (600, 11_900):
            await grow(run, entry, "".join(every[640:start]))
            await finished(run)
            with parsed_characters() as parsed:
                for index in range(start, start + 40, 5):
                    before, lengths = log.rendered, len(parsed)
                    await grow(run, entry, "".join(every[index : index + 5]))
                    assert log.rendered - before <= 12
                    assert sum(parsed[lengths:]) <= 3_000


async def test_what_is_finished_is_not_rendered_again_when_a_token_arrives() -> None:
    async with chat_of(40) as run:
        await measured(run)
        entry = await live_reply(run, "One line.")
        before = run.transcript.rendered
        for _ in range(10):
            await grow(run, entry, " more")
        assert run.transcript.rendered - before <= 20  # the line that grows, each time, and no other


async def test_the_end_of_a_long_reply_lays_out_nothing_again() -> None:
    async with chat_of(2) as run:
        entry = await live_reply(run, "".join(tokens("mixed", 3000, "aa")))
        with parsed_characters() as parsed:
            entry.become(Message(Role.ASSISTANT, parts_of(entry.answer.source)))
            run.transcript.changed(entry)
            await run.pilot.pause()
        assert sum(parsed) == 0
        assert run.shows("qaa02999")


async def test_opening_a_long_chat_renders_a_screen_and_measures_the_rest_in_slices() -> None:
    texts = [f"Message {number}.\n\n" + "Some words and *more* words. " * 30 for number in range(5000)]
    async with chat_of(0) as run:
        log = run.transcript
        log.show(Message(Role.ASSISTANT, parts_of(text)) for text in texts)
        assert len(log.stack.unmeasured) > 4980
        run.chat.show_log()
        await run.pilot.pause()
        assert log.rendered <= 2 * SIZE[1]
        left = len(log.stack.unmeasured)
        assert left > 4000
        assert run.shows("Message 4999.")
        await run.until(lambda: len(log.stack.unmeasured) < left)
        assert log.rendered <= 2 * SIZE[1]


async def test_scrolling_by_a_row_renders_a_row() -> None:
    async with chat_of(60) as run:
        await measured(run)
        log = run.transcript
        before = log.rendered
        run.chat.action_command("page-up")
        await run.until(lambda: log.rendered > before)  # it is painted only in the next frame
        for _ in range(10):
            before = log.rendered
            run.chat.action_command("line-up")
            await run.until(lambda: log.rendered > before)  # noqa: B023  called here only
            assert log.rendered - before <= 2


def refers_to_itself(thing: object) -> bool:
    """Whether a thing is part of a cycle. What a cycle of others merely holds, such as a frame's locals, is not."""
    seen, reached = set[int](), [thing]
    while reached:
        for referent in gc.get_referents(reached.pop()):
            if referent is thing:
                return True
            if id(referent) not in seen and not isinstance(referent, type):
                seen.add(id(referent))
                reached.append(referent)
    return False


async def test_rows_that_scrolled_away_leave_nothing_to_the_garbage_collector() -> None:
    async with chat_of(40) as run:
        await measured(run)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                before = run.transcript.rendered
                run.chat.action_command("page-up")
                await run.until(lambda: run.transcript.rendered > before)  # noqa: B023  called here only
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            rows = [thing for thing in gc.garbage if isinstance(thing, RowStrip) and refers_to_itself(thing)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        assert not rows


async def test_what_is_painted_has_no_style_of_its_own_for_each_place() -> None:
    async with chat_of(4) as run:
        log = run.transcript
        region = log.scrollable_content_region.reset_offset
        painted = [segment.style for strip in log.render_lines(region) for segment in strip]
        assert not [style for style in painted if style and "offset" in style.meta]
        asked = [segment.style for segment in log.render_line(0)]
        assert all(style and style.meta["offset"][1] == log.scroll_offset.y for style in asked)


@contextmanager
def frames_of(run: AppDriver) -> Iterator[list[Any]]:
    """The updates that the compositor makes from now on."""
    frames: list[Any] = []
    display = run.app._display

    def noted(screen: Any, update: Any) -> None:
        if update is not None:
            frames.append(update)
        display(screen, update)

    with patch.object(run.app, "_display", noted):
        yield frames


async def test_a_resize_renders_only_what_is_seen() -> None:
    async with chat_of(500) as run:
        log = run.transcript
        await measured(run)
        width, before, first = log.stack.width, log.rendered, list[tuple[int, int]]()
        display = run.app._display

        def noted(screen: Any, update: Any) -> None:
            display(screen, update)
            if log.stack.width != width and log.rendered > before and not first:
                first.append((log.rendered - before, len(log.stack.unmeasured)))

        with patch.object(run.app, "_display", noted):
            await run.pilot.resize_terminal(SIZE[0] - 20, SIZE[1])
            await run.until(lambda: bool(first))
        rendered, unmeasured = first[0]
        assert 0 < rendered <= 2 * SIZE[1]
        assert unmeasured > 400


async def test_a_token_costs_few_bytes_on_the_line() -> None:
    """Counted over whole screens: in how many frames Textual paints a change depends on the machine's load."""
    painter, sent = Painter(erases_in_colour=True), list[int]()
    every = tokens("mixed", 1200, "aa")
    async with chat_of(2) as run:
        entry = await live_reply(run, "".join(every[:200]))
        for index in range(200, 1200, 5):
            await grow(run, entry, "".join(every[index : index + 5]))
            await finished(run)
            update: Any = run.chat._compositor.render_update(full=True)
            frame = parse_frame(update.render_segments(run.app.console) + "\x1b[29;3H")
            assert frame is not None
            painter.show(frame, *SIZE)
            sent.append(len(painter.paint().encode()))
    assert min(sent[1:]) > 0
    assert sum(sent[1:]) / 995 <= 24  # 14 or 23: Rich keeps the colour codes in which a style was drawn first
    assert max(sent[1:]) <= 2_000


async def test_where_nothing_happens_nothing_is_drawn() -> None:
    async with chat_of(4) as run:
        await measured(run)
        with frames_of(run) as frames:
            for timer in list(run.chat._timers):
                if timer is not run.chat._update_timer:
                    for _ in range(5):  # five of its periods, at once
                        await timer._tick(next_timer=0.0, count=0)
            await run.pilot.pause(0.1)
        assert frames == []


FIRST_FRAME = """
import asyncio, sys
from functools import partial
from tui_chat.config import Config
from tui_chat.server import Server
from tui_chat.store.store import Store
from tui_chat.servers.backend import connect
from tui_chat.ui.run import build
from tui_chat.ui.services import Services

def first_frame(app, screen, update):
    if update is not None and not seen:
        seen.append([name for name in sorted(sys.modules) if name.startswith(COSTLY)])
        app.exit()

async def nothing():
    return Discovery(())

async def main():
    services = Services(Config(), connect, nothing)
    app = build(services, await Store.open(None))
    app._display = partial(first_frame, app)
    await app.workspace.start()
    await app.run_async(headless=True, size=(80, 24))

seen, COSTLY = [], ("httpx", "markdown_it", "pygments.lexers.")
asyncio.run(main())
print(seen)
"""


def test_until_the_first_frame_nothing_is_imported_that_it_does_not_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[[]]", done.stdout + done.stderr
