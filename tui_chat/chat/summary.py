"""A chat summed up by its model, so that a new one goes on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tui_chat.chat.conversation import Conversation
from tui_chat.messages import Message
from tui_chat.parameters import Parameters

SUM_UP: Final = (
    "Sum up our conversation so far, so that it can go on in a new chat without these messages. Keep the facts, "
    "decisions, names, figures and code that are still needed, what is open, and what comes next. Write in the "
    "language of the conversation, and nothing but the summary."
)
GO_ON: Final = "This is a summary of our earlier conversation, from which we go on:\n\n{}\n\n"


def summary_in(conversation: Conversation) -> str:
    """The summary at the end of a chat, if there is a whole one."""
    last = conversation.last
    prompt = conversation.parent_of(last) if last is not None and not last.unfinished else None
    return last.text if last is not None and prompt is not None and prompt.text == SUM_UP else ""


def parameters_for(conversation: Conversation, reply: Message) -> Parameters:
    """The parameters of a chat for a reply in it; a summary is asked for without `format` and `stop`."""
    own, prompt = conversation.chat.parameters, conversation.parent_of(reply)
    return replace(own, format=None, stop=None) if prompt is not None and prompt.text == SUM_UP else own
