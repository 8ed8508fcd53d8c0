"""What a reader can do in the log: scroll, step, fold, copy, follow links."""

from __future__ import annotations

import asyncio

from textual import on, work
from textual.screen import Screen

from tui_chat.config import user_path
from tui_chat.errors import ChatError
from tui_chat.files import unused_name, working_folder, write_new
from tui_chat.messages import Message
from tui_chat.terminal.clipboard import LIMIT, route
from tui_chat.ui.screens.ask import AskScreen
from tui_chat.ui.screens.find import FindScreen
from tui_chat.ui.screens.link import LinkAction, LinkScreen
from tui_chat.ui.services import Services
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.cursor import Step
from tui_chat.ui.widgets.status import Status, StatusBar
from tui_chat.ui.widgets.transcript import Transcript


class Reading(Screen[None]):
    """The reader's half of the chat screen."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    @property
    def transcript(self) -> Transcript:
        """The log."""
        return self.query_one(Transcript)

    @property
    def composer(self) -> Composer:
        """Where the user writes."""
        return self.query_one(Composer)

    def action_page_up(self) -> None:
        """Scroll up by a page, less a row of context."""
        self._scroll(1 - self.transcript.size.height)

    def action_page_down(self) -> None:
        """Scroll down by a page."""
        self._scroll(self.transcript.size.height - 1)

    def action_line_up(self) -> None:
        """Scroll up by a row."""
        self._scroll(-1)

    def action_line_down(self) -> None:
        """Scroll down by a row."""
        self._scroll(1)

    def action_top(self) -> None:
        """Go to the beginning."""
        self.transcript.scroll_to(y=0, animate=False)

    def action_follow(self) -> None:
        """Go to the end and follow."""
        self.transcript.follow()

    def action_toggle_thinking(self) -> None:
        """Fold or unfold all thinking: what the last one is not."""
        thoughtful = [entry for entry in self.transcript.entries if entry.has_thoughts]
        if not thoughtful:
            self.notify("There is no thinking in this chat.", timeout=3)
        else:
            unfolded = not thoughtful[-1].unfolded
            for entry in thoughtful:
                self.transcript.fold(entry, unfolded=unfolded)
            self.say_aside("thinking is shown" if unfolded else "thinking is folded", "")

    def action_step_up(self) -> None:
        """Step to the message, code block or link above."""
        self._step(-1)

    def action_step_down(self) -> None:
        """Step to the message, code block or link below."""
        self._step(1)

    def stepped_to(self) -> Message | None:
        """The message that was stepped to, or into."""
        index = self.transcript.steps.index
        return None if index is None else self.transcript.entries[index].message

    def leave_steps(self) -> None:
        """Step to nothing, and write on."""
        self.transcript.leave_step()
        self.composer.focus()

    def action_find(self) -> None:
        """Find something in this chat."""
        if self.transcript.entries:
            self.app.push_screen(FindScreen(self.transcript.finding))
        else:
            self.notify("There is nothing to find yet.", timeout=3)

    @work(group="dialog", exclusive=True)
    async def action_save(self) -> None:
        """Write what was stepped to, else the last reply, to a file."""
        if (chosen := self._chosen("save")) is None:
            return
        name: str | None = await asyncio.to_thread(unused_name, chosen.name, chosen.suffix)
        hint = f"Enter saves in {working_folder()} · Esc closes"
        while name := await self.app.push_screen_wait(AskScreen(f"Save {chosen.what} as", name or "", hint)):
            try:
                path = user_path(name)
                await asyncio.to_thread(write_new, path, chosen.text)
            except ChatError as error:
                hint = f"{error}. {error.hint}"
            else:
                self.notify(f"Saved {chosen.what} as {path}.", timeout=4, markup=False)
                return

    def action_copy(self) -> None:
        """Copy what was stepped to, else the last reply."""
        if (chosen := self._chosen("copy")) is not None:
            self.copy_out(chosen.what, chosen.text)

    def _chosen(self, purpose: str) -> Step | None:
        """What was stepped to, else the last reply; says so where there is nothing in it."""
        chosen = self.transcript.steps.chosen()
        if chosen is not None and chosen.text.strip():
            return chosen
        empty = "There is nothing" if chosen is None else f"{chosen.what.capitalize()} is empty: there is nothing"
        self.notify(f"{empty} to {purpose}.", timeout=3)
        return None

    def copy_out(self, what: str, text: str) -> None:
        """Send text to the clipboard, and say by which way: a terminal never tells whether it took it."""
        if len(text.encode()) > LIMIT:
            long = f"{what.capitalize()} is too long for a terminal's clipboard: Ctrl+S writes it to a file."
            self.notify(long, severity="warning")
            return
        self.app.copy_to_clipboard(text)
        self.notify(f"Sent {what}, {len(text):,} characters, {route(self._services.environ)}.", timeout=4)

    @on(Transcript.LinkClicked)
    def _link_clicked(self, event: Transcript.LinkClicked) -> None:
        opener = self._services.open_link

        def act(action: LinkAction | None) -> None:
            if action == "copy":
                self.copy_out("the address", event.href)
            elif action == "open" and opener is not None:
                opener(event.href)

        self.app.push_screen(LinkScreen(event.href, can_open=opener is not None), act)

    def _step(self, direction: int) -> None:
        self.transcript.steps.move(direction)
        self.say_step()

    def say_step(self) -> None:
        """Say what was stepped to, and the keys for it."""
        if (step := self.transcript.steps.chosen()) is not None:
            self.transcript.focus()
            keys = "Enter shows it" if step.href else "e edit · r again · ←→ versions"
            self.say_aside(f"at {step.what}", f"↑↓ go on · c copy · {keys} · Esc back")

    def say_aside(self, text: str, hint: str, *, busy: bool = False) -> None:
        """Say something in the status bar until there is something else to say."""
        self.query_one(StatusBar).status = Status(text, hint, busy=busy)

    def _scroll(self, rows: int) -> None:
        self.transcript.scroll_relative(y=rows, animate=False)
