"""One SVG that moves, of many that stand still: each row of text is kept once, and shown while it stood on screen.

Where animation is off (`prefers-reduced-motion`, or a viewer without CSS), the last frame is seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from xml.etree import ElementTree

_SVG: Final = "{http://www.w3.org/2000/svg}"
_ROW: Final = 24.4
"""Height of a row, as Rich draws it."""
_CELL: Final = 12.2
_EDGE: Final = 14
_MATRIX: Final = f"{_SVG}g[@class='terminal-matrix']"
"""Rich's group of texts, beside the backgrounds."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of the screen as Rich exports it, and for how many seconds it stands."""

    svg: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _Row:
    """What a row shows: stretches of background, and of text with its style."""

    fills: tuple[tuple[float, float, str], ...]
    texts: tuple[tuple[float, float, str, str], ...]

    def markup(self, classes: dict[str, str]) -> str:
        """As SVG, with styles by their classes."""
        rows = [
            f'<rect x="{x:g}" width="{width:g}" height="{_ROW + 0.3:g}" fill="{fill}"/>'
            for x, width, fill in self.fills
        ]
        for x, width, style, text in self.texts:
            name = classes.setdefault(style, f"t{len(classes)}")
            rows.append(f'<text class="{name}" x="{x:g}" y="18.5" textLength="{width:g}">{escape(text)}</text>')
        return "".join(rows)


def moving(frames: Sequence[Frame]) -> str:
    """Join frames of one size to one picture, which begins again after the last."""
    screens = [_rows(frame.svg) for frame in frames]
    height, width = len(screens[0]), max(x + wide for x, wide, _ in screens[0][0].fills)
    starts = [sum(frame.seconds for frame in frames[:number]) for number in range(len(frames) + 1)]
    drawings, classes, uses, spans = dict[_Row, str](), dict[str, str](), list[str](), set[tuple[int, int]]()
    defs = list[str]()
    for y in range(height):
        first = 0
        for last in range(1, len(frames) + 1):
            if last < len(frames) and screens[last][y] == screens[first][y]:
                continue
            row = screens[first][y]
            if row not in drawings:
                drawings[row] = f"r{len(drawings)}"
                defs.append(f'<g id="{drawings[row]}">{row.markup(classes)}</g>')
            names = f"a{first}-{last}" + (" end" if last == len(frames) else "")
            spans.add((first, last))
            uses.append(f'<use href="#{drawings[row]}" y="{y * _ROW:.1f}" class="{names}"/>')
            first = last
    return _document(width, height * _ROW, defs, uses, classes, _rules(spans, starts))


def _rules(spans: set[tuple[int, int]], starts: Sequence[float]) -> str:
    """When what stood from one frame to another is seen."""
    whole, rules = starts[-1], list[str]()
    for first, last in sorted(spans):
        shown = f"a{first}-{last}"
        if (first, last) == (0, len(starts) - 1):
            continue
        begins, ends = (100 * starts[at] / whole for at in (first, last))
        steps = [f"{begins:.2f}%{{visibility:visible}}"]
        steps += ["0%{visibility:hidden}"] if first else []
        steps += [f"{ends:.2f}%,100%{{visibility:hidden}}"] if last < len(starts) - 1 else []
        rules.append(
            f"@keyframes {shown}{{{''.join(steps)}}}.{shown}{{animation:{shown} {whole:g}s step-end infinite}}"
        )
    return "".join(rules)


def _document(
    width: float, height: float, defs: list[str], uses: list[str], classes: dict[str, str], rules: str
) -> str:
    styles = "".join(f".{name}{{{style}}}" for style, name in classes.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-_EDGE} {-_EDGE} {width + 2 * _EDGE:g} {height + 2 * _EDGE:g}">\n'
        f"<style>text{{font:20px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}}"
        f"use{{visibility:hidden}}.end{{visibility:visible}}{styles}\n{rules}"
        f"@media(prefers-reduced-motion:reduce){{use{{animation:none!important}}}}</style>\n<defs>\n"
        + "\n".join(defs)
        + f'\n</defs>\n<rect x="{-_EDGE}" y="{-_EDGE}" width="{width + 2 * _EDGE:g}" height="{height + 2 * _EDGE:g}" '
        f'rx="10" fill="{_ground(defs)}"/>\n' + "\n".join(uses) + "\n</svg>\n"
    )


def _ground(defs: Sequence[str]) -> str:
    """The colour that most of the rows have."""
    fills = re.findall(r'fill="(#\w+)"', "".join(defs))
    ground: str = max(sorted(set(fills)), key=fills.count)
    return ground


def _rows(svg: str) -> list[_Row]:
    """What each row of an exported screen shows."""
    tree = ElementTree.fromstring(svg)
    styles = dict(re.findall(r"\.terminal-(r\d+) \{ ([^}]*?);? \}", svg))
    area = next(group for group in tree.iter(f"{_SVG}g") if group.find(_MATRIX) is not None)
    fills: dict[int, list[tuple[float, float, str]]] = {}
    texts: dict[int, list[tuple[float, float, str, str]]] = {}
    for rect in area.findall(f"{_SVG}rect"):
        x, y, width = (float(rect.get(name, "0")) for name in ("x", "y", "width"))
        if (fill := rect.get("fill", "")).startswith("#") and y >= 1:
            fills.setdefault(round((y - 1.5) / _ROW), []).append((x, width, fill))
    for text in area.iterfind(f"{_MATRIX}/{_SVG}text"):
        said = (text.text or "").replace("\xa0", " ")
        if not said.strip():
            continue
        x, y, width = (float(text.get(name, "0")) for name in ("x", "y", "textLength"))
        lead = len(said) - len(said.lstrip(" "))
        style = styles[text.get("class", "").removeprefix("terminal-")]
        length = width - (len(said) - len(said.strip(" "))) * _CELL
        texts.setdefault(round((y - 20) / _ROW), []).append(
            (x + lead * _CELL, round(length, 1), style, said.strip(" "))
        )
    return [_Row(_joined(fills.get(y, [])), tuple(texts.get(y, []))) for y in range(max((*fills, *texts)) + 1)]


def _joined(fills: list[tuple[float, float, str]]) -> tuple[tuple[float, float, str], ...]:
    """Neighbouring stretches of one colour as one."""
    joined = list[tuple[float, float, str]]()
    for x, width, fill in fills:
        if joined and joined[-1][2] == fill and abs(joined[-1][0] + joined[-1][1] - x) < 0.5:
            joined[-1] = (joined[-1][0], round(x + width - joined[-1][0], 1), fill)
        else:
            joined.append((x, width, fill))
    return tuple(joined)
