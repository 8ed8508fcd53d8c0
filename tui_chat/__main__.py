"""`python -m tui_chat` is `tui-chat`."""

from __future__ import annotations

import gc
import sys
import warnings
from typing import Final

_COLLECT: Final = 50_000
"""New objects between two collections of garbage: loading code makes many objects, and next to no garbage."""


def run() -> int:
    """Run the program; returns the exit code. Ctrl+C is quiet while the program is still being loaded, too."""
    gc.set_threshold(_COLLECT)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn their callers, and would do so across the screen
    try:
        from tui_chat.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
