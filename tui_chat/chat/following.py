"""A reply that another tui-chat receives: followed through the store, as its checkpoints come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from tui_chat.chat.conversation import Conversation
from tui_chat.errors import StoreError
from tui_chat.messages import Message
from tui_chat.store.store import Store

LOOK_SECONDS: Final = 1.0
"""How often the store is looked at: as often as a reply is checkpointed."""


async def followed(
    conversation: Conversation, store: Store, look_seconds: float = LOOK_SECONDS
) -> AsyncGenerator[Message, None]:
    """The last message of a chat whenever there is news of it, until it streams no more.

    Where a look brings no news, its writer may be gone: then the next look finds it interrupted.
    """
    seen, growing = conversation.last, conversation.elsewhere
    while growing:
        await asyncio.sleep(look_seconds)
        try:
            if not await conversation.catch_up():
                await store.recover()
        except StoreError:
            continue  # locked for a moment, or worse: nothing is lost by looking again
        growing, last = conversation.elsewhere, conversation.last
        if last is not None and last != seen:  # whoever has taken it in
            seen = last
            yield last
