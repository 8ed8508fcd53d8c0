"""One key continues what was cut, tries again what failed and regenerates what is whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tui_chat.chat.conversation import Conversation
from tui_chat.chat.retry import RetryKind, plan_again
from tui_chat.messages import Message, Role, State
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat, Thread

PROMPT = Message(Role.USER, parts_of("go"), id="prompt")
REPLY = Message(Role.ASSISTANT, parts_of("some text"), id="reply", parent="prompt")


async def with_last(reply: Message | None) -> Conversation:
    """A chat whose last message is this one."""
    messages = (PROMPT,) if reply is None else (PROMPT, reply)
    streaming = frozenset(message.id for message in messages if message.state is State.STREAMING)
    thread = Thread(Chat("chat", leaf=messages[-1].id), messages, elsewhere=streaming)
    return Conversation(await Store.open(None), thread)


async def test_in_an_empty_chat_there_is_nothing_to_do_again() -> None:
    assert plan_again(Conversation(await Store.open(None))) is None


async def test_while_a_reply_streams_there_is_nothing_to_do_again() -> None:
    assert plan_again(await with_last(replace(REPLY, state=State.STREAMING))) is None


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (None, RetryKind.RETRY),
        (REPLY, RetryKind.REGENERATE),
        (replace(REPLY, finish="length"), RetryKind.CONTINUE),
        *(
            (replace(REPLY, state=state), RetryKind.CONTINUE)
            for state in (State.STOPPED, State.INTERRUPTED, State.FAILED)
        ),
        (replace(REPLY.with_text(""), state=State.FAILED), RetryKind.RETRY),
        (replace(REPLY, state=State.STOPPED, parts=parts_of("", "hm")), RetryKind.RETRY),
    ],
)
async def test_what_again_means_follows_from_how_the_reply_ended(last: Message | None, kind: RetryKind) -> None:
    plan = plan_again(await with_last(last))
    assert plan is not None
    assert plan.kind is kind
    assert plan.reply.state is State.STREAMING
    assert plan.reply.parent == "prompt"
    assert (plan.prefill, plan.reply.text) == (
        (REPLY.text, REPLY.text) if kind is RetryKind.CONTINUE else ("", "")
    )


async def test_a_continuation_fills_the_cut_message_and_a_regeneration_a_new_one() -> None:
    cut = plan_again(await with_last(replace(REPLY, state=State.STOPPED, error="old")))
    whole = plan_again(await with_last(REPLY))
    assert cut is not None
    assert whole is not None
    assert (cut.reply.id, cut.reply.error) == (REPLY.id, "")
    assert whole.reply.id != REPLY.id
