"""How a cut reply goes on."""

from __future__ import annotations

import pytest
from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import Blob, attached, parts_of
from tui_chat.protocol.ollama import body_of, chat_body
from tui_chat.protocol.ollama_resume import (
    CONTINUE,
    continues,
    in_words,
    raw_body,
    render_body,
    rendered,
    trailing,
)

from tests.protocol.ollama_recordings import recorded

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


def test_the_prompt_is_asked_for_so_that_old_servers_make_but_one_token() -> None:
    body = render_body(ASKED)
    assert body["_debug_render_only"] is True
    assert body["stream"] is False
    assert body["options"] == {"seed": 1, "num_predict": 1}


def test_an_answer_without_a_prompt_is_no_prompt() -> None:
    assert rendered({"_debug_info": {"rendered_template": "<user>Count."}}) == "<user>Count."
    assert rendered({"message": {"content": "One"}, "done": True}) is None


def test_a_raw_prompt_is_the_rendered_one_and_the_partial_reply() -> None:
    assert raw_body(ASKED, "<user>Count.<assistant>") == {
        "model": "m",
        "prompt": "<user>Count.<assistant>One, tw",
        "raw": True,
        "stream": True,
        "options": {"seed": 1},
    }


def test_a_raw_prompt_takes_the_images_along() -> None:
    asked = Message(Role.USER, parts_of("See.", files=(attached("a.png", "image/png", Blob.of(b"x")),)))
    body = raw_body(ChatRequest("m", (asked,), prefill="A"), "")
    assert body is not None
    assert body["images"] == ["eA=="]


def test_thinking_that_the_template_opens_is_closed_before_an_answer_goes_on() -> None:
    body = raw_body(ASKED, "<assistant><think>\n")
    assert body is not None
    assert body["prompt"] == "<assistant><think>\n\n</think>\n\nOne, tw"


def test_a_template_with_channels_has_no_raw_prompt() -> None:
    assert raw_body(ASKED, "<|start|>user<|message|>Count.<|end|><|start|>assistant") is None


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
