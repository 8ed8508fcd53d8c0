"""Continue, retry or regenerate a reply, and automatic retries."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from tui_chat.chat.conversation import Conversation
from tui_chat.errors import Busy, ChatError, Cut, Remedy, Unreachable
from tui_chat.messages import Message, Role, State
from tui_chat.store.values import ChatFields

_LONGEST_PAUSE: Final = 30.0
_PATIENCE: Final = 120.0
"""Longest pause in seconds that a server may ask for; longer ones are left to the user."""
_ATTEMPTS: Final = 7
"""With pauses of 2, 4, 8, 16, 30 and 30 seconds: a minute and a half."""


class RetryKind(StrEnum):
    """The ways to try a reply again."""

    CONTINUE = "continue"
    RETRY = "retry"
    REGENERATE = "regenerate"


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """What to answer, and how."""

    kind: RetryKind
    reply: Message
    """The message to fill: the unfinished one, or a new version."""
    prompt: Message | None = None
    """A prompt to add first; None if it is there already."""
    fields: ChatFields = field(default_factory=ChatFields)
    """Fields of the chat to change in the same transaction."""
    prefill: str = ""
    format: str | Mapping[str, object] = ""
    """The required format, as in `ChatRequest`."""
    waited: bool = False
    """Whether the prompt leaves the queue in the same transaction."""


def plan_again(conversation: Conversation, message: Message | None = None) -> ReplyPlan | None:
    """How to continue, retry or regenerate a message, by default the last; None if that is not possible.

    A message further up gets another version.
    """
    last = conversation.last
    if last is None or last.state is State.STREAMING:
        return None
    if message is not None and message.id not in (last.id, last.parent):
        prompt = conversation.parent_of(message) if message.role is Role.ASSISTANT else message
        return None if prompt is None else ReplyPlan(RetryKind.REGENERATE, answer_to(prompt))
    if last.role is not Role.ASSISTANT:
        return ReplyPlan(RetryKind.RETRY, answer_to(last))
    if last.unfinished and (last.text or not last.thinking):
        kind = RetryKind.CONTINUE if last.text else RetryKind.RETRY
        reply = replace(last, state=State.STREAMING, finish="", error="")
        return ReplyPlan(kind, reply, prefill=last.text)
    prompt = conversation.parent_of(last)
    if prompt is None:
        return None
    return ReplyPlan(RetryKind.RETRY if last.unfinished else RetryKind.REGENERATE, answer_to(prompt))


def answer_to(prompt: Message) -> Message:
    """An empty reply to a prompt."""
    return Message(Role.ASSISTANT, (), parent=prompt.id, state=State.STREAMING)


def pause_after(error: ChatError, attempt: int) -> float | None:
    """Seconds to wait after attempt `attempt` (from 1) failed before anything came; None to give up.

    Only failed connections are retried, and busy servers that say when to come back, if that is soon.
    """
    if attempt >= _ATTEMPTS:
        return None
    match error:
        case Busy(retry_after=wish):
            return None if wish is None or wish > _PATIENCE else max(1.0, wish)
        case Unreachable() | Cut():
            return min(_LONGEST_PAUSE, 2.0**attempt)
    return None


def with_time(error: ChatError) -> ChatError:
    """`error`, with the time in its hint if the server asks for a long pause."""
    if not isinstance(error, Busy) or error.retry_after is None or error.retry_after <= _PATIENCE:
        return error
    until = time.strftime("%H:%M", time.localtime(time.time() + error.retry_after))
    minutes = round(error.retry_after / 60)
    hint = f"Try again in {minutes} minutes, at {until}."
    return Busy(str(error), hint, Remedy.RETRY, status=error.status, retry_after=error.retry_after)
