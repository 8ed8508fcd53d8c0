"""Where one types: a line, or several."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.geometry import Offset, Size
from textual.reactive import Reactive
from textual.widget import Widget
from textual.widgets import Input, TextArea

from tui_chat.ui.widgets.scrolling import thin_scrollbar


async def act_in_turn(field: Widget, event: Key) -> None:
    """Carry out what a key is bound to in a field, as moving the cursor or deleting, when it is the key's turn.

    Textual itself looks for bindings after the field has taken all keys that came in one burst.
    """
    if event.key.startswith("alt+"):
        event.prevent_default()  # terminals name the letter too, and the field would type it
    bound = None if event.is_printable else field.screen.active_bindings.get(event.key)
    if bound is not None and bound.node is field and bound.enabled:
        event.stop()
        event.prevent_default()
        await field.run_action(bound.binding.action)


class Field(Input):
    """Textual's input, as wide as the screen makes it: a longer text scrolls, and is no reason for a new layout.

    Keys act in their order, and the cursor does not blink, which would cost bytes while nothing happens.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Accept", show=False, id="accept")]
    virtual_size = Reactive(Size(0, 0))

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.cursor_blink = False

    async def on_key(self, event: Key) -> None:
        """Keys act in their order."""
        await act_in_turn(self, event)


class LongField(TextArea):
    """Textual's text area: keys act in their order, the cursor does not blink, and the scrollbar is thin."""

    def __init__(self, text: str = "", **settings: Any) -> None:
        super().__init__(text, show_line_numbers=False, highlight_cursor_line=False, **settings)
        self.cursor_blink = False

    vertical_scrollbar = property(thin_scrollbar)

    async def on_key(self, event: Key) -> None:
        """Keys act in their order."""
        await act_in_turn(self, event)

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """Scroll to the cursor. Textual asks for it while it undoes too, when the cursor's line may be gone."""
        if self.cursor_location[0] >= self.document.line_count:
            return Offset()
        return super().scroll_cursor_visible(center, animate)
