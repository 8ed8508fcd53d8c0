"""How much of the context window a chat takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tui_chat.chat.context import tokens_of
from tui_chat.messages import Message, Role, Usage
from tui_chat.parts import parts_of

COUNTS = st.none() | st.integers(0, 5000)
MESSAGES = st.builds(
    Message,
    st.sampled_from([Role.USER, Role.ASSISTANT]),
    st.builds(parts_of, st.text(max_size=400), st.sampled_from(["", "hm"])),
    usage=st.none() | st.builds(Usage, COUNTS, COUNTS),
)


@given(st.lists(MESSAGES, max_size=8), st.text(max_size=100))
def test_a_chat_that_grows_takes_no_less_and_no_less_than_was_counted(branch: list[Message], system: str) -> None:
    sizes = [tokens_of(branch[:count], system) for count in range(len(branch) + 1)]
    assert sizes == sorted(sizes)
    counted = [message.usage.prompt_tokens or 0 for message in branch if message.usage]
    assert sizes[-1] >= max(counted, default=0)


def test_what_a_server_leaves_out_still_counts() -> None:
    long = Message(Role.ASSISTANT, parts_of("x"), usage=Usage(3900, 100))
    cut = Message(Role.ASSISTANT, parts_of("y"), usage=Usage(2000, 300))
    assert tokens_of([long, Message(Role.USER, parts_of("more")), cut], "") >= 4300


def test_thinking_is_not_sent_again() -> None:
    reply = Message(Role.ASSISTANT, parts_of("Yes.", "x" * 9000), usage=Usage(10, 2000))
    assert tokens_of([reply], "") < 20


def test_a_prompt_that_nobody_has_counted_is_estimated_low() -> None:
    assert tokens_of([Message(Role.USER, parts_of("word " * 1000))], "") == 1000
