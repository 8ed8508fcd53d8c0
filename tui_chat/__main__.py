"""`python -m tui_chat` is `tui-chat`."""

from __future__ import annotations

import sys

from tui_chat.cli import main

sys.exit(main())
