"""Raised and lowered characters, as far as Unicode has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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


def scripted(text: str, scripts: Mapping[str, str]) -> str | None:
    """`text` in raised or lowered characters; None if there are not all of them."""
    found = [scripts.get(char) for char in text]
    return None if None in found else "".join(filter(None, found))
