"""Unicode's characters for maths: raised and lowered characters, letters, brackets of several rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _table(text: str) -> dict[str, str]:
    """Pairs of words."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


SUPERSCRIPTS: Final = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWαβγδεθιφχ′∗*⊤∘°−,",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵅᵝᵞᵟᵋᶿᶥᵠᵡ′**ᵀ°°⁻’",
        strict=True,
    )
)
SUBSCRIPTS: Final = dict(
    zip("0123456789+-=()aehijklmnoprstuvxβγρφχ−,", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ₋‚", strict=True)
)

SYMBOLS: Final = _table(
    """neg ¬ lnot ¬ land ∧ lor ∨ iff ⇔ implies ⇒ impliedby ⇐ colon : Re Re Im Im | ‖ prime ′ degree ° hbar ℏ cdot ·
    bullet • { { } } % % # # & & _ _ $ $ lbrace { rbrace } coloneqq ≔ triangleq ≜ lt < gt > vert | lvert | rvert |
    mid | dots … dotsb ⋯ dotsc … bot ⊥ top ⊤ square □ checkmark ✓ gets ← ne ≠ intercal ⊺ complement ∁ varnothing ∅
    lVert ‖ rVert ‖ longmapsto ⟼ Longrightarrow ⟹ nmid ∤ vDash ⊨ models ⊨ ominus ⊖"""
)
"""Commands that pylatexenc does not know as symbols, or otherwise than is usual on a screen."""
ACCENTS: Final = _table(
    """hat \u0302 widehat \u0302 bar \u0304 overline \u0305 vec \u20d7 tilde \u0303 widetilde \u0303 dot \u0307
    ddot \u0308 underline \u0332 check \u030c acute \u0301 grave \u0300 breve \u0306 mathring \u030a"""
)
_SCRIPT: Final = dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True))
LETTERS: Final[dict[str, dict[str, str]]] = {
    "mathbb": dict(zip("CHNPQRZE1", "ℂℍℕℙℚℝℤ𝔼𝟙", strict=True)),
    "mathcal": _SCRIPT,
    "mathscr": _SCRIPT,
    **{name: {} for name in ("mathrm", "mathbf", "mathit", "mathsf", "mathtt", "mathfrak", "boldsymbol", "bm")},
}
"""Commands that change letters, and to which, where every terminal's font has them."""
ROOTS: Final = {"": "√", "2": "√", "3": "∛", "4": "∜"}
RELATIONS: Final = frozenset("=<>≤≥≠≈≡∼≃≅≐∝→←↔⇒⇐⇔↦⟶⟼⟹⟸⟺⟵↪∈∉∋⊂⊆⊃⊇≪≫⊢⊨≔≜≺≻⪯⪰∥⊥∣")
BINARY: Final = frozenset("+−±∓·×÷∗⋆⊕⊗⊖⊙∪∩∖∧∨")
OPERATORS: Final = frozenset("∑∏∐∫∬∭∮⋃⋂⨁⨂⋁⋀")
FENCES: Final = {
    **_table("( ⎛⎜⎝ ) ⎞⎟⎠ [ ⎡⎢⎣ ] ⎤⎥⎦ | │││ ‖ ║║║ { ⎧⎨⎩ } ⎫⎬⎭ ⟨ ⎛⎜⎝ ⟩ ⎞⎟⎠ ⌊ ⎢⎢⎣ ⌋ ⎥⎥⎦ ⌈ ⎡⎢⎢ ⌉ ⎤⎥⎥"),
    "": ("", "", ""),
}
"""The top, middle and lower parts of brackets around several rows."""
MATRICES: Final = {
    **_table("pmatrix () bmatrix [] Bmatrix {} vmatrix || Vmatrix ‖‖"),
    **dict.fromkeys(("matrix", "smallmatrix", "array"), ("", "")),
    "cases": ("{", ""),
}
"""The brackets of environments with rows and columns."""


def scripted(text: str, scripts: Mapping[str, str]) -> str | None:
    """`text` in raised or lowered characters; None if there are not all of them."""
    found = [scripts.get(char) for char in text]
    return None if None in found else "".join(filter(None, found))
