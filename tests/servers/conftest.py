"""What tests of backends share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.server import ScriptedServer


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server, running."""
    async with ScriptedServer() as scripted:
        yield scripted
