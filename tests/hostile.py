"""Text that terminals measure differently, or that would act on them: for every test that draws."""

from __future__ import annotations

from hypothesis import strategies as st

_DISPUTED = (
    "\u200d \u200c \ufe0f \ufe0e \u20e3 \u0301 \u034f \u2060 \u200b \u00ad \U0001f3fb \U0001f3ff 1\ufe0f\u20e3 #\ufe0f",
    "\U0001f1e9 \U0001f1ea \U0001f1e9\U0001f1ea \ufdfd \u3000 \u1160 \u115f \u1100\u1161 \u3164 \uffa0 \u2630 \u4dc0",
    "\U00017000 क्\u200dष क्षि ශ්\u200dරී में ไม้ שָׁלוֹם بِسْمِ \u0600 می\u200cخواهم \u0903 é ﬁ … ─ 𝒳 \U000e0061 \ufeff",
    "👩\u200d👩\u200d👧 👩👩👧 👩🏽 👩🏽\u200d💻 🏳\ufe0f\u200d🌈 🏳🌈 ❤\ufe0f ❤ ☀\ufe0f ⌚ ✊🏿 漢 字。 한 ｱ Ａ \U000f0000 \u0378",
)
DISPUTED = " ".join(_DISPUTED).split(" ")
"""Clusters, halves of them, and what hides among them."""
ACTING = [
    "\t",
    "\r",
    *["\x1b[31m", "\x1b]52;c;QQ==\x07", "\x07", "\x08", "\x7f", "\x9b2J", "\u202e", "\u2066", "\x00"],
]
"""What a terminal would obey."""
ENTITIES = ["&Tab;", "&#9;", "&NewLine;", "&#27;[31m", "&#x9b;2J", "&#x202e;", "&zwj;", "&#x1f3fb;", "&#xfdfd;"]
WORDS = ["word", "a", " ", " ", "  ", "two words "]

_ANY = st.characters(exclude_categories=["Cc", "Cs"])
HOSTILE = st.lists(st.sampled_from([*DISPUTED, *WORDS]) | _ANY).map("".join)
"""One line that was cleaned; whatever else Unicode has is in it too."""
