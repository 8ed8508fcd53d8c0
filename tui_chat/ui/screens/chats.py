"""All chats, newest first, and everything that was said in them: one list, searched as one types."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui_chat.errors import StoreError
from tui_chat.messages import State
from tui_chat.store.store import Store
from tui_chat.store.values import ChatSummary, Hit
from tui_chat.text.sanitize import clean_line
from tui_chat.ui.phrases import size
from tui_chat.ui.screens.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice

_LISTED: Final = 200
"""Rows that are listed; who looks for more types a word."""
_BREATH: Final = 0.015
"""Seconds that the line's thread takes to send a screenful, if nothing else runs."""
_BLINK: Final = 0.08
"""Seconds for which the rows of before stay until there are others: nothing is to flicker from key to key."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chat, and a message in it if it is what was looked for, and by which words."""

    chat: str
    message: str | None = None
    words: str = ""


class ChatsScreen(Picker[Found]):
    """Chats by title, then messages with what was said around the words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "rename", "Rename", show=False, priority=True),
        Binding("ctrl+t", "pin", "Pin", show=False, priority=True),
        Binding("ctrl+d", "delete", "Delete", show=False, priority=True),
        Binding("ctrl+z", "undelete", "Undo", show=False, priority=True),
    ]

    def __init__(self, store: Store, present: str, badge: Callable[[str], str] = lambda _: "") -> None:
        """`badge`: what is to be said of a chat that is open, by its id."""
        super().__init__(
            "Chats",
            (),
            empty="No chats yet.",
            hint="Enter opens · ^R rename · ^T pin · ^D delete · ^Z undo · Esc closes",
        )
        self._store = store
        self._present = present
        self._badge = badge
        self._summaries: dict[str, ChatSummary] = {}
        self._deleted: list[str] = []
        self._renaming: str | None = None
        self._typed = ""
        self._none = ""
        """What was typed when no title matched any more; empty while some do."""

    @property
    def deleted(self) -> Sequence[str]:
        """The chats that were deleted here and not taken back; the open one may be among them."""
        return self._deleted

    def filter(self, typed: str) -> None:
        """Titles at once, then what was said."""
        if self._renaming is None:
            self._find(typed)

    @work(exclusive=True, group="search")
    async def _find(self, typed: str) -> None:
        again = typed == self._typed and self.highlighted is not None
        limit = _LISTED if again else self.app.size.height  # first what is in view
        self._typed = typed
        nothing = "Nothing found." if typed.strip() else "No chats yet."
        try:
            chats = [] if self._has_none(typed) else self._choices_of(await self._store.chats(typed, limit))
            self._none = "" if chats else typed
            if not again and (chats or not typed.strip()):
                self.fill(chats, nothing)
                await self._painted()  # the store takes turns with whoever paints
            elif not again:
                self.outdate()
            hits = await self._search(typed) if typed.strip() else ()
            if len(chats) == limit:
                chats = self._choices_of(await self._store.chats(typed, _LISTED))
            if hits is not None:
                self.fill([*chats, *(_said(hit, typed) for hit in hits)], nothing, keep=True)
        except StoreError as error:
            self.fill([], error.told)

    def _has_none(self, typed: str) -> bool:
        """Whether it is known that no title has all these words: none had a part of them."""
        return bool(self._none) and typed.startswith(self._none)

    async def _search(self, typed: str) -> Sequence[Hit] | None:
        """The messages in which that was said; None if something else is looked for by now."""
        late = self.set_timer(_BLINK, self._say_searching)
        try:
            return await self._store.search(typed, titles=False)
        finally:
            late.stop()

    def _say_searching(self) -> None:
        if not self._shown:
            self.fill([], "Searching …")

    async def _painted(self) -> None:
        """Wait until what changed is about on its way to the terminal."""
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()
        await asyncio.sleep(_BREATH)

    def _choices_of(self, chats: Iterable[ChatSummary]) -> list[Choice[Found]]:
        self._summaries |= {summary.id: summary for summary in chats}
        return [self._listed(summary) for summary in chats]

    def on_mount(self) -> None:
        """Show how far the replies are, each second."""
        super().on_mount()
        self.set_interval(1.0, self._renew)

    def _renew(self) -> None:
        """List what is shown anew where a reply has gone on."""
        if self._renaming is None and any(map(self._badge, self._summaries)):
            self._find(self._typed)

    def _listed(self, chat: ChatSummary) -> Choice[Found]:
        state = "being answered" if chat.state is State.STREAMING else "unfinished" if chat.unfinished else ""
        parts = [
            "pinned" if chat.pinned else "",
            self._badge(chat.id) or state,
            age(time.time() - chat.updated),
            chat.model,
            *((f"{chat.messages} msg", size(chat.size)) if chat.messages else ("draft",)),
        ]
        details = " · ".join(part for part in parts if part)
        name = chat.name
        return Choice(Found(chat.id), name, details, marked=chat.id == self._present)

    def submit(self, typed: str) -> None:
        """Open the highlighted one, or give it the name that was typed."""
        if self._renaming is None:
            super().submit(typed)
        else:
            self._change(self._store.save_chat(self._renaming, title=clean_line(typed.strip(), 80)))
            self._stop_renaming()

    def action_rename(self) -> None:
        """Edit the highlighted chat's title where the filter was."""
        choice = self.highlighted
        if choice is None or choice.value.chat not in self._summaries:
            return
        self._renaming = choice.value.chat
        field = self.query_one(Input)
        field.placeholder, field.value = "A new title; Enter keeps it", self._summaries[self._renaming].title
        field.cursor_position = len(field.value)
        self.say("Rename this chat", "Enter keeps the new title · Esc leaves it as it was")

    def action_close(self) -> None:
        """Leave the title as it was; else the list."""
        if self._renaming is None:
            super().action_close()
        else:
            self._stop_renaming()

    def _stop_renaming(self) -> None:
        self._renaming = None
        self.say("Chats", self.hint)
        field = self.query_one(Input)
        field.placeholder, field.value = "Type to filter", self._typed

    def action_pin(self) -> None:
        """Keep the highlighted chat at the top, or no longer."""
        choice = self.highlighted
        if choice is not None and (chat := self._summaries.get(choice.value.chat)):
            self._change(self._store.save_chat(chat.id, pinned=not chat.pinned))

    def action_delete(self) -> None:
        """Take the highlighted chat away; it can be taken back."""
        choice = self.highlighted
        if choice is None:
            return
        summary = self._summaries.get(choice.value.chat)
        if summary is not None and summary.state is State.STREAMING:
            self.tell("This chat is being answered: it can be deleted when that has ended.")
        else:
            self._deleted.append(choice.value.chat)
            self._change(self._store.delete(choice.value.chat))
            self.tell("Deleted. ^Z takes it back.")

    def action_undelete(self) -> None:
        """Take the last deletion back."""
        if self._deleted:
            self.say("Chats", self.hint)
            self._change(self._store.undelete(self._deleted.pop()))

    @work(group="change")
    async def _change(self, change: Awaitable[None]) -> None:
        try:
            await change
        except StoreError as error:
            self.tell(error.told)
        self._none = ""
        for field in self.query(Input):  # there is none any more if it was closed meanwhile
            self.filter(field.value)


def _said(hit: Hit, words: str) -> Choice[Found]:
    """A message in which the words are, with what stands around them."""
    snippet: list[tuple[str, bool]] = []
    position = 0
    for start, end in hit.spans:
        snippet += [(hit.snippet[position:start], False), (hit.snippet[start:end], True)]
        position = end
    snippet.append((hit.snippet[position:], False))
    details = f"{hit.role} · {age(time.time() - hit.created)}"
    return Choice(Found(hit.chat, hit.message, words), hit.title or "Untitled", details, snippet=tuple(snippet))


def age(seconds: float) -> str:
    """How long ago: now, 5 min, 3 h, 2 d, or weeks and more."""
    for unit, length in (("y", 31_557_600), ("w", 604_800), ("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return "now"
