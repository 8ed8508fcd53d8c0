"""Complete inline Markdown that is still being written: `**bo` is bold, `[docs](htt` is a link."""

from __future__ import annotations

import re
from typing import Final

from tui_chat.markdown.inline import MATHS, TAGS, is_allowed
from tui_chat.markdown.maths import is_prose

_SPECIAL: Final = re.compile(r"\\.|`+|\*+|_+|~~|\$+|!?\[|\]|[.!?](?=\s)|。|</?([a-z]+)>")
_UNDECIDED: Final = re.compile(r"(?:(?<!\\)\\|(?<![\w\])])!?\[|~)$")
"""Characters at the end that are not shown until more follows."""
_ADDRESS: Final = re.compile(r"\(([^\s()]*(?:\([^\s()]*\)?[^\s()]*)*)")
_MONEY: Final = re.compile(r"(?:\s.*|\d[^\\^_{]*)?")
"""Text after a dollar that does not begin a formula."""
_TAG: Final = re.compile(r"</?([a-z]*)$")
_NOWHERE: Final = "https://"
"""The address of a link until its own has come."""
_DEEPEST: Final = 8
"""Nested open constructs, above which they are text."""


def completed(text: str) -> tuple[str, str]:
    """Inline Markdown with its open constructs closed, and the unfinished formula that follows it, if any.

    Nothing is open from one line to the next.
    """
    begin = text.rfind("\n") + 1
    line = _UNDECIDED.sub("", text[begin:])
    if (tag := _TAG.search(line)) and any(name.startswith(tag[1]) for name in (*TAGS, "br", "details")):
        line = line[: tag.start()]
    line, ahead = _Line(line).completed()
    return text[:begin] + line, ahead


class _Line:
    """An unfinished line, and the open constructs in it, outermost first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._opened: list[str] = []
        self._ahead = ""

    def completed(self) -> tuple[str, str]:
        position: int | None = 0
        while position is not None and (special := _SPECIAL.search(self._text, position)):
            position = self._special(special[0], special.start(), special.end())
        opened = self._opened if len(self._opened) <= _DEEPEST else []
        closers = (f"]({_NOWHERE})" if mark == "[" else mark.replace("<", "</") for mark in reversed(opened))
        text = self._text.rstrip(" \t") if opened and not self._ahead else self._text
        return text + "".join(closers), self._ahead

    def _special(self, mark: str, start: int, end: int) -> int | None:
        """Read a mark; the position to go on from, None at the end."""
        if mark[0] == "`":
            return self._code(mark, start, end)
        if mark in ("\\(", "\\[", "$", "$$"):
            maths = MATHS.match(self._text, start)
            formula = self._text[end:]
            if maths is None and not (mark == "$" and (_MONEY.fullmatch(formula) or is_prose(formula))):
                self._text, self._ahead = self._text[:start], self._text[start:]
                return None
            return maths.end() if maths else end
        if mark == "]":
            return self._link(end)
        if mark == "[":
            if re.match(r"[^\s\d^\]\[]", self._text[end:]) and not re.search(r"[\w\])]$", self._text[:start]):
                self._opened.append(mark)
        elif mark[0] == "<":
            opener = mark.replace("/", "")
            if mark != opener and opener in self._opened:
                del self._opened[self._opened.index(opener) :]
            elif mark == opener and mark[1:-1] in TAGS:
                if not self._text[end:].strip():
                    self._text = self._text[:start]
                    return None
                self._opened.append(mark)
        elif mark[0] in "*_~":
            self._emphasis(mark, start, end)
        elif (
            mark[0] != "!" or len(mark) == 1
        ):  # a sentence ends: what looked like emphasis is a pointer, or `*args`
            self._opened = [opener for opener in self._opened if opener not in "*_"]
        return end

    def _code(self, mark: str, start: int, end: int) -> int | None:
        closer = re.compile(rf"(?<!`){mark}(?!`)").search(self._text, end)
        if closer:
            return closer.end()
        code = self._text[end:].rstrip("`")
        self._text = self._text[:start]
        if code.strip():
            self._text += mark + code
            self._opened.append(mark)
        return None

    def _link(self, end: int) -> int | None:
        if "[" not in self._opened:
            return end
        del self._opened[self._opened.index("[") :]
        address = _ADDRESS.match(self._text, end)
        position = address.end() if address else end
        if position < len(self._text):
            return position
        if address is None:  # `[docs]`
            self._text += "("
        href = address[1] if address else ""
        if is_allowed(href) or (not _NOWHERE.startswith(href) and not "http://".startswith(href)):
            self._text += ")" * is_allowed(href)
        else:
            self._text = self._text.removesuffix(href) + _NOWHERE + ")"
        return None

    def _emphasis(self, mark: str, start: int, end: int) -> None:
        before, after = self._text[start - 1 : start], self._text[end : end + 1]
        left = len(mark)
        while left and before and not before.isspace():
            fits = (i for i, opener in enumerate(self._opened) if opener[0] == mark[0] and len(opener) <= left)
            index = max(fits, default=-1)
            if index < 0:
                break
            left -= len(self._opened[index])
            del self._opened[index:]
        if not after:  # whether it opens anything is not known yet
            self._text = self._text[: len(self._text) - left]
        elif not after.isspace() and not (before.isalnum() and before.isascii() and mark != "**"):
            self._opened += [mark[:2]] * (left // 2) + [mark[:1]] * (left % 2)
