"""What one more token costs, at several lengths of the reply. Run it: `python -m tests.markdown.cost [kind ...]`.

Each step appends a token, asks for the height, for what has changed, and for the last 40 rows.
"""

from __future__ import annotations

import gc
import sys
import time

from tui_chat.markdown.document import Document
from tui_chat.markdown.layout import Layout
from tui_chat.markdown.palette import Palette

from tests.markdown.sources import KINDS, tokens

LENGTHS = (100, 1_000, 5_000, 20_000, 50_000)
WINDOW = 0.1  # the share of a length over which its cost is averaged


def main() -> None:
    kinds = sys.argv[1:] or list(KINDS)
    print(
        f"{'µs per token at':18}"
        + "".join(f"{length:>9,}" for length in LENGTHS)
        + "   last/first tenth   worst ms"
    )
    for kind in kinds:
        costs = measure(kind)
        averages = []
        for length in LENGTHS:
            window = costs[int(length * (1 - WINDOW)) : length]
            averages.append(sum(window) / len(window))
        tenth = len(costs) // 10
        ratio = sum(costs[-tenth:]) / sum(costs[:tenth])
        row = "".join(f"{average * 1e6:9.0f}" for average in averages)
        print(f"{kind:18}{row}{ratio:19.2f}{max(costs) * 1e3:11.1f}", flush=True)


def measure(kind: str) -> list[float]:
    document = Document()
    layout = Layout(document, 100, Palette())
    costs = []
    gc.collect()
    gc.freeze()
    for token in tokens(kind, LENGTHS[-1]):
        began = time.perf_counter()
        document.append(token)
        height = layout.height
        layout.take_changed()
        for y in range(max(0, height - 40), height):
            layout.strip(y)
        costs.append(time.perf_counter() - began)
    return costs


if __name__ == "__main__":
    main()
