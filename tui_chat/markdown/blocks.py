"""The block structure of Markdown, line by line: phase 1 of CommonMark's parsing strategy (spec 0.31, appendix).

Each line is read once, against a stack of open containers and one open leaf. Everything the parser knows is in a
handful of immutable values, so a clone costs nothing: an unfinished last line is read by a clone that is thrown
away when more arrives.

On purpose it is not CommonMark where chat needs otherwise: HTML is text; a setext underline has two characters; a
reference definition stands on one line; an item's number never goes back, but may leap as the source does; a line
too long to wait for its end is text; what is nested deeper than anybody reads is text.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Final, Literal

from tui_chat.markdown import lines
from tui_chat.markdown.chunks import cut
from tui_chat.markdown.growing import completed
from tui_chat.markdown.leaves import Code, Formula, Leaf, Paragraph, Rows
from tui_chat.markdown.lines import Cursor
from tui_chat.markdown.units import (
    NO_GAP,
    Alert,
    Break,
    CodeEnd,
    CodeLine,
    CodeStart,
    Container,
    Definition,
    Item,
    Maths,
    Note,
    Place,
    Quote,
    Table,
    TableRow,
    Text,
    Unit,
)
from tui_chat.text.overlap import common

LONG_LINE: Final = 2000
"""Characters of a line after which it is read as it comes, as text."""
LONG_CODE: Final = 1000
"""Characters of a line of code after which it is split into pieces."""

DEEPEST: Final = 100
"""Containers within each other, after which a marker is text."""

_Kind = Literal["text", "heading", "frame"]
"""How a leaf is set apart: a frame (code, a table, maths) has blank rows around it, a heading one above."""


class BlockParser:
    """Reads lines and appends the units that they complete to `out`."""

    __slots__ = ("_blank", "_fresh", "_last", "_last_path", "_leaf", "_path", "_serial", "blocks", "out")

    def __init__(self, blocks: int = 0) -> None:
        self.out: list[Unit] = []
        self.blocks = blocks
        self._path: tuple[Container, ...] = ()
        self._fresh = 0
        self._leaf: Leaf | None = None
        self._blank = False
        self._last: _Kind | None = None
        self._last_path: tuple[Container, ...] = ()
        self._serial = 0

    def clone(self) -> BlockParser:
        """A parser in the same state, with nothing in `out`."""
        other = copy(self)
        other.out = []
        return other

    @property
    def limit(self) -> int:
        """The length from which the next line is long: its head goes to `line`, the rest to `more` in pieces."""
        return LONG_CODE if isinstance(self._leaf, Code) else LONG_LINE

    def line(self, text: str, *, ended: bool = True, long: bool = False) -> None:
        """Read a line; not `ended`: the source stops here; `long`: this is its head, and more of it follows."""
        cursor = Cursor(text)
        depth = self._match(cursor)
        if depth == len(self._path) and self._verbatim(cursor, ended, long):
            return
        if not cursor.blank:
            depth = self._open_containers(cursor, depth)
            if cursor.blank:
                return  # markers alone: what they mark is still to come
        if cursor.blank:
            self._blank_line(depth)
        elif cursor.indent >= 4 and not isinstance(self._leaf, Paragraph) and not self._begins_task():
            self._indented(cursor, depth, long)
        elif cursor.indent >= 4 or long or self._begins_task() or not self._open_leaf(cursor, depth):
            self._text(cursor, depth, ended, long)

    def more(self, text: str, *, ended: bool = False) -> None:
        """Read a piece more of a long line, or the rest of it."""
        leaf = self._leaf
        if isinstance(leaf, Code):
            line = CodeLine(Place(self._path), leaf.run, text, leaf.language, joined=True, open=not ended)
            self.out.append(line)
        elif isinstance(leaf, Paragraph):
            self._grow(leaf.text + text, joined=leaf.joined)
        elif text := text.lstrip():
            self._grow(text)

    def awaits_more(self, text: str) -> bool:
        """Whether an unfinished line may still become a block of another kind."""
        leaf = self._leaf
        cursor = Cursor(text)
        if isinstance(leaf, Code | Formula) and self._match(cursor) == len(self._path):
            words = cursor.rest.strip()
            closer = leaf.mark if isinstance(leaf, Code) else leaf.closer
            return len(words) < len(closer) and closer.startswith(words)
        return bool(lines.UNDECIDED.fullmatch(text))

    def close(self, *, growing: bool = False) -> None:
        """End the source; while it is `growing`, read open constructs as what they will most likely be."""
        leaf = self._leaf
        if growing and isinstance(leaf, Code):
            return
        if growing and isinstance(leaf, Formula):
            self.out.append(Maths(leaf.place, leaf.text.rpartition("\n")[2], open=True))
            return
        if growing and isinstance(leaf, Paragraph):
            *above, head = leaf.text.rsplit("\n", 2)[-2:]
            if head.startswith("|") and not "".join(above).startswith("|"):
                self._ends_paragraph(leaf, "|" + "-|" * len(lines.cells_of(head)[0]))
        self._shut(0)
        last = self.out[-1] if self.out else None
        if isinstance(last, Text) and growing:
            text, ahead = completed(last.text)
            self.out[-1] = replace(last, text=text, ahead=ahead)
        elif isinstance(last, TableRow) and growing:
            cell = len(last.cells) - 1 if last.head else last.closed
            cells = [completed(text)[0] if index == cell else text for index, text in enumerate(last.cells)]
            self.out[-1] = replace(last, cells=tuple(cells))
        elif isinstance(last, TableRow):
            self.out[-1] = replace(last, closed=len(last.cells))

    # Containers

    def _match(self, cursor: Cursor) -> int:
        """Count the open containers that the line belongs to, and skip their marks."""
        for depth, container in enumerate(self._path):
            if isinstance(container, Quote):
                if not cursor.quote():
                    return depth
            elif cursor.blank:
                if self._leaf is None and len(self._path) - self._fresh <= depth:
                    return depth
            else:
                indent = container.indent if isinstance(container, Item) else 4
                if cursor.indent < indent:
                    return depth
                cursor.drop(indent)
        return len(self._path)

    def _open_containers(self, cursor: Cursor, depth: int) -> int:
        while depth < DEEPEST and not cursor.blank and cursor.indent < 4 and not self._begins_task():
            interrupts = depth == len(self._path) and isinstance(self._leaf, Paragraph)
            container = self._container(cursor, depth, interrupts)
            if container is None:
                break
            self._shut(depth)
            self._path = (*self._path, container)
            self._fresh += 1
            self._serial += 1
            depth += 1
            if isinstance(container, Quote) and container.alert:
                self.out.append(Alert(self._place("text"), container.alert, cursor.rest.strip()))
                cursor.rest = ""
        return depth

    def _container(self, cursor: Cursor, depth: int, interrupts: bool) -> Container | None:
        if cursor.quote():
            alert = lines.ALERT.fullmatch(cursor.rest)
            return Quote(self._serial, alert[1].lower() if alert else "")
        indent = cursor.indent
        rest = cursor.rest.lstrip(" \t")
        if not interrupts and (note := lines.NOTE.match(rest)):
            cursor.drop(indent)
            cursor.skip(note.end())
            cursor.drop(cursor.indent)
            return Note(self._serial, note[1])
        item = lines.LIST.match(rest)
        if item is None or lines.BREAK.match(rest):
            return None
        number = None if item[1] is None else int(item[1])
        if interrupts and (number not in (None, 1) or not rest[item.end() :].strip()):
            return None
        cursor.drop(indent)
        cursor.skip(item.end())
        space = 1 if cursor.blank or cursor.indent >= 5 else cursor.indent
        cursor.drop(space)
        task = lines.TASK.match(cursor.rest)
        if task:
            cursor.skip(task.end())
        return self._item(
            depth, rest[item.end() - 1], number, indent + item.end() + space, task and task[1] != " "
        )

    def _item(self, depth: int, delimiter: str, number: int | None, indent: int, task: bool | None) -> Item:
        before = self._path[depth] if depth < len(self._path) else None
        if number is not None and isinstance(before, Item) and before.delimiter == delimiter:
            number = max(number, (before.number or 0) + 1)
        lists = sum(isinstance(container, Item) for container in self._path[:depth])
        return Item(self._serial, indent, delimiter, number, lists, task)

    def _begins_task(self) -> bool:
        """Whether a task has just begun: what follows its mark is a paragraph (GFM 5.3)."""
        last = self._path[-1] if self._fresh and self._leaf is None else None
        return isinstance(last, Item) and last.task is not None

    # Leaves

    def _verbatim(self, cursor: Cursor, ended: bool, long: bool) -> bool:
        """Read a line of a fence or of displayed maths, which hold no other blocks."""
        leaf = self._leaf
        if isinstance(leaf, Code) and leaf.mark:
            words = cursor.rest.strip()
            closes = not long and cursor.indent < 4 and set(words) == {leaf.mark[0]}
            if closes and len(words) >= len(leaf.mark):
                self._leaf = None
                self.out.append(CodeEnd(Place(self._path), leaf.run, words))
            elif ended or not (closes or cursor.blank):
                cursor.drop(leaf.indent)
                self.out.append(CodeLine(Place(self._path), leaf.run, cursor.rest, leaf.language, open=long))
            return True
        if not isinstance(leaf, Formula) or cursor.blank or long:
            return False
        self._formula(leaf, cursor.rest.rstrip())
        return True

    def _blank_line(self, depth: int) -> None:
        leaf = self._leaf
        if isinstance(leaf, Code) and depth == len(self._path):
            self._leaf = replace(leaf, blanks=leaf.blanks + 1)
        else:
            self._shut(depth)
            self._blank = True

    def _indented(self, cursor: Cursor, depth: int, long: bool) -> None:
        cursor.drop(4)
        leaf = self._leaf
        if depth < len(self._path) or not isinstance(leaf, Code):
            self._shut(depth)
            leaf = self._open_code("", "")
        for _ in range(leaf.blanks):
            self.out.append(CodeLine(Place(self._path), leaf.run, ""))
        self._leaf = replace(leaf, blanks=0)
        self.out.append(CodeLine(Place(self._path), leaf.run, cursor.rest, open=long))

    def _open_leaf(self, cursor: Cursor, depth: int) -> bool:
        """Begin a leaf other than a paragraph, if the line does."""
        rest = cursor.rest.strip(" \t")
        leaf = self._leaf
        if isinstance(leaf, Paragraph) and depth == len(self._path):
            if self._ends_paragraph(leaf, rest):
                return True
        elif definition := lines.DEFINITION.match(rest):
            self._shut(depth)
            label, angled, plain = definition.groups()
            self.out.append(Definition(self._place("text"), label, angled or plain, rest))
            return True
        if heading := lines.HEADING.match(rest):
            self._shut(depth)
            text = lines.HEADING_END.sub("", heading[2] or "").strip()
            self.out.append(Text(self._place("heading"), text, len(heading[1])))
        elif fence := lines.FENCE.match(rest):
            self._shut(depth)
            found = lines.LANGUAGE.search(fence["info"] or fence["words"] or "")
            language, mark = found[0] if found else "", fence["mark"] or fence["tildes"]
            code = self._open_code(language, rest)
            self._leaf = replace(code, mark=mark, indent=cursor.indent, language=language)
        elif lines.BREAK.match(rest):
            self._shut(depth)
            self.out.append(Break(self._place("frame"), rest))
        elif closer := lines.opens_formula(rest):
            self._shut(depth)
            self._formula(Formula(closer, self._place("frame"), ""), rest)
        else:
            return False
        return True

    def _ends_paragraph(self, leaf: Paragraph, rest: str) -> bool:
        """Whether the line turns the open paragraph into a heading, or its last line into a table's head."""
        if not leaf.joined and (underline := lines.UNDERLINE.match(rest)):
            self._leaf = None
            level = 1 if underline[1][0] == "=" else 2
            self.out.append(Text(self._place("heading"), leaf.text.rstrip(), level))
            return True
        aligns = lines.aligns_of(rest)
        before, newline, head = leaf.text.rpartition("\n")
        if not aligns or (leaf.joined and not newline):
            return False
        cells, _ = lines.cells_of(head)
        if len(cells) != len(aligns):
            return False
        self._leaf = replace(leaf, text=before) if newline else None
        self._finish()
        table = Table(self._serial, tuple(cells), aligns)
        self._serial += 1
        place = self._place("frame")
        self.out.append(TableRow(place, table, table.head, len(cells), 0, f"{head.strip()}\n{rest}"))
        self._leaf = Rows(table)
        return True

    def _formula(self, leaf: Formula, line: str) -> None:
        """Read a line of displayed maths, which is drawn once it is whole."""
        text = f"{leaf.text}\n{line}" if leaf.text else line
        self._leaf = replace(leaf, text=text)
        if text.endswith(leaf.closer) and len(text) >= 2 * len(leaf.closer):
            self._leaf = None
            self.out.append(Maths(leaf.place, text))
        elif len(text) > LONG_LINE:
            self._finish()

    def _open_code(self, language: str, source: str) -> Code:
        place = self._place("frame")
        self.blocks += 1
        self.out.append(CodeStart(place, self._serial, self.blocks, language, source))
        self._serial += 1
        return Code(self._serial - 1)

    def _text(self, cursor: Cursor, depth: int, ended: bool, long: bool) -> None:
        """Read a line of a paragraph, also one that leaves out the marks of its containers, or a table's row."""
        leaf = self._leaf
        words = cursor.rest.lstrip(" \t")
        if isinstance(leaf, Paragraph):
            self._grow(f"{leaf.text}\n{words}", joined=leaf.joined)
        elif isinstance(leaf, Rows) and depth == len(self._path) and not long:
            self._row(leaf, words, ended)
        else:
            self._shut(depth)
            self._grow(words)

    def _row(self, leaf: Rows, source: str, ended: bool) -> None:
        cells, closed = lines.cells_of(source)
        count = len(leaf.table.head)
        if len(cells) > count:
            cells[count - 1 :] = [" | ".join(cells[count - 1 :])]
        closed = count if ended else min(closed, count - 1 if closed > count else count)
        cells += [""] * (count - len(cells))
        row = TableRow(Place(self._path), leaf.table, tuple(cells), closed, leaf.count, source.rstrip())
        self.out.append(row)
        self._leaf = replace(leaf, count=leaf.count + 1)

    def _grow(self, text: str, *, joined: bool = False) -> None:
        """The open paragraph has this text; what is long enough settles."""
        while position := cut(text):
            place = Place(self._path) if joined else self._place("text")
            self.out.append(Text(place, text[:position], joined=joined, open=True))
            text = text[position:]
            joined = True
        self._leaf = Paragraph(text, joined)

    # Ends

    def _finish(self) -> None:
        """End the open leaf."""
        leaf = self._leaf
        self._leaf = None
        if isinstance(leaf, Paragraph):
            place = Place(self._path) if leaf.joined else self._place("text")
            self.out.append(Text(place, leaf.text.rstrip(), joined=leaf.joined))
        elif isinstance(leaf, Code):
            self.out.append(CodeEnd(Place(self._path), leaf.run, ""))
            self._blank = self._blank or leaf.blanks > 0
        elif isinstance(leaf, Formula):  # it has no end
            for index, line in enumerate(leaf.text.split("\n")):
                place = Place(self._path) if index else leaf.place
                self.out.append(Maths(place, line, whole=False))

    def _shut(self, depth: int) -> None:
        """End the open leaf and the containers from `depth` on; one that stayed empty still shows its marker."""
        self._finish()
        if depth < len(self._path):
            if self._fresh:
                self.out.append(Text(self._place("text"), ""))
            self._path = self._path[:depth]

    def _place(self, kind: _Kind) -> Place:
        """Where a leaf begins, and whether a blank row stands above it."""
        shared = common(self._path, self._last_path)
        opens_item = self._fresh > 0 and self._fresh >= len(self._path) - shared
        apart = self._last is not None and (
            self._blank or self._last == "frame" or (self._last == "text" and kind != "text" and not opens_item)
        )
        place = Place(self._path, self._fresh, shared if apart else NO_GAP)
        self._fresh = 0
        self._blank = False
        self._last = kind
        self._last_path = self._path
        return place
