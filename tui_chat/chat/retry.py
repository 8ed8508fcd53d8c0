"""What "again" means for the last message: continue, retry or regenerate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tui_chat.chat.conversation import Conversation
from tui_chat.messages import Message, Role, State


class RetryKind(StrEnum):
    """The three things that one key does."""

    CONTINUE = "continue"
    RETRY = "retry"
    REGENERATE = "regenerate"


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """What is going to happen."""

    kind: RetryKind
    reply: Message
    """The message to fill: the cut one itself, or a new one beside what was there."""
    prefill: str = ""
    format: str | Mapping[str, object] = ""
    """What the answer has to be, as in `ChatRequest`."""


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
    if last.unfinished and last.text:
        return ReplyPlan(
            RetryKind.CONTINUE, replace(last, state=State.STREAMING, finish="", error=""), prefill=last.text
        )
    if last.unfinished and not last.thinking:
        return ReplyPlan(RetryKind.RETRY, replace(last, state=State.STREAMING, finish="", error=""))
    prompt = conversation.parent_of(last)
    if prompt is None:
        return None
    return ReplyPlan(RetryKind.RETRY if last.unfinished else RetryKind.REGENERATE, answer_to(prompt))


def answer_to(prompt: Message) -> Message:
    """A reply of which nothing is there yet."""
    return Message(Role.ASSISTANT, (), parent=prompt.id, state=State.STREAMING)
