"""Inline Markdown to spans of marked text: markdown-it's inline parser, with maths, footnotes and bare links.

Nothing is swallowed: HTML, and links and images that lead to anything but http, https or mailto, stay as they are
written. What an entity decodes to goes through the sanitiser again, since `&#8238;` is text until it is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final

from tui_chat.markdown import maths
from tui_chat.markdown.symbols import SUBSCRIPTS, SUPERSCRIPTS, scripted
from tui_chat.text.sanitize import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token


class Mark(IntEnum):
    """How a span is set apart: by the palette's styles of these names, in this order. Marks are bits."""

    EMPHASIS = 1
    STRONG = 2
    STRIKE = 4
    MATHS = 8
    MARKER = 16
    LINK = 32
    CODE_INLINE = 64
    KBD = 128


@dataclass(frozen=True, slots=True)
class Span:
    """Text with its marks; `href` is where a link leads. A newline in the text is a line break.

    `source` is what was written where a formula is drawn.
    """

    text: str
    marks: int = 0
    href: str = ""
    source: str = ""


_TAB: Final = " " * 4
_MARKED: Final = {"em": Mark.EMPHASIS, "strong": Mark.STRONG, "s": Mark.STRIKE}
TAGS: Final = {
    **dict.fromkeys(("b", "strong"), Mark.STRONG),
    **dict.fromkeys(("i", "em"), Mark.EMPHASIS),
    **dict.fromkeys(("s", "del"), Mark.STRIKE),
    "kbd": Mark.KBD,
    "summary": Mark.STRONG,
    "sub": 0,
    "sup": 0,
}
"""The HTML that is drawn where it is closed, besides `<br>` and `<details>`."""
_TAG: Final = re.compile(r"<(/?)(br|details|summary|kbd|strong|em|del|b|i|s)(?:\s*/| open)?>(?:(?<=ls>)\n)?", re.I)
_SCRIPT: Final = re.compile(r"<(su[bp])>([^<>\n]+)</\1>", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[^\\`*_~\[\]<&$!:\n]*")
_MARKS: Final = re.compile(r"[\\`*_~\[\]<&$!:]")
_MOST_MARKS: Final = 1000
"""Characters that may mean something in a piece of text, above which it is taken as it is: a model caught in a
loop writes so. No paragraph that a person would read has as many before it is cut (`chunks.SOFT`)."""
MATHS: Final = re.compile(
    r"""\\\(.+?\\\) | \\\[.+?\\\]                                # \( x \) and \[ x \]
        | \$\$(?!\$).+?\$\$                                       # $$ x $$
        | \$(?![\s$])(?:\\.|[^$\\\n`])*?(?<!\s)\$                # $x$, but neither $5 nor US$5 and US$6
          (?:(?![\w$])|(?=(?:th|st|nd|rd)\b))                    # nor $HOME:$PATH
    """,
    re.DOTALL | re.VERBOSE,
)
_MATHS_ENDS: Final = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_NOTE: Final = re.compile(r"\[\^([^\]\s]+)\](?!\()")
_SCHEME: Final = re.compile(r"(?:^|[^a-z0-9.+-])(https?)$", re.IGNORECASE)
_AFTER_SCHEME: Final = re.compile(r"://[^\s<>`\"|\\^{}。，、！？；]+")
_ALLOWED: Final = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_LABEL: Final = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\](?!\()")


def normal_label(label: str) -> str:
    """A reference's label, so that labels which CommonMark holds for equal (4.7) are equal."""
    return " ".join(label.split()).lower().upper()


def labels_in(text: str) -> set[str]:
    """The labels, normalised, that `text` may refer to."""
    return {normal_label(label) for label in _LABEL.findall(text)} if "[" in text else set()


def parse(text: str, references: Mapping[str, str]) -> list[Span]:
    """The spans of `text`; `references` maps normalised labels to where they lead."""
    text = text.replace("\t", _TAB)
    if _PLAIN.fullmatch(text) or (len(text) > _MOST_MARKS and len(_MARKS.findall(text)) > _MOST_MARKS):
        return [Span(text)] if text else []
    tokens: list[Token] = []
    markdown, found = _markdown(), {}
    for label in labels_in(text) if references else ():
        href = markdown.normalizeLink(references.get(label, ""))
        if is_allowed(href):
            found[label] = {"href": href, "title": ""}
    markdown.inline.parse(text, markdown, {"references": found}, tokens)
    return list(_spans(tokens))


@cache
def _markdown() -> MarkdownIt:
    """markdown-it's parser, which is costly to build and has no state of its own."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
    markdown.validateLink = is_allowed  # type: ignore[method-assign]
    markdown.normalizeLinkText = str  # type: ignore[method-assign, assignment]  # decoding would bring back `%1b`
    ruler = markdown.inline.ruler
    ruler.before("escape", "maths", _maths_rule)
    ruler.before("link", "footnote", _note_rule)
    ruler.before("newline", "bare_link", _bare_link_rule)
    ruler.before("autolink", "harmless_html", _html_rule)
    return markdown


def _spans(tokens: list[Token]) -> Iterator[Span]:
    marks = 0
    href = ""
    for token in tokens:
        kind = token.type
        if kind == "text":
            if token.content:
                yield Span(token.content, marks, href)
        elif kind in ("softbreak", "hardbreak"):
            yield Span("\n", marks, href)
        elif kind == "text_special":
            yield Span(clean(token.content).replace("\t", _TAB), marks, href)
        elif kind == "code_inline":
            yield Span(token.content, marks | Mark.CODE_INLINE, href)
        elif mark := _MARKED.get(token.tag):
            marks = marks | mark if token.nesting > 0 else marks & ~mark
        elif kind == "link_open":
            href = str(token.attrs["href"])
            marks |= Mark.LINK
        elif kind == "link_close":
            href = ""
            marks &= ~Mark.LINK
        elif kind == "image":
            source = str(token.attrs["src"])
            name = "".join(span.text for span in _spans(token.children or [])).replace("\n", " ")
            yield Span(f"{name} ({source})" if name else source, marks | Mark.LINK, href or source)
        elif kind == "maths":
            source = token.content
            rows = maths.drawn(source if source[1] not in "$[" else f"\\({source[2:-2]}\\)")
            yield Span(rows[0] if rows else source, marks | Mark.MATHS, href, source if rows else "")
        elif kind == "html":
            marks ^= token.meta["mark"]
        elif kind == "footnote":
            yield Span(token.content, marks | Mark.MARKER, href)


def is_allowed(url: str) -> bool:
    return _ALLOWED.match(url) is not None


def _maths_rule(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "\\$":
        return False
    if state.src[state.pos] == "$" and state.src[state.pos - 1 : state.pos] == "$":
        return False
    closer = _MATHS_ENDS.get(state.src[state.pos : state.pos + 2], "")
    if state.src.find(closer, state.pos + 2) < 0:
        return False
    maths = MATHS.match(state.src, state.pos, state.posMax)
    if maths is None:
        return False
    if not silent:
        state.push("maths", "", 0).content = maths[0]
    state.pos = maths.end()
    return True


def _html_rule(state: StateInline, silent: bool) -> bool:
    """HTML that does no harm is drawn, if it is closed; all other is shown as it was written."""
    if state.src[state.pos] != "<":
        return False
    if script := _SCRIPT.match(state.src, state.pos, state.posMax):
        raised = scripted(script[2], SUPERSCRIPTS if script[1].lower() == "sup" else SUBSCRIPTS)
        if raised and not silent:
            state.push("text", "", 0).content = raised
        state.pos = script.end() if raised else state.pos
        return raised is not None
    tag = _TAG.match(state.src, state.pos, state.posMax)
    if tag is None:
        return False
    name, open_ = tag[2].lower(), state.env.setdefault("html", [])
    if name in TAGS:
        if name not in open_ if tag[1] else state.src.lower().find(f"</{name}>", tag.end()) < 0:
            return False
        if not silent:
            state.push("html", "", 0).meta = {"mark": 0 if name in open_ and not tag[1] else TAGS[name]}
            (open_.remove if tag[1] else open_.append)(name)
            if name == "summary" and not tag[1]:
                state.push("text", "", 0).content = "▾ "
    elif name == "br" and not silent:
        state.push("softbreak", "br", 0)
    state.pos = tag.end()
    return True


def _note_rule(state: StateInline, silent: bool) -> bool:
    note = _NOTE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "[" else None
    if note is None:
        return False
    if not silent:
        state.push("footnote", "", 0).content = f"[{note[1]}]"
    state.pos = note.end()
    return True


def _bare_link_rule(state: StateInline, silent: bool) -> bool:
    """`https://...` as it is; found at the colon, since letters do not stop markdown-it's text rule."""
    if state.src[state.pos] != ":" or state.linkLevel or silent:
        return False
    scheme = _SCHEME.search(state.pending[-len("_https") :])
    found = _AFTER_SCHEME.match(state.src, state.pos, state.posMax) if scheme else None
    rest = _without_punctuation(found[0]) if found else ""
    if scheme is None or len(rest) <= len("://"):
        return False
    url = scheme[1] + rest
    state.pending = state.pending[: -len(scheme[1])]
    state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(url)}
    state.push("text", "", 0).content = url
    state.push("link_close", "a", -1)
    state.pos += len(rest)
    return True


def _without_punctuation(url: str) -> str:
    """`url` without what belongs to the sentence around it."""
    while url and url[-1] in ".,;:!?'*_~)]":
        opener = {")": "(", "]": "["}.get(url[-1])
        if opener and url.count(url[-1]) <= url.count(opener):
            break
        url = url[:-1]
    return url
