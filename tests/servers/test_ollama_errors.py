"""Errors of Ollama and of what stands in its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.errors import (
    Busy,
    NoSuchModel,
    Refused,
    ReplyError,
    ServerFault,
    TooLong,
    Unauthorized,
    Unsupported,
)
from tui_chat.servers.client import Answer
from tui_chat.servers.dialects.ollama import judged
from tui_chat.servers.dialects.ollama_stream import body_of

from tests.servers.ollama_recordings import recorded
from tests.servers.test_ollama_wire import is_safe


def error_of(status: int, body: str, *, model: str = "") -> ReplyError:
    return judged(Answer(status, {}, body.encode("utf-8", "replace")), model)


def error_in(body: object) -> ReplyError | None:
    """What a line of a stream tells."""
    try:
        body_of(json.dumps(body).encode())
    except ReplyError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("chat-missing-model.txt", NoSuchModel, "does not have the model NAME"),
        ("chat-missing-model-tag.txt", NoSuchModel, "does not have the model NAME"),
        ("show-missing.txt", NoSuchModel, "does not have the model NAME"),
        ("chat-think-on-nonthinking.txt", Unsupported, "does not support thinking"),
        ("chat-think-string.txt", Unsupported, "ChatRequest.think of type bool"),
        ("chat-tools.txt", Unsupported, "does not support tools"),
        ("chat-badoption.txt", ServerFault, 'option "temperature" must be of type float32'),
        ("chat-malformed.txt", Refused, "unexpected EOF"),
        ("chat-no-model.txt", Refused, "model is required"),
        ("chat-images-bad.txt", Refused, "illegal base64"),
        ("chat-get.txt", Refused, "405 method not allowed"),
        ("notfound.txt", Refused, "404 page not found"),
        ("runner-killed-nostream.txt", ServerFault, "unexpected EOF"),
        ("llamacpp-ollama-chat.txt", Refused, "File Not Found"),
        ("lcpp-ollama-chat.txt", Refused, "Not Found"),
    ],
)
def test_a_recorded_error_is_told_as_what_it_is(name: str, kind: type[ReplyError], says: str) -> None:
    raw = recorded(name) if not name.startswith("lcpp") else None
    status, body = (raw.status, raw.body) if raw else (404, b'{"detail":"Not Found"}')
    error = error_of(status, body.decode(), model="NAME")
    assert type(error) is kind
    assert says in str(error)
    assert error.hint
    if isinstance(error, Refused):
        assert error.status == status


@pytest.mark.parametrize(
    ("status", "body", "kind", "hint"),
    [
        (404, '{"error":"model \'a\' not found"}', NoSuchModel, "`tui-chat pull NAME`"),
        (404, "404 page not found", Refused, "Is this an Ollama?"),
        (404, "", Refused, "Is this an Ollama?"),
        (403, "", Refused, "OLLAMA_HOST=0.0.0.0"),
        (403, '{"error":"cloud is disabled"}', Refused, "Choose a model"),
        (
            401,
            '{"error":"unauthorized","signin_url":"https://ollama.com/connect?x"}',
            Unauthorized,
            "ollama signin",
        ),
        (401, "", Unauthorized, "key"),
        (400, '{"error":"\\"m\\" does not support vision"}', Unsupported, "another model"),
        (400, '{"error":"\\"m\\" does not support thinking"}', Unsupported, "`think`"),
        (400, '{"error":"cannot unmarshal string into field ChatRequest.think"}', Unsupported, "`think`"),
        (400, '{"error":"the input length exceeds the context length"}', TooLong, "num_ctx"),
        (429, '{"error":"too many"}', Busy, "try again"),
        (503, '{"error":"server busy, please try again.  maximum pending requests exceeded"}', Busy, "try again"),
        (
            500,
            '{"error":"model requires more system memory (8 GiB) than is available"}',
            ServerFault,
            "smaller model",
        ),
        (500, '{"error":"llama runner process has terminated: exit status 2"}', ServerFault, "journalctl"),
        (500, "", ServerFault, "journalctl"),
        (502, "<html><h1>Bad Gateway</h1></html>", ServerFault, "could not reach"),
        (418, "I'm a teapot", Refused, "refused the request"),
    ],
)
def test_an_error_comes_with_what_to_do(status: int, body: str, kind: type[ReplyError], hint: str) -> None:
    error = error_of(status, body, model="NAME")
    assert type(error) is kind
    assert hint in error.hint


def test_the_error_of_the_runner_inside_of_the_error_is_unwrapped() -> None:
    inner = json.dumps({"error": {"code": 500, "message": "context is broken", "type": "server_error"}})
    assert str(error_of(500, json.dumps({"error": inner}))) == "context is broken"


@pytest.mark.parametrize(
    "body", ['"out of luck"', '{"error":"out of luck"}', '{"error":{"message":"out of luck"}}']
)
def test_the_text_is_found_in_any_json(body: str) -> None:
    assert str(error_of(500, body)) == "out of luck"


def test_a_web_page_is_not_quoted() -> None:
    assert "web page" in str(error_of(500, "<!DOCTYPE html><html>secret</html>"))
    assert "secret" not in str(error_of(500, "<!DOCTYPE html><html>secret</html>"))


@given(st.integers(300, 599), st.text() | st.text().map(lambda text: json.dumps({"error": text})), st.text())
def test_no_error_can_act_on_the_terminal(status: int, body: str, model: str) -> None:
    error = error_of(status, body, model=model)
    assert is_safe(str(error) + error.hint, lines=False)
    assert str(error)
    assert error.hint


@given(
    st.sampled_from([400, 401, 404, 405, 418, 429, 500, 502, 503]),
    st.text("  \t\n\u3000\u200b\u200d\u00ad\u3164\u2800", min_size=1),
    st.booleans(),
)
def test_a_blank_error_says_at_least_the_status(status: int, blank: str, as_json: bool) -> None:
    body = json.dumps({"error": blank}) if as_json else blank
    assert str(status) in str(error_of(status, body))
    told = error_in({"error": blank})
    assert told is None or str(told).isascii()


def test_a_body_without_an_error_tells_of_none() -> None:
    for body in ({}, {"error": None}, {"error": ""}, {"message": {"content": "error"}}):
        assert error_in(body) is None
