"""The list of chats, newest first, searched with their messages while the user types."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from textual import work
from textual.widgets import Input

from tui_chat.chat.workspace import Workspace
from tui_chat.errors import StoreError
from tui_chat.messages import State
from tui_chat.store.values import ChatSummary, Hit
from tui_chat.text.sanitize import clean_line
from tui_chat.ui import phrases
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.dialogs import bindings
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.dialogs.ask import title_screen
from tui_chat.ui.dialogs.picker import Picker
from tui_chat.ui.widgets.choice_list import Choice

_HINT: Final = (
    "{accept} open · {chats-rename} rename · {chats-pin} pin · {chats-delete} delete · {chats-undo} undo · "
    "{close} close"
)
_LISTED: Final = 200
"""Chats that are listed at most."""
_BREATH: Final = 0.015
"""Seconds that the terminal's thread needs to send a screenful."""
_BLINK: Final = 0.08
"""Seconds for which the old rows stay before 'Searching' replaces them, against flicker."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chat or, with the words that were searched, a message in it."""

    chat: str
    message: str | None = None
    words: str = ""


class ChatsScreen(Picker[Found]):
    """Chats whose title matches, then messages with the text around the words."""

    BINDINGS = bindings(Scope.CHATS)

    def __init__(self, keys: Keymap, workspace: Workspace) -> None:
        super().__init__(keys, "Chats", (), hint=_HINT)
        self._workspace = workspace
        self._store = workspace.store
        self._summaries: dict[str, ChatSummary] = {}
        self._typed = ""
        self._none = ""
        """The words that no title matched; empty while some match."""
        self.deleted: list[str] = []
        """The chats that were deleted here; the open one may be among them."""

    def on_mount(self) -> None:
        """Show the progress of replies each second."""

        def renew() -> None:
            if any(phrases.badge(self._workspace.known(chat)) for chat in self._summaries):
                self._find(self._typed)

        self.set_interval(1.0, renew)

    def filter(self, typed: str) -> None:
        """Search titles at once, then messages."""
        self._find(typed)

    @work(exclusive=True, group="search")
    async def _find(self, typed: str) -> None:
        again = typed == self._typed and self.list.choice is not None
        limit = _LISTED if again else self.app.size.height  # first what is in view
        self._typed = typed
        nothing = "Nothing found." if typed.strip() else "No chats yet."
        known_none = bool(self._none) and typed.startswith(self._none)  # nor can a title match longer words
        try:
            chats = [] if known_none else await self._titled(typed, limit)
            self._none = "" if chats else typed
            if not again and (chats or not typed.strip()):
                self.list.show(chats, nothing)
                await _painted(self)  # painting goes before searching
            elif not again:
                self.list.outdate()
            hits = await self._search(typed) if typed.strip() else ()
            if len(chats) == limit:
                chats = await self._titled(typed, _LISTED)
            if hits is not None:  # else a newer search is running
                self.list.show([*chats, *(_said(hit, typed) for hit in hits)], nothing, keep=True)
        except StoreError as error:
            self.list.show([], error.told)

    async def _titled(self, typed: str, limit: int) -> list[Choice[Found]]:
        chats = await self._store.chats(typed, limit)
        self._summaries |= {summary.id: summary for summary in chats}
        return [_listed(chat, self._workspace) for chat in chats]

    async def _search(self, typed: str) -> Sequence[Hit] | None:
        """The messages with these words; None if a newer search is running."""

        def say_so() -> None:
            if self.list.choice is None:
                self.list.show([], "Searching …")

        late = self.set_timer(_BLINK, say_so)
        try:
            return await self._store.search(typed, titles=False)
        finally:
            late.stop()

    @property
    def _chosen(self) -> ChatSummary | None:
        """The highlighted chat."""
        choice = self.list.choice
        return None if choice is None else self._summaries.get(choice.value.chat)

    @work(group="rename", exclusive=True)
    async def rename(self) -> None:
        """Give the highlighted chat another title."""
        chat = self._chosen
        if chat and (title := await self.app.push_screen_wait(title_screen(self.keys, chat.title))):
            self._change(self._store.save(chat.id, fields={"title": clean_line(title, 80)}))

    def pin(self) -> None:
        """Pin the highlighted chat to the top, or unpin it."""
        if (chat := self._chosen) is not None:
            self._change(self._store.save(chat.id, fields={"pinned": not chat.pinned}))

    def delete(self) -> None:
        """Delete the highlighted chat; `undelete` restores it."""
        if (choice := self.list.choice) is None:
            return
        if (chat := self._chosen) is not None and chat.state is State.STREAMING:
            self.notify("Still replying in this chat: stop the reply first.")
        else:
            self.deleted.append(choice.value.chat)
            self._change(self._store.save(choice.value.chat, deleted=True))
            self.notify(self.keys.hint("Deleted. {chats-undo} undoes it."))

    def undelete(self) -> None:
        """Undo the last deletion."""
        if self.deleted:
            chat = self.deleted.pop()
            self._change(self._store.save(chat, deleted=False), undeleted=chat)

    @work(group="change")
    async def _change(self, change: Awaitable[None], undeleted: str = "") -> None:
        try:
            await change
        except StoreError as error:
            self.deleted += filter(None, [undeleted])
            self.fail(error)
        self._none = ""
        for field in self.query(Input):  # none if it was closed meanwhile
            self.filter(field.value)


async def _painted(screen: ChatsScreen) -> None:
    """Wait until the changes have probably been sent to the terminal."""
    painted = asyncio.Event()
    screen.call_after_refresh(painted.set)
    await painted.wait()
    await asyncio.sleep(_BREATH)


def _listed(chat: ChatSummary, workspace: Workspace) -> Choice[Found]:
    """The row of a chat."""
    badge, present = phrases.badge(workspace.known(chat.id)), chat.id == workspace.conversation.chat.id
    state = "replying" if chat.state is State.STREAMING else "unfinished" if chat.unfinished else ""
    details = (
        (badge or state).removeprefix("● "),
        age(time.time() - chat.updated),
        f"{chat.messages} msg" if chat.messages else "draft",
        chat.model,
    )
    running = badge.startswith("●") or chat.state is State.STREAMING
    mark = "●" if running else "★" if chat.pinned else "✎" if not chat.messages else "›" if present else ""
    return Choice(Found(chat.id), chat.name, details, marked=present, mark=mark)


def _said(hit: Hit, words: str) -> Choice[Found]:
    """The rows of a message that has the words, with the text around them."""
    details = ("", age(time.time() - hit.created), "you" if hit.role == "user" else "reply")
    return Choice(Found(hit.chat, hit.message, words), hit.title or "Untitled", details, snippet=hit.pieces)


def age(seconds: float) -> str:
    """An age: now, 5 min, 3 h, 2 d, 1 w, 2 y."""
    for unit, length in (("y", 31_557_600), ("w", 604_800), ("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return "now"
