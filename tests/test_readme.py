"""What README and screenshots claim must be so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tui_chat.cli import parser
from tui_chat.config import load_config
from tui_chat.ui.commands.command import Scope
from tui_chat.ui.commands.keymap import Keymap
from tui_chat.ui.commands.table import COMMANDS, GROUPS

from tests.screenshots import FOLDER, PICTURES, animation, picture

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ROWS = re.findall(r"^\| ((?:`[^`]+` ?)+) \| ([^|]+) \|$", README, re.MULTILINE)
SHOWN = (Scope.APP, Scope.CHAT, Scope.SELECT, Scope.COMPOSER, Scope.LOG)


@pytest.mark.parametrize("name", PICTURES)
def test_a_screenshot_is_what_the_program_shows_today(name: str) -> None:
    assert (FOLDER / f"{name}.svg").read_text() == picture(name), (
        "run: python -m tests.screenshots, and look at them"
    )


def test_the_picture_that_moves_is_what_the_program_shows_today() -> None:
    assert (FOLDER / "moving.svg").read_text() == animation(), "run: python -m tests.screenshots, and look at them"


def test_every_picture_of_the_readme_exists() -> None:
    shown = re.findall(r"screenshots/(\w+)\.svg", README)
    assert shown
    assert set(shown) <= {*PICTURES, "moving"}


def test_the_keys_of_the_readme_are_those_of_the_program() -> None:
    rows = [row for row in ROWS if not row[0].startswith("`/")]
    keys = Keymap(GROUPS, {})
    expected = [
        (" ".join(f"`{label}`" for label in keys.labels(command.id)), command.help)
        for command in COMMANDS
        if command.keys and command.scope in SHOWN
    ]
    assert rows == expected


def test_the_slash_commands_of_the_readme_are_those_of_the_program() -> None:
    """To write them: python -m tests.test_readme."""
    assert [row for row in ROWS if row[0].startswith("`/")] == slash_commands()


def slash_commands() -> list[tuple[str, str]]:
    named = sorted((command.slashes, command) for command in COMMANDS if command.slash)
    return [
        (
            f"`{names[0]}{f' {command.argument.name}' if command.argument else ''}`"
            + "".join(f" `{each}`" for each in names[1:]),
            command.help,
        )
        for names, command in named
    ]


def test_the_config_of_the_readme_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "config.toml"
    file.write_text(example)
    file.chmod(0o600)
    (tmp_path / "key").write_text("secret\n")
    assert tomllib.loads(example)
    config = load_config({"HOME": str(tmp_path), "VLLM_KEY": "x"}, file=file)
    assert config.keys
    assert Keymap(GROUPS, config.keys).own == config.keys
    assert config.servers
    assert not config.warnings


def test_every_flag_of_the_readme_is_one() -> None:
    known = parser().format_help()
    for flag in set(re.findall(r"tui-chat (?:[a-z]+ )?(--[a-z-]+)", README)):
        assert flag in known or flag in ("--format", "--json"), flag


if __name__ == "__main__":
    print(*(f"| {names} | {help} |" for names, help in slash_commands()), sep="\n")
