"""Writing something to a file whose name is asked for."""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING

from tui_chat.errors import ChatError
from tui_chat.files import unused_name, working_folder, write_new
from tui_chat.typed import user_path
from tui_chat.ui.dialogs.ask import AskScreen

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


async def save_text(screen: ChatScreen, what: str, text: str, suggestion: str) -> None:
    """Write `text` to a new file; where a name is taken or cannot be, another one is asked for."""
    proposed = PurePath(suggestion)
    name: str | None = await asyncio.to_thread(unused_name, proposed.stem, proposed.suffix)
    hint = f"{screen.keys['accept']} saves in {working_folder()} · {screen.keys['close']} closes"
    while name := await screen.ask(AskScreen(screen.keys, f"Save {what} as", name or "", hint)):
        try:
            path = user_path(name)
            await asyncio.to_thread(write_new, path, text)
        except ChatError as error:
            hint = f"{error}. {error.hint}"
        else:
            screen.notify(f"Saved {what} as {path}.", timeout=4, markup=False)
            return
