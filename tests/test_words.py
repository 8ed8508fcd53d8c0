"""What the errors say for the screen, said for a shell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.shell.question import fenced
from tui_chat.shell.words import in_shell

from tests.test_floors import MODULES

KEY = re.compile(r"Ctrl\+|\bF\d\b|\^[A-Z]\b|\bEsc\b")
SCREEN = ("ui", "terminal", "cli", "shell", "backends.demo", "relay")
"""Rooms whose texts a person at a screen reads, or nobody in a shell."""


def hints() -> Iterator[str]:
    """Every text of the rooms below that names a key."""
    for name, tree in MODULES.items():
        if name.startswith(SCREEN):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "x" for part in node.values]
                text = "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            if KEY.search(text):
                yield text


def test_no_hint_names_a_key_in_the_shell_and_none_is_lost() -> None:
    found = list(hints())
    assert len(found) > 8
    for hint in found:
        said = in_shell(hint)
        assert said.strip(), f"nothing is left of {hint!r}: give it a command line in shell/words.py"
        assert not KEY.search(said), said


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("Ctrl+R continues it.", "`tui-chat ask -c` continues it."),
        (
            "Get it with `ollama pull x`, or choose another with Ctrl+L.",
            "Get it with `ollama pull x`, or choose another with -m.",
        ),
        ("Is it running? F3 chooses another server.", "Is it running? --url chooses another server."),
        ("Mend it. Then press Ctrl+X.", "Mend it."),
        ("Check the path.", "Check the path."),
        ("", ""),
    ],
)
def test_a_key_becomes_a_command_line(hint: str, said: str) -> None:
    assert in_shell(hint) == said


@given(st.text(st.sampled_from("`~a\n \t"), max_size=60))
def test_nothing_in_a_fence_ends_it(text: str) -> None:
    first, *inside, last = fenced(text, "py").split("\n")
    assert first == f"{last}py"
    assert not any(last in row for row in inside)
    assert "\n".join(inside) == text.removesuffix("\n")
