"""Answers of the kinds that chat models give: a seeded generator puts them together from what models have written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

_RECORDINGS = Path(__file__).parent.parent / "recordings"
_CONTENT = re.compile(r'"content":("(?:[^"\\]|\\.)*")')

PROSE = (
    "A **bounded queue** holds at most a fixed number of items; when it is full, the producer has to *wait*.",
    "You can think of `asyncio` as a single-threaded scheduler: each `await` is a place where another task may run.",
    "In short, the time complexity is O(n log n) in the average case, though the worst case is O(n²).",
    "Yes, that's possible! Here's how you can do it step by step, from the configuration to the first request.",
    "The capital of France is Paris. It has a population of about 2.1 million people (2023) within the city limits.",
    "See the [official documentation](https://docs.python.org/3/library/asyncio.html) for details, or [PEP 3156](https://peps.python.org/pep-3156/).",
    "***Important:*** never store passwords in plain text; use a library such as **`bcrypt`** or `argon2` instead.",
    "This costs $5 per month, or $50 if you pay for the year, and `$HOME/.config` is where the settings are kept.",
    "Die Größe des Puffers ist begrenzt – wenn er voll ist, wartet der Sender, bis wieder Platz ist.",
    "日本語のテキストは単語の間に空白がありません。そのため、**改行の位置**は文字ごとに決まります。",
    "It's a trade-off between _latency_ and _throughput_, and there is no setting that is best for everybody; ~~always~~ often measure first.",
    "Water is H<sub>2</sub>O, and press <kbd>Ctrl</kbd>+<kbd>C</kbd> to stop; the area is 10 m<sup>2</sup>.",
    "I hope this helps! 😊 Let me know if you have any further questions about `List<String>` or `a[i]` and *args.",
    "As reported [1], the effect is small [2, 3]; the array `x` holds [0, 1, 2] and f(x) = 2 * x * y.",
    "However, AT&T's network, R&D and Q&A sections are described at https://example.com/a_b/c_d?x=1&y=2.",
    'He said: "It does not matter whether you use `"double"` or `\'single\'` quotes." That is a matter of taste.',
)
FORMULAS = (
    "The quadratic formula is $x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$ for any $a \\neq 0$.",
    "Euler's identity \\(e^{i\\pi} + 1 = 0\\) connects five constants.",
    "Here \\(\\sigma\\) is the standard deviation and \\(\\mu\\) the mean.",
)
DISPLAYED = (
    "$$\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}$$",
    "$$\nE = mc^2\n$$",
    "\\[\n\\int_0^\\infty e^{-x^2} dx = \\frac{\\sqrt{\\pi}}{2}\n\\]",
    "\\[ \\nabla \\cdot \\mathbf{E} = \\frac{\\rho}{\\varepsilon_0} \\]",
    "$$\nA = \\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}\n$$",
)
ITEMS = (
    "**Simplicity**: fewer moving parts mean fewer things that can go wrong at three in the morning.",
    "**Performance:** reads are served from memory.",
    "Use `git rebase -i HEAD~3` to rewrite the last three commits.",
    "Preheat the oven to 200 °C (390 °F).",
    "`None`",
    "A longer item that wraps over more than one row of an ordinary terminal, since the model has a lot to say about it, *as usual*.",
    "[Rust](https://www.rust-lang.org/) – memory safety without a garbage collector",
    "*Italic first*, then plain text",
    "1984, a novel by George Orwell",
    "🚀 **Fast**: starts in a moment",
    "Set `x = 1`, then call `f(x)`.",
    "\\(O(n)\\) time and \\(O(1)\\) space",
)
CODE = (
    "```python\ndef fib(n: int) -> int:\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n\n\nprint(fib(10))  # 55\n```",
    '```bash\nsudo apt-get update && sudo apt-get install -y build-essential curl\ncurl -fsSL https://ollama.com/install.sh | sh\necho "$HOME"\n```',
    '```json\n{\n  "name": "demo",\n  "scripts": {"test": "pytest -q", "lint": "ruff check ."},\n  "private": true\n}\n```',
    "```go\nfunc NewPool[T any](ctx context.Context, workers int, jobs chan T, handle func(context.Context, T) error) *Pool[T] {\n\tp := &Pool[T]{jobs: jobs}\n\treturn p\n}\n```",
    "```sql\nSELECT u.id, count(*) AS n\nFROM users u\nJOIN orders o ON o.user_id = u.id\nGROUP BY u.id\nHAVING count(*) > 3;\n```",
    "```\nplain text without a language\n  - not a list\n# not a heading\n| not | a table |\n```",
    "~~~markdown\nUse ``` for fences:\n```py\nx\n```\n~~~",
    "    cd project\n    make\n\n    make install",
    "```html\n<b>bold</b> <!-- a comment\nover two lines -->\n```",
)
TABLES = (
    "| Language | Typing | Year |\n|----------|--------|------|\n| Python | dynamic | 1991 |\n| Rust | static | 2015 |\n| Go | static | 2009 |",
    "| Feature | TCP | UDP |\n|:--|:-:|--:|\n| Connection | yes | no |\n| Ordering | **guaranteed** | not guaranteed |\n| Speed | slower, since it waits for acknowledgements | faster |\n| Use | `HTTP`, `SSH` | DNS, video |",
    "| Model | Parameters | Context | Licence | Released | Good at | Weak at |\n|---|---|---|---|---|---|---|\n| qwen3 | 4B | 262,144 | Apache 2.0 | 2025-04 | an all-rounder with thinking | long stories |\n| gemma3 | 12B | 131,072 | Gemma | 2025-03 | pictures and many languages | tools |\n| llama3.2 | 3B | 131,072 | Llama 3.2 | 2024-09 | short summaries on a phone | mathematics and code |",
    "| Term | Meaning |\n|---|---|\n| Latency | The time from the key that you press to the first character of the answer, which is what people feel. |\n| Throughput | Tokens per second once the answer has begun. |\n| p95 | 95 of 100 are faster |",
    "| a | b |\n|---|---|\n| 1 | 2 |",
)
QUOTES = (
    "> The best way to predict the future is to invent it.\n>\n> — Alan Kay",
    "> **Note:** this only works on Linux.",
    "> [!WARNING]\n> This deletes all of your data, and there is no way back.",
    "> [!TIP]\n> Use `--dry-run` first.",
    "> A quote\n> - with a list\n> - in it\n>\n> > and another one",
)
HEADINGS = (
    "Overview",
    "Step 1: Install the tools",
    "Why `async`?",
    "**Key takeaways**",
    "1. Introduction",
    "Conclusion",
)
LEADS = ("Here's an example:", "For instance:", "To install it, run:", "**Key points:**", "Steps:", "In summary:")


def items(rnd: Random, depth: int = 0) -> str:
    """A list, with lists in it."""
    ordered, loose = rnd.random() < 0.35, rnd.random() < 0.2
    indent = "   " if ordered else "  "
    lines = []
    for number in range(1, rnd.randint(3, 6)):
        task = rnd.choice(("[ ] ", "[x] ")) if depth == 0 and rnd.random() < 0.07 else ""
        marker = f"{number}. " if ordered else rnd.choice(("- ", "- ", "* "))[:1] + " "
        lines.append(marker + task + rnd.choice(ITEMS))
        if depth < 2 and rnd.random() < 0.25:
            inner = items(rnd, depth + 1) if rnd.random() < 0.8 else f"\n{rnd.choice(CODE[:3])}\n"
            lines += [indent + line if line else "" for line in inner.split("\n")]
        if loose:
            lines.append("")
    return "\n".join(lines).rstrip("\n")


def block(rnd: Random) -> str:
    """One of the things that an answer is made of."""
    kind = rnd.random()
    if kind < 0.28:
        return " ".join(rnd.choices(PROSE, k=rnd.randint(1, 3)))
    if kind < 0.5:
        return rnd.choice(("", rnd.choice(LEADS) + "\n\n", rnd.choice(LEADS) + "\n")) + items(rnd)
    if kind < 0.6:
        return rnd.choice(LEADS) + rnd.choice(("\n\n", "\n")) + rnd.choice(CODE[:7])
    if kind < 0.64:
        return rnd.choice(LEADS) + "\n\n" + rnd.choice(CODE)
    if kind < 0.74:
        return rnd.choice(TABLES)
    if kind < 0.8:
        return rnd.choice(QUOTES)
    if kind < 0.9:
        return "#" * rnd.randint(1, 4) + " " + rnd.choice(HEADINGS)
    if kind < 0.94:
        return rnd.choice(FORMULAS)
    if kind < 0.97:
        return "So we get:\n\n" + rnd.choice(DISPLAYED)
    return rnd.choice(("---", "***", "Overview\n========", "Details\n---", "**A bold line**\nand the next line"))


def answer(seed: int) -> str:
    """An answer of some fifteen blocks, the same for each seed."""
    rnd = Random(seed)
    blocks = [block(rnd) for _ in range(rnd.randint(6, 16))]
    ends = ["" if not one else _between(rnd, one, other) for one, other in pairwise([*blocks, ""])]
    return "".join(text + end for text, end in zip(blocks, ends, strict=True))


def _between(rnd: Random, one: str, other: str) -> str:
    """Models mostly leave a blank line between blocks, but not always below a heading."""
    return "\n" if one.startswith("#") and rnd.random() < 0.5 and not other.startswith("    ") else "\n\n"


def tokens(text: str, seed: int) -> Iterator[str]:
    """`text` in tokens: words with the space before them, numbers, signs; some cut once more."""
    rnd = Random(seed)
    for token in re.findall(r"\n+| *[^\W\d_]+| *\d{1,3}| *[^\w\s]{1,3}| +|.", text):
        cut = rnd.randint(1, len(token)) if rnd.random() < 0.2 else len(token)
        yield from (part for part in (token[:cut], token[cut:]) if part)


def recorded() -> list[str]:
    """The answers that real servers have sent."""
    answers = []
    for path in sorted(_RECORDINGS.glob("*stream*.txt")):
        answers.append(
            "".join(json.loads(text) for text in _CONTENT.findall(path.read_text().split("HTTP/1.1", 1)[-1]))
        )
    return [text for text in answers if text]
