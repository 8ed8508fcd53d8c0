"""A line to type into."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input


class Field(Input):
    """Textual's input, as wide as the screen makes it: a longer text scrolls, and is no reason for a new layout.

    Its cursor does not blink, which would cost bytes while nothing happens.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Accept", show=False, id="accept")]
    virtual_size = Reactive(Size(0, 0))

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.cursor_blink = False
