"""What the errors say for the screen, said for a shell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.errors import ChatError, Remedy
from tui_chat.servers.content import fenced
from tui_chat.shell.words import advice, complain
from tui_chat.ui import phrases
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.commands.table import GROUPS
from tui_chat.ui.widgets.status import trouble

from tests.test_floors import MODULES

KEY = re.compile(r"Ctrl\+|\bF\d\b|\^[A-Z]\b|\bEsc\b")


def texts(tree: ast.Module) -> Iterator[str]:
    """The strings of a module that are not its documentation."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_no_text_below_the_screen_names_a_key() -> None:
    """The user may have bound others, and who reads it may sit at no screen."""
    rooms = [(name, tree) for name, tree in MODULES.items() if name.split(".")[0] not in ("ui", "shell", "cli")]
    assert [f"{name}: {text}" for name, tree in rooms for text in texts(tree) if KEY.search(text)] == []


@pytest.mark.parametrize("remedy", [*Remedy, None])
def test_what_helps_is_said_without_keys_in_the_shell_and_by_todays_keys_on_the_screen(
    remedy: Remedy | None,
) -> None:
    error = ChatError("It broke.", "Mend it.", remedy)
    said = advice(error)
    assert said.startswith("Mend it.")
    assert not KEY.search(said)
    shown = phrases.advice(error, Keymap(GROUPS, {}))
    assert shown.startswith("Mend it.")
    assert bool(re.search(r"\^[A-Z]|F3", shown)) is (remedy is not None)


@pytest.mark.parametrize("said", ["There is no preset 'no'", "x is binary, not text", "It is gone.", "Why?"])
def test_a_full_stop_is_between_an_error_and_what_to_do(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = ChatError(said, "Do it.")
    sentence = said if said[-1] in ".?" else f"{said}."
    assert error.told == f"{sentence} Do it."
    assert ChatError(said).told == said
    assert trouble(error, Keymap(GROUPS, {})).text == sentence
    complain(error)
    assert capsys.readouterr().err == f"tui-chat: {sentence}\n  Do it.\n"


def test_a_remedy_names_the_key_that_the_user_has_bound() -> None:
    error = ChatError("It broke.", "", Remedy.CONTINUE)
    assert phrases.advice(error, Keymap(GROUPS, {"again": "f11"})) == "F11 continues it."


def test_a_reply_to_go_on_with_is_told_of_once() -> None:
    said = advice(ChatError("It broke.", "", Remedy.CONTINUE), goes_on=True)
    assert said.count("tui-chat ask -c") == 1


@given(st.text(st.sampled_from("`~a\n \t"), max_size=60))
def test_nothing_in_a_fence_ends_it(text: str) -> None:
    first, *inside, last = fenced(text, "py").split("\n")
    assert first == f"{last}py"
    assert not any(last in row for row in inside)
    assert "\n".join(inside) == text.removesuffix("\n")
