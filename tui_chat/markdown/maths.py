"""LaTeX maths as rows of Unicode text. pylatexenc parses it; what is not understood here is not drawn at all.

A formula is a row of atoms; `atoms` sets them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from tui_chat.markdown.atoms import (
    Atom,
    Box,
    Class,
    UnknownMathsError,
    accented,
    bracketed,
    character,
    ends_in_root,
    fenced,
    joined,
    stacked,
)
from tui_chat.markdown.symbols import (
    ACCENTS,
    FENCES,
    LETTERS,
    MATRICES,
    ROOTS,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    SYMBOLS,
    scripted,
)

if TYPE_CHECKING:
    from pylatexenc.macrospec import LatexContextDb

_LONGEST: Final = 2000
"""Characters of a formula that is drawn at most."""
_DEEPEST: Final = 24
"""Braces, roots and the like within each other, after which a formula is not drawn."""
_PAIRS: Final = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}
_NESTING: Final = re.compile(r"(\{|\\begin\b|\\left\b)|\}|\\end\b|\\right\b")
_PROSE: Final = re.compile(r"(?<![\\{A-Za-z])[A-Za-z]{2,}[ ,.;:]+[A-Za-z]{2,}")
_WORDS: Final = re.compile(r"\\(?:text\w*|mbox|math\w+|operatorname)\s*\{[^{}]*\}?")

_LINES: Final = re.compile(r"(?:align|gather|equation)\*?|aligned|alignedat|gathered|split|eqnarray")
_TEMPLATES: Final[dict[str, tuple[str, Class]]] = {
    "binom": ("C({}, {})", "ord"),
    "pmod": (" (mod {})", "ord"),
    "xrightarrow": ("→^({})", "rel"),
    "xleftarrow": ("←^({})", "rel"),
}
"""Commands that are written with their arguments in a row, and the classes of the atoms they make."""
_TEXT: Final = ("text", "textbf", "textit", "textrm", "texttt", "mbox")
_ARGUMENTS: Final = {
    **dict.fromkeys((*LETTERS, *_TEXT, *ACCENTS, "boxed"), "{"),
    **dict.fromkeys(("frac", "dfrac", "tfrac"), "{{"),
    **{name: "{" * template.count("{") for name, (template, _) in _TEMPLATES.items()},
    "sqrt": "[{",
    "operatorname": "*{",
}
"""The arguments of commands in pylatexenc's notation: braces, brackets, a star."""
_SPACES: Final = {",": " ", ":": " ", ";": " ", "!": "", "quad": "  ", "qquad": "    ", " ": " ", ">": " "}
_IGNORED: Final = re.compile("(?:display|text|script)style|(?:no)?limits|nonumber|notag|[Bb]igg?[lrm]?|middle")
_NAMES: Final = re.compile(
    "arccos|arcsin|arctan|arg|cosh?|coth?|csc|deg|det|dim|exp|gcd|hom|inf|ker|lg|lim|liminf|limsup|ln|log|max|min"
    "|Pr|sec|sinh?|sup|tanh?"
)


def is_prose(formula: str) -> bool:
    """Whether what stands between two dollars is rather text about money, or variables of a shell."""
    return bool(_PROSE.search(_WORDS.sub("", formula)))


@lru_cache(maxsize=512)
def drawn(source: str) -> tuple[str, ...] | None:
    """The rows of a formula, which is given with its delimiters; None if it is not understood.

    Between `$` and `\\(` it is one row: there a matrix is written in a line.
    """
    opener = next((opener for opener in _PAIRS if source.startswith(opener)), "")
    formula = source[len(opener) : len(source) - len(opener)].strip()
    if (
        not formula
        or len(source) > _LONGEST
        or (opener == "$" and is_prose(formula))
        or _depth(formula) > _DEEPEST
    ):
        return None
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerError

    try:
        walker = LatexWalker(formula, latex_context=_context(), tolerant_parsing=False)
        nodes = walker.get_latex_nodes()[0]
        box = _Writer(several=opener in ("$$", "\\[")).box(nodes)
    except (LatexWalkerError, UnknownMathsError, RecursionError):
        return None
    rows = tuple(unicodedata.normalize("NFC", row).rstrip() for row in box.rows)
    return rows if any(rows) else None


def _depth(formula: str) -> int:
    """How deep braces and environments are nested in it at most."""
    marks = _NESTING.finditer(formula)
    return max(accumulate((1 if mark[1] else -1 for mark in marks), initial=0))


@cache
def _context() -> LatexContextDb:
    """The context that pylatexenc needs to find the arguments of commands."""
    from pylatexenc.macrospec import LatexContextDb, std_environment, std_macro

    database = LatexContextDb()
    macros = [std_macro(name, arguments) for name, arguments in _ARGUMENTS.items()]
    environments = [std_environment("array", "{"), std_environment("alignedat", "{")]
    database.add_context_category("maths", macros=macros, environments=environments, specials=[])
    database.set_unknown_macro_spec(std_macro("", ""))
    database.set_unknown_environment_spec(std_environment("", ""))
    return database


@cache
def _symbol(name: str) -> str:
    from pylatexenc.latex2text import get_default_latex_context_db

    if name in SYMBOLS:
        return SYMBOLS[name]
    found = get_default_latex_context_db().get_macro_spec(name)
    text = getattr(found, "simplify_repl", None)
    if not isinstance(text, str) or not text or "%" in text or text.isascii():
        raise UnknownMathsError
    return text


class _Writer:
    """Writes nodes of pylatexenc's as boxes.

    Args:
        several: they may have several rows.
        tight: without spaces, as in scripts.
    """

    def __init__(self, *, several: bool, tight: bool = False) -> None:
        self._several = several
        self._tight = tight

    def box(self, nodes: Iterable[Any]) -> Box:
        """A formula as one box."""
        return joined(self._atoms(nodes), tight=self._tight)

    def _argument(self, node: Any) -> Box:
        return self.box(node.nodelist if type(node).__name__ == "LatexGroupNode" else [node])

    def _atoms(self, nodes: Iterable[Any]) -> list[Atom]:
        items = iter(_items(nodes))
        atoms: list[Atom] = []
        for item in items:
            mark = item if isinstance(item, str) else ""
            if mark in ("^", "_"):
                script = list(islice(items, 1))
                if not script:
                    raise UnknownMathsError
                self._add_script(atoms, mark, _Writer(several=False, tight=True).box(script).line)
            elif mark == "'":
                self._add_script(atoms, "^", "′")
            elif getattr(item, "macroname", "") == "left":
                left = _fence(next(items, ""))
                inside = self.box(_until_right(items))
                right = _fence(next(items, ""))
                if len(inside.rows) > 1:
                    atoms.append((fenced(inside, left, right), "ord"))
                else:
                    atoms += [(Box((left,)), "open"), (inside, "ord"), (Box((right,)), "close")]
            else:
                atoms += self._atom(item)
        return atoms

    def _add_script(self, atoms: list[Atom], mark: str, script: str) -> None:
        before, kind = atoms.pop() if atoms else (Box(("",)), "ord")
        raised = scripted(script, SUPERSCRIPTS if mark == "^" else SUBSCRIPTS)
        if raised is None:
            raised = f"{mark}{script}" if len(script) == 1 else f"{mark}({script})"
        if len(before.rows) > 1 and mark == "_":
            raise UnknownMathsError
        rows = [row + (raised if y == 0 else " " * cell_len(raised)) for y, row in enumerate(before.rows)]
        atoms.append((Box(tuple(rows), before.base, before.grade), kind))

    def _atom(self, item: Any) -> list[Atom]:
        """The meaning of one character, command, group or environment."""
        if isinstance(item, str):
            return [character(item)]
        kind = type(item).__name__
        if kind == "LatexGroupNode" and item.delimiters == ("{", "}"):
            box = self.box(item.nodelist)
            return [(box, "ord")] if box.rows != ("",) else []
        if kind == "LatexMacroNode":
            return self._macro(item)
        if kind == "LatexEnvironmentNode":
            return [(self._environment(item), "ord")]
        raise UnknownMathsError

    def _macro(self, node: Any) -> list[Atom]:
        name = node.macroname
        arguments = [argument for argument in getattr(node.nodeargd, "argnlist", ()) or () if argument is not None]
        if len(arguments) < _ARGUMENTS.get(name, "").count("{"):
            raise UnknownMathsError
        if name in _SPACES:
            return [(Box((_SPACES[name],)), "punct")] if _SPACES[name] else []
        if _IGNORED.fullmatch(name):
            return []
        if _NAMES.fullmatch(name):
            return [(Box((name,)), "big" if name.startswith("lim") else "op")]
        if name in ("frac", "dfrac", "tfrac"):
            above, below = map(self._argument, arguments)
            upper = f"({above.line})" if ends_in_root(above.line) else bracketed(above, 1)
            return [(Box((f"{upper}/{bracketed(below, 0)}",), grade=1), "frac")]
        if name in _TEMPLATES:
            template, kind = _TEMPLATES[name]
            return [(Box((template.format(*(self._argument(each).line for each in arguments)),)), kind)]
        if name == "sqrt":
            *degree, radicand = map(self._argument, arguments)
            order = degree[0].line if degree else ""
            mark = ROOTS.get(order) or f"{scripted(order, SUPERSCRIPTS) or f'({order})'}√"
            return [(Box((mark + bracketed(radicand, 0),)), "ord")]
        if name in _TEXT:
            return [(Box((_text_of(arguments[0]),)), "ord")]
        if name in ACCENTS:
            return [(Box((accented(self._argument(arguments[0]).line, name),)), "ord")]
        if name == "operatorname":
            return [(Box((_text_of(arguments[-1]),)), "op")]
        if name in LETTERS:
            box = self._argument(arguments[0])
            return [(Box(("".join(LETTERS[name].get(char, char) for char in box.line),), grade=box.grade), "ord")]
        if name == "boxed":
            return [(self._argument(arguments[0]), "ord")]
        return [character(_symbol(name))]

    def _environment(self, node: Any) -> Box:
        name = node.environmentname
        if name not in MATRICES and not _LINES.fullmatch(name):
            raise UnknownMathsError
        cells = [[self.box(cell) for cell in row] for row in _cells(node.nodelist)]
        left, right = MATRICES.get(name, ("", ""))
        if not self._several:
            written = (" ".join(cell.line for cell in row) for row in cells)
            return fenced(Box(("; ".join(written),)), left, right)
        return fenced(stacked(cells, lines=bool(_LINES.fullmatch(name))), left, right) if cells else Box(("",))


def _items(nodes: Iterable[Any]) -> Iterable[Any]:
    """Nodes, and the characters of those that are text, without white space."""
    for node in nodes:
        kind = type(node).__name__
        if isinstance(node, str):
            yield node
        elif kind == "LatexCharsNode":
            yield from (char for char in node.chars if not char.isspace())
        elif kind == "LatexSpecialsNode":
            yield from node.specials_chars
        elif kind == "LatexCommentNode":
            raise UnknownMathsError
        else:
            yield node


def _cells(nodes: Sequence[Any]) -> list[list[list[Any]]]:
    """The cells of an environment, row by row."""
    rows: list[list[list[Any]]] = [[[]]]
    for item in _items(nodes):
        if getattr(item, "macroname", "") == "\\":
            rows.append([[]])
        elif isinstance(item, str) and item == "&":
            rows[-1].append([])
        elif getattr(item, "macroname", "") != "hline":
            rows[-1][-1].append(item)
    return rows if rows[-1] != [[]] else rows[:-1]


def _until_right(items: Iterator[Any]) -> Iterator[Any]:
    """The items before the `\\right` of a `\\left`, which is read too."""
    depth = 0
    for item in items:
        name = getattr(item, "macroname", "")
        depth += (name == "left") - (name == "right")
        if depth < 0:
            return
        yield item
    raise UnknownMathsError


def _fence(item: Any) -> str:
    text = item if isinstance(item, str) else _symbol(item.macroname) if hasattr(item, "macroname") else "?"
    text = "" if text == "." else text
    if text not in FENCES and text not in ("/", "<", ">"):
        raise UnknownMathsError
    return text


def _text_of(node: Any) -> str:
    nodes = getattr(node, "nodelist", [node])
    if any(type(part).__name__ != "LatexCharsNode" for part in nodes):
        raise UnknownMathsError
    return "".join(part.chars for part in nodes).replace("~", " ")
