"""Lines of text with parts that are clicked."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widgets import Static


def clickable(text: Content, action: str) -> Content:
    """`text`, which carries out an action when it is clicked."""
    return text.stylize(Style.from_meta({"@click": action}))


class Hint(Static):
    """A line of keys, as `Keymap.line` makes it. A notice stands in its place for some seconds."""

    auto_links = False

    def __init__(self, line: Content, *, id: str | None = None) -> None:
        super().__init__(line, id=id)
        self._line = line
        self._notice = ""

    def say(self, line: Content) -> None:
        """Change the line; a notice stays before it."""
        self._line = line
        if not self._notice:
            self.update(line)

    def tell(self, notice: str, seconds: float) -> None:
        """Show a notice."""
        self._notice = notice
        self.set_class(bool(notice), "-notice")
        self.update(Content(notice) if notice else self._line)
        if notice:
            self.set_timer(seconds, lambda: self.hush() if self._notice is notice else None)

    def hush(self) -> None:
        """End the notice, if there is one."""
        if self._notice:
            self.tell("", 0)
