"""The file of tokens."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tui_chat.errors import ConfigError
from tui_chat.relay.tokens import TokenFile


def test_a_token_belongs_to_its_name_until_it_is_removed(tokens: Path) -> None:
    file = TokenFile(tokens)
    anna, bob = file.add("anna"), file.add("bob")
    other = TokenFile(tokens)
    assert tuple(other.digests) == ("anna", "bob")
    assert (other.owner_of(anna.encode()), other.owner_of(bob.encode())) == ("anna", "bob")
    file.remove("anna")
    assert (other.owner_of(anna.encode()), other.owner_of(bob.encode())) == (None, "bob")


def test_the_file_is_its_owners_alone_and_keeps_no_token(tokens: Path) -> None:
    token = TokenFile(tokens).add("anna")
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert token not in tokens.read_text()
    assert token.removeprefix("relay-") not in tokens.read_text()
    assert [path.name for path in tokens.parent.iterdir()] == [tokens.name]


def test_tokens_are_long_and_never_the_same(tokens: Path) -> None:
    made = {TokenFile(tokens).add(f"n{number}") for number in range(20)}
    assert len(made) == 20
    assert all(len(token) > 40 for token in made)


def test_changes_at_the_same_time_are_all_kept(tokens: Path) -> None:
    names = [f"n{number}" for number in range(32)]
    for name in names[::2]:
        TokenFile(tokens).add(name)
    with ThreadPoolExecutor(16) as pool:
        added = pool.map(lambda name: TokenFile(tokens).add(name), names[1::2])
        removed = pool.map(lambda name: TokenFile(tokens).remove(name), names[::2])
        owners = dict(zip(names[1::2], added, strict=True))
        assert list(removed) == [None] * 16
    assert {*TokenFile(tokens).digests} == {*owners}
    assert all(TokenFile(tokens).owner_of(token.encode()) == name for name, token in owners.items())


def test_a_folder_that_cannot_be_made_is_said_plainly(tokens: Path) -> None:
    tokens.write_text("")
    with pytest.raises(ConfigError, match="Cannot write"):
        TokenFile(tokens / "below").add("anna")


@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "../x", "-x", "x" * 41, "ä"])
def test_names_are_words(tokens: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        TokenFile(tokens).add(name)
    assert not tokens.exists()


def test_a_name_is_given_once_and_a_strange_one_cannot_be_removed(tokens: Path) -> None:
    file = TokenFile(tokens)
    file.add("anna")
    before = tokens.read_text()
    with pytest.raises(ConfigError, match="already"):
        file.add("anna")
    with pytest.raises(ConfigError, match="no token"):
        file.remove("bob")
    assert tokens.read_text() == before


@pytest.mark.parametrize("text", ["x", "anna sha256:12", "anna md5:" + "0" * 64, "anna sha256:" + "0" * 64 + " x"])
def test_a_file_of_something_else_is_refused_with_its_line(tokens: Path, text: str) -> None:
    TokenFile(tokens).add("anna")
    tokens.write_text(tokens.read_text() + text)
    with pytest.raises(ConfigError, match="line 2"):
        _ = TokenFile(tokens).digests


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_file_that_others_can_touch_is_refused(tokens: Path, mode: int) -> None:
    TokenFile(tokens).add("anna")
    tokens.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        TokenFile(tokens).owner_of(b"x")
    assert "chmod 600" in caught.value.hint


def test_no_file_means_no_tokens(tokens: Path) -> None:
    assert TokenFile(tokens).digests == {}
    assert TokenFile(tokens).owner_of(b"") is None
