"""The benchmark of tui-chat's promises.

    python -m tests.bench                      everything, about 18 minutes
    python -m tests.bench --quick              fewer tokens, one run each: about 4 minutes, and noisier
    python -m tests.bench --only stream keys   some of it
    python -m tests.bench --before ../older    beside an older checkout, measured by its own bench in turn with ours

tui-chat runs in a pty of 120x40 against the tests' scripted server, a process of its own. In the same run, in turn
with it, run a minimal Textual app (`Markdown`, `MarkdownStream`) and a plain print loop (`floors/`). Prints a table
with targets and verdicts, and writes every single run to a JSON file. Trust ratios, not milliseconds, and only
while the machine has nothing else to do: the load is printed. Linux only. Ends with 1 if a promise is not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.bench.promises import PROMISES, Bench
from tests.bench.serve import Server
from tests.bench.table import Row, heading, line


def main() -> int:
    """Measure and report."""
    options = _options()
    rows: list[Row] = []
    print(f"{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} at the start\n")
    print(heading())
    with tempfile.TemporaryDirectory(prefix="tui-chat-bench-") as home, Server() as server:
        bench = Bench(server, Path(home), options.quick, options.before)
        for name in options.only or PROMISES:
            before = _older(options.before, name, options.quick) if options.before else {}
            for row in PROMISES[name](bench):
                rows.append(replace(row, before=before.get(row.name, row.before)))
                print(line(rows[-1]), flush=True)
    missed = sum(not row.kept for row in rows)
    print(f"\n{len(rows) - missed} of {len(rows)} kept; load {os.getloadavg()[0]:.2f} at the end")
    report = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
        "quick": options.quick,
        "rows": [row.json() for row in rows],
        "runs": bench.raw,
    }
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False))
    return 1 if missed else 0


def _older(tree: Path, name: str, quick: bool) -> dict[str, float]:
    """What the bench of another checkout says of its tui-chat; empty where it does not have that measurement."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        argv = [sys.executable, "-m", "tests.bench", "--only", name, "--json", file.name, *["--quick"] * quick]
        subprocess.run(argv, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        text = Path(file.name).read_text()
    return {row["name"]: row["ours"] for row in json.loads(text)["rows"]} if text else {}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(PROMISES), metavar="NAME", help=", ".join(PROMISES))
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="an older checkout to compare with")
    parser.add_argument("--quick", action="store_true", help="fewer tokens, one run of each")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        default=Path(__file__).with_name("results.json"),
        help="where to write",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
