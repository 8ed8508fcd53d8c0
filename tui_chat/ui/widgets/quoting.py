"""Outputs of shell commands in the composer, before what the user types."""

from __future__ import annotations

from textual.widgets import TextArea

from tui_chat.ui.widgets.folding import FoldedTexts


class Quotes:
    """The outputs that the composer still has as they were put there."""

    def __init__(self, composer: TextArea, folded: FoldedTexts) -> None:
        self._composer = composer
        self._folded = folded
        self._added: list[str] = []
        """As they stand in the document: long ones as labels."""

    def _present(self) -> list[str]:
        text = self._composer.document.text
        return [quote for quote in self._added if quote in text]

    def __bool__(self) -> bool:
        return bool(self._present())

    def add(self, text: str) -> None:
        """Insert an output: after the others, before what is typed."""
        composer, written = self._composer, self._composer.document.text
        quote, others = self._folded.fold(text, beside=len(written)), self._present()
        if others:
            before = written[: written.rindex(others[-1]) + len(others[-1])]
            composer.insert(f"\n\n{quote}", (before.count("\n"), len(before) - before.rfind("\n") - 1))
        else:
            composer.insert(f"{quote}\n\n", (0, 0))
        self._added = [*others, quote]
        composer.move_cursor(composer.cursor_location)  # into view again

    def unfolded(self, label: str, text: str) -> None:
        """A label was replaced by its text: if that is an output, it still is."""
        self._added = [text if quote == label else quote for quote in self._added]

    def drop(self) -> bool:
        """Remove the outputs and nothing else; whether there were any."""
        rest, there = self._typed().lstrip("\n"), bool(self)
        if there:
            self._composer.replace(rest, (0, 0), self._composer.document.end, maintain_selection_offset=False)
        return there

    @property
    def command(self) -> str:
        """The shell command that was typed (`!ls`) and nothing else but outputs; empty if there is none.

        It is one line that is seen to begin with `!`, which a long paste does not show.
        """
        typed = self._typed().lstrip("\n")
        return typed if typed.startswith("!") and "\n" not in typed else ""

    def _typed(self) -> str:
        text = self._composer.document.text
        for quote in self._added:
            text = text.replace(quote, "", 1)
        return text
