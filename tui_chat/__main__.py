"""`python -m tui_chat` is `tui-chat`."""

from __future__ import annotations

import sys
import warnings


def run() -> int:
    """Run the program; returns the exit code. Ctrl+C is quiet while the program is still being loaded, too."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn their callers, and would do so across the screen
    try:
        from tui_chat.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
