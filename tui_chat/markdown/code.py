"""Code, coloured line by line with the lexer's state carried over: a line costs the same wherever it stands.

Pygments' lexers want the whole text. Most are tables of regular expressions per state, and running such a table
over one line at a time, from the stack of states that the line before left, gives the same tokens, but for
expressions that match across lines (C's comments, Go's raw strings). Those are found by probing and tracked here.
Other lexers see each line alone. There is no guessing: code without a known language has no colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pygments.lexer import Lexer, RegexLexer

Token = tuple[str, str]
"""The name of a Pygments token type without `Token.` (empty for plain text), and its text."""

_PAIRS: Final = (
    *(("/**", "*/"), ("/*", "*/"), ("<!--", "-->"), ("(*", "*)"), ("{-", "-}"), ("--[[", "]]"), ("<#", "#>")),
    *(('"""', '"""'), ("'''", "'''"), ("`", "`")),
)
"""Delimiters of constructs that a lexer matches across lines in one expression."""
_BEGINNINGS: Final = frozenset(opener[0] for opener, _ in _PAIRS)
_DEEPEST: Final = 60


@dataclass(frozen=True, slots=True)
class LexState:
    """The lexer's state after a line.

    Args:
        stack: the lexer's states, innermost last.
        closer: what ends the construct that the lexer would have matched across lines; empty outside of one.
        kind: the token type of that construct.
    """

    stack: tuple[str, ...] = ("root",)
    closer: str = ""
    kind: str = ""


class Highlighter:
    """Colours the lines of one language."""

    def __init__(self, lexer: Lexer) -> None:
        from pygments.lexer import ExtendedRegexLexer, RegexLexer

        self.lexer = lexer
        stock = type(lexer).get_tokens_unprocessed
        extended = stock is ExtendedRegexLexer.get_tokens_unprocessed
        self._tokens = self._run_extended if extended else self._run
        self._by_table = extended or (isinstance(lexer, RegexLexer) and not isinstance(lexer, ExtendedRegexLexer))
        self._spanning: dict[tuple[str, str], str] = {}

    def line(self, text: str, state: LexState) -> tuple[list[Token], LexState]:
        """The tokens of a line, which has no newline, and the state after it. Together they are the line."""
        if self._by_table:
            tokens, after = self._continue(text, state)
        else:
            parts = self.lexer.get_tokens(text + "\n")
            tokens, after = [(_name(kind), part.rstrip("\n")) for kind, part in parts], state
        if "".join([part for _, part in tokens]) != text:  # some lexers drop or add something
            tokens = [("", text)]
        return [token for token in tokens if token[1]], after

    def _continue(self, text: str, state: LexState) -> tuple[list[Token], LexState]:
        tokens: list[Token] = []
        position = 0
        if state.closer:
            found = text.find(state.closer)
            if found < 0:
                return [(state.kind, text)], state
            position = found + len(state.closer)
            tokens.append((state.kind, text[:position]))
        stack = list(state.stack)
        for kind, part, at in self._tokens(text + "\n", position, stack):
            opened = self._opened(text, at, stack)
            if opened:
                closer, kind = opened
                tokens.append((kind, text[at:]))
                return tokens, LexState(_shallow(stack), closer, kind)
            tokens.append((kind, part.rstrip("\n")))
        return tokens, LexState(_shallow(stack))

    def _opened(self, source: str, at: int, stack: list[str]) -> tuple[str, str] | None:
        """The closer and type of a construct that begins at `at` and does not end on this line."""
        if source[at : at + 1] not in _BEGINNINGS:
            return None
        for opener, closer in _PAIRS:
            if source.startswith(opener, at) and source.find(closer, at + len(opener)) < 0:
                kind = self._spans_lines(stack[-1], opener, closer)
                if kind:
                    return closer, kind
        return None

    def _spans_lines(self, state: str, opener: str, closer: str) -> str:
        """The type of the token that such a construct is when it spans lines; empty if it cannot."""
        key = (state, opener)
        if key not in self._spanning:
            before, probe = "x ", f"{opener} a\nb {closer}"  # not where `^` would match
            kind, part, _ = next(self._tokens(before + probe, len(before), [state]), ("", "", 0))
            self._spanning[key] = kind if part == probe else ""
        return self._spanning[key]

    def _run(self, text: str, position: int, stack: list[str]) -> Iterator[tuple[str, str, int]]:
        """The table run over `text`, as `RegexLexer.get_tokens_unprocessed` does; `stack` is left as it ends.

        The stack changes after the tokens of a rule: the caller sees the state that a token was found in.
        """
        lexer: Any = self.lexer
        table = lexer._tokens
        while position < len(text):
            for match_at, action, new_state in table[stack[-1]]:
                match = match_at(text, position)
                if not match:
                    continue
                if isinstance(action, tuple):  # a token type is a tuple of names
                    yield _name(action), match.group(), position
                elif action is not None:
                    yield from ((_name(kind), part, at) for at, kind, part in action(lexer, match) if part)
                position = match.end()
                if new_state is not None:
                    _move(stack, new_state)
                break
            else:
                if text[position] == "\n":
                    stack[:] = ["root"]
                yield "", text[position], position
                position += 1

    def _run_extended(self, text: str, position: int, stack: list[str]) -> Iterator[tuple[str, str, int]]:
        from pygments.lexer import LexerContext

        context = LexerContext(text, position, stack)
        lexer: RegexLexer = self.lexer
        for at, kind, part in lexer.get_tokens_unprocessed(context=context):
            yield _name(kind), part, at
        stack[:] = context.stack


@lru_cache(maxsize=64)
def highlighter_for(language: str) -> Highlighter | None:
    """The highlighter of a language, by any name that Pygments knows; None for others."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    if not language or language.lower() in ("text", "plain", "plaintext", "txt"):
        return None
    try:
        return Highlighter(get_lexer_by_name(language, stripnl=False, ensurenl=False))
    except ClassNotFound:
        return None


def suffix_of(language: str) -> str:
    """The ending of a file in a language, like `.py`; `.txt` where there is no usual one."""
    highlighter = highlighter_for(language)
    patterns = highlighter.lexer.filenames if highlighter else ()
    plain = (pattern[1:] for pattern in patterns if pattern.startswith("*.") and pattern[2:].isalnum())
    return next(plain, ".txt")


def _move(stack: list[str], new_state: Any) -> None:
    """A transition of a lexer's table, in the forms that Pygments compiles it to."""
    if isinstance(new_state, int):
        del stack[max(1, len(stack) + new_state) :]
        return
    for state in (new_state,) if isinstance(new_state, str) else new_state:
        if state == "#pop":
            del stack[max(1, len(stack) - 1) :]
        else:
            stack.append(stack[-1] if state == "#push" else state)


def _shallow(stack: list[str]) -> tuple[str, ...]:
    """`stack` without its middle where code, unbalanced, has piled it up."""
    if len(stack) <= _DEEPEST:
        return tuple(stack)
    return (stack[0], *stack[-_DEEPEST // 2 :])


@cache
def _name(kind: Any) -> str:
    return str(kind).removeprefix("Token").removeprefix(".")
