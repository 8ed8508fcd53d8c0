"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import tui_chat
from hypothesis import settings

_ROOT: Final = Path(tui_chat.__file__).parent
_MODULES: Final = (".".join(file.relative_to(_ROOT.parent).with_suffix("").parts) for file in _ROOT.rglob("*.py"))

# The rule of pyproject.toml, for programs that tests start: this variable takes no patterns.
os.environ["PYTHONWARNINGS"] = ",".join(f"error::DeprecationWarning:{module}" for module in _MODULES)

# A run that passed passes again, also on a busy machine; `--hypothesis-profile=default` tries new examples.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")
