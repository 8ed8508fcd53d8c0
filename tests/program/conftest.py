"""What the tests of the whole program share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.program.kit import Home
from tests.server import ScriptedServer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server, running."""
    async with ScriptedServer() as scripted:
        yield scripted
