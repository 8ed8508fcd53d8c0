"""What "again" means for a reply, and when a request that failed is tried again by itself."""

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
"""The longest pause that a server may wish for, in seconds; longer ones are left to the user."""
_ATTEMPTS: Final = 7
"""With pauses of 2, 4, 8, 16, 30 and 30 seconds that is a minute and a half of trying."""


class RetryKind(StrEnum):
    """The three things that one key does."""

    CONTINUE = "continue"
    RETRY = "retry"
    REGENERATE = "regenerate"


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """What is to be answered, and how."""

    kind: RetryKind
    reply: Message
    """The message to fill: the cut one itself, or a new one beside what was there."""
    prompt: Message | None = None
    """What is to be said first; None where it was said already."""
    fields: ChatFields = field(default_factory=ChatFields)
    """What else changes in the chat as it begins."""
    prefill: str = ""
    format: str | Mapping[str, object] = ""
    """What the answer has to be, as in `ChatRequest`."""


def plan_prompt(prompt: Message, fields: ChatFields, format: str | Mapping[str, object] = "") -> ReplyPlan:
    """Say a prompt and have it answered."""
    return ReplyPlan(RetryKind.RETRY, answer_to(prompt), prompt, fields, format=format)


def plan_again(conversation: Conversation, message: Message | None = None) -> ReplyPlan | None:
    """What again would do now to a message, or else to the last; None where there is nothing to do again.

    One with others below it gets another version beside it, or beside its answer.
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
    """A reply of which nothing is there yet."""
    return Message(Role.ASSISTANT, (), parent=prompt.id, state=State.STREAMING)


def pause_after(error: ChatError, attempt: int) -> float | None:
    """Seconds to wait after attempt number `attempt`, counted from 1, has failed before anything came.

    None if it is not worth another: only a connection that failed is, and a busy server that says when to come
    back, if that is soon.
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
    """`error`; where the server wants to be left alone for long, its hint says until when."""
    if not isinstance(error, Busy) or error.retry_after is None or error.retry_after <= _PATIENCE:
        return error
    until = time.strftime("%H:%M", time.localtime(time.time() + error.retry_after))
    minutes = round(error.retry_after / 60)
    hint = f"It wants to be asked again in {minutes} minutes, at {until}."
    return Busy(str(error), hint, Remedy.RETRY, status=error.status, retry_after=error.retry_after)
