"""The user's own editor, and the file that it gets."""

from __future__ import annotations

import tempfile

import pytest
from tui_chat.errors import ConfigError
from tui_chat.terminal.editor import edited


async def test_a_disk_without_room_for_its_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(ConfigError, match="The editor vi failed: No such file"):
        await edited("a draft", ["vi"])
