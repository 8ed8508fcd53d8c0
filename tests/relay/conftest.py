"""What every test of the relay has at hand."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """Where the tokens are; the file is not there yet."""
    return tmp_path / "relay-tokens"
