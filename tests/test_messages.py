"""Messages and their parts: text and thinking over them, and what changes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tui_chat.messages import Message, Role
from tui_chat.parts import Blob, File, Image, Text, Thinking, ToolCall, ToolResult, attached, parts_of

from tests.store.kit import message_strategy, texts

IMAGE = Image("a.png", "image/png", Blob.of(b"x"))


@given(texts, texts)
def test_the_parts_of_words_are_those_words(text: str, thinking: str) -> None:
    message = Message(Role.ASSISTANT, parts_of(text, thinking, [IMAGE]))
    assert (message.text, message.thinking, message.files) == (text, thinking, (IMAGE,))
    assert message.size == len(text) + len(thinking) + 1


@given(message_strategy("m", None), texts)
def test_another_text_leaves_the_other_parts_as_they_are(message: Message, text: str) -> None:
    changed = message.with_text(text)
    assert changed.text == text
    assert [part for part in changed.parts if not isinstance(part, Text)] == [
        part for part in message.parts if not isinstance(part, Text)
    ]


@given(st.lists(st.tuples(texts, st.booleans())), message_strategy("m", None))
def test_what_grows_begins_with_what_was_there(pieces: list[tuple[str, bool]], message: Message) -> None:
    for piece, thought in pieces:
        longer = message.grown(thinking=piece) if thought else message.grown(piece)
        assert longer.text.startswith(message.text)
        assert longer.thinking.startswith(message.thinking)
        assert longer.size == message.size + len(piece)
        message = longer


def test_a_reply_that_grows_stays_one_thought_and_one_text() -> None:
    reply = Message(Role.ASSISTANT).grown(thinking="h").grown(thinking="m").grown("a").grown("b")
    assert reply.parts == (Thinking("hm"), Text("ab"))


def test_texts_around_a_tool_are_paragraphs() -> None:
    parts = (Text("one"), ToolCall("1", "f", "{}"), ToolResult("1", "x"), Text("two"))
    message = Message(Role.ASSISTANT, parts)
    assert message.text == "one\n\ntwo"
    assert message.grown(" more").parts[-1] == Text("two more")


def test_a_file_is_an_image_by_its_media_type() -> None:
    blob = Blob.of(b"x")
    assert attached("a", "image/png", blob) == Image("a", "image/png", blob)
    assert attached("a", "text/plain", blob) == File("a", "text/plain", blob)


def test_bytes_are_the_same_blob_whether_they_are_loaded_or_not() -> None:
    blob = Blob.of(b"secret")
    assert blob == Blob(blob.digest, 6)
    assert "secret" not in repr(blob)
