"""How much of the context window a chat takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tui_chat.chat.context import most_tokens_of, outside, read_in_part, shares_of, tokens_of
from tui_chat.messages import Message, Role, Usage
from tui_chat.parts import Blob, attached, parts_of

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


@given(st.lists(MESSAGES, max_size=8), st.text(max_size=100))
def test_the_shares_of_a_chat_add_up(branch: list[Message], system: str) -> None:
    shares = shares_of(branch, system)
    assert min(shares.system, shares.messages, shares.files) >= 0
    assert shares.total == tokens_of(branch, system)


def test_files_take_their_share() -> None:
    file = attached("a.txt", "text/plain", Blob.of(b"x" * 5000))
    shares = shares_of([Message(Role.USER, parts_of("word " * 100, files=[file]))], "be brief..")
    assert (shares.system, shares.messages, shares.files, shares.counted) == (2, 100, 1000, False)


def test_what_the_server_has_counted_last_is_not_about() -> None:
    branch = [Message(Role.USER, parts_of("hi")), Message(Role.ASSISTANT, parts_of("ho"), usage=Usage(70, 9))]
    assert shares_of(branch, "").counted
    assert shares_of(branch, "").total == 79
    assert not shares_of([*branch, Message(Role.USER, parts_of("and"))], "").counted


@given(st.lists(MESSAGES, max_size=8), st.text(max_size=100))
def test_a_high_estimate_is_no_lower_than_what_nobody_has_counted(branch: list[Message], system: str) -> None:
    uncounted = [Message(message.role, message.parts) for message in branch]
    assert most_tokens_of(uncounted, system) >= tokens_of(uncounted, system)


def test_the_oldest_messages_are_left_out_and_the_last_one_never() -> None:
    branch = [Message(Role.USER, parts_of("word " * size)) for size in (100, 200, 300, 50)]
    assert [outside(branch, "", window) for window in (700, 640, 400, 60, 10)] == [0, 1, 2, 3, 3]
    assert outside(branch[:1], "", 10) == 0


def test_a_prompt_of_which_fewer_tokens_were_read_than_sent_was_read_in_part() -> None:
    prompt = Message(Role.USER, parts_of("word " * 5000))
    for read, window, cut in ((2000, 4096, True), (5200, 8192, False), (2000, 8192, False), (2000, None, False)):
        reply = Message(Role.ASSISTANT, parts_of("ok"), usage=Usage(read, 1))
        assert read_in_part([prompt, reply], "", window) is cut
    assert not read_in_part([prompt], "", 4096)


def test_a_prompt_that_fills_the_window_to_the_last_token_was_cut_to_it() -> None:
    prompt, reply = Message(Role.USER, parts_of("字" * 900)), Message(Role.ASSISTANT, usage=Usage(1024, 74))
    assert read_in_part([prompt, reply], "", 1024)  # Ollama 0.9.3, of a prompt with 1,800 tokens
    assert not read_in_part([prompt, reply], "", 2048)
