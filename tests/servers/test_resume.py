"""How a cut reply goes on."""

from __future__ import annotations

import pytest
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.servers.dialect import CONTINUE, in_words, trailing
from tui_chat.servers.dialects.ollama import chat_body, continues
from tui_chat.servers.dialects.ollama_stream import body_of

from tests.servers.ollama_recordings import recorded

ASKED = ChatRequest(
    "m", (Message(Role.USER, parts_of("Count.")),), options={"seed": 1}, think=True, prefill="One, tw"
)


def sent(request: ChatRequest) -> list[tuple[object, object]]:
    messages = chat_body(request)["messages"]
    assert isinstance(messages, list)
    return [(message["role"], message["content"]) for message in messages]


def test_a_trailing_message_is_the_partial_reply_itself() -> None:
    assert sent(trailing(ASKED)) == [("user", "Count."), ("assistant", "One, tw")]
    assert chat_body(trailing(ASKED))["think"] is False


def test_in_words_the_partial_reply_is_followed_by_a_prompt() -> None:
    assert sent(in_words(ASKED)) == [("user", "Count."), ("assistant", "One, tw"), ("user", CONTINUE)]


@pytest.mark.parametrize(
    ("show", "exact"),
    [
        ({"template": "{{ range $i, $_ := .Messages }}{{ $last := eq 1 1 }}{{ end }}"}, True),
        (
            {
                "template": "{{ range $i, $_ := .Messages }}{{ if eq (len (slice $.Messages $i)) 1 }}{{ end }}{{ end }}"
            },
            True,
        ),
        ({"template": "{{ range .Messages }}{{ .Content }}{{ end }}"}, False),
        ({"template": "{{ .System }} {{ .Prompt }} {{ .Response }}"}, True),
        ({"template": "{{ .Prompt }}", "renderer": "gemma4"}, False),
        ({"template": ""}, False),
        ({}, False),
        (body_of(recorded("show.txt").body), False),
    ],
)
def test_the_template_tells_whether_a_trailing_message_is_continued(show: dict[str, object], exact: bool) -> None:
    assert continues(show) is exact
