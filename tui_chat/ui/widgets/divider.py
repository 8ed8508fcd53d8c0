"""The rule between log and composer, with notices and the badge that counts new rows below."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.ui.widgets.clickable import clickable

_ROWS: Final = 4
"""Rows that notices take at most, the rule included."""
_PASSING: Final = "$foreground"
_STYLES: Final = {"warning": "$text-warning", "error": "$text-error"}


class Divider(Widget):
    """A rule with a few words at either end. A longer notice takes rows above it."""

    auto_links = False
    below: reactive[int | None] = reactive[int | None](None)
    """Rows that came since the reader left the end; None while the log follows."""
    standing: reactive[str] = reactive("")
    """The notice that stands while there are no others."""
    notices: reactive[tuple[Content, ...]] = reactive[tuple[Content, ...]]((), layout=True)
    """Notices that go by themselves, the newest last."""

    def say(self, text: str, severity: str, seconds: float) -> None:
        """Show a notice for some seconds."""
        notice = Content.styled(" ".join(text.split()), _STYLES.get(severity, _PASSING))
        self.notices = (*(other for other in self.notices if other.plain != notice.plain), notice)
        self.set_timer(seconds, lambda: self._drop(notice))

    def clear(self, *, all: bool = False) -> None:
        """Remove the notices; warnings and errors only with `all`."""
        self.notices = () if all else tuple(each for each in self.notices if each.spans[0].style != _PASSING)

    def withdraw(self, text: str) -> None:
        """Remove the notice with this text: it is no longer true."""
        self.notices = tuple(other for other in self.notices if other.plain != " ".join(text.split()))

    def _drop(self, notice: Content) -> None:
        self.notices = tuple(other for other in self.notices if other is not notice)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  Textual's
        """How many rows it needs at this width."""
        return len(self._rows(width))

    def render(self) -> Content:
        """The rule, and the rows above it."""
        return Content("\n").join(self._rows(self.size.width))

    def _rows(self, width: int) -> list[Content]:
        badge = self._badge()
        notices = self.notices or ((Content.styled(self.standing, "$you"),) if self.standing else ())
        wrapped = [notice.wrap(max(1, width - 4)) for notice in notices]
        rows = [row for notice in wrapped for row in notice][-_ROWS:]
        said = Content("")
        if rows and len(wrapped[-1]) == 1 and rows[-1].cell_length + badge.cell_length + 6 <= width:
            said = Content.assemble(" ", rows.pop(), " ")
        rest = width - said.cell_length - badge.cell_length - 2
        rule = Content.assemble("─", said, "─" * rest, badge, "─")
        return [Content.assemble("  ", row) for row in rows[1 - _ROWS :]] + [rule]

    def _badge(self) -> Content:
        if self.below is None:
            return Content("")
        new = f"{self.below} new line{'s' if self.below != 1 else ''}" if self.below else "more below"
        return clickable(Content.styled(f" ↓ {new} · End ", "bold reverse $you"), "screen.command('follow')")
