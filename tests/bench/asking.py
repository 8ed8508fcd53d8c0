"""`tui-chat ask` in a pipe: from the command to the first byte, beside a loop on the `ollama` package.

That package is taken from the Python that the variable `OLLAMA_PYTHON` names, or from this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.bench.measures import Figures
from tests.bench.programs import TREE
from tests.bench.serve import Server, Stream

ASK: Final = "ask"
LOOP: Final = "ollama loop"


def has_ollama() -> bool:
    """Whether there is the package to compare with."""
    return subprocess.run([_python(), "-c", "import ollama"], capture_output=True, check=False).returncode == 0


def first_byte(subject: str, server: Server, home: Path) -> Figures:
    """Milliseconds from the command to the first byte of the reply, and of processor time in all."""
    server.stream(Stream("mixed", 20))
    argv = {
        ASK: [sys.executable, "-m", "tui_chat", "ask", "--url", server.url, "-m", "tiny", "please answer"],
        LOOP: [_python(), "-m", "tests.bench.floors.ollama_loop", "please answer"],
    }[subject]
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "OLLAMA_HOST": server.url, "PYTHONPATH": str(TREE)}
    started = time.monotonic()
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
    )
    assert process.stdout is not None
    assert process.stdout.read(1), subject
    first = time.monotonic() - started
    process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return {"first": first * 1000, "cpu": (usage.ru_utime + usage.ru_stime) * 1000}


def _python() -> str:
    return os.environ.get("OLLAMA_PYTHON", sys.executable)
