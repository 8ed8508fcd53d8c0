"""What dialects make of parts: rounds of tools as messages of their own, files as words where they go no other way."""

from __future__ import annotations

from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import Blob, File, Image, Text, Thinking, ToolCall, ToolResult, parts_of
from tui_chat.servers.content import sendable, words_of
from tui_chat.servers.dialects import ollama, openai

CALLED = Message(
    Role.ASSISTANT,
    (
        Thinking("hm"),
        Text("Let me look."),
        ToolCall("1", "weather", '{"city": "Bonn"}'),
        ToolCall("2", "time", "not JSON"),
        ToolResult("1", "rain"),
        ToolResult("2", "noon"),
        Text("It rains."),
    ),
)


def test_a_message_without_tools_is_sent_as_it_is() -> None:
    for parts in ((), parts_of("said", "thought", [Image("a", "image/png", Blob.of(b"x"))])):
        assert sendable(Message(Role.USER, parts, id="m", created=1.0)) == [
            Message(Role.USER, parts, id="m", created=1.0)
        ]


def test_openai_gets_calls_and_each_result_by_its_id() -> None:
    assert openai.chat_body(ChatRequest("m", (CALLED,)))["messages"] == [
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn"}'}},
                {"id": "2", "type": "function", "function": {"name": "time", "arguments": "not JSON"}},
            ],
        },
        {"role": "tool", "content": "rain", "tool_call_id": "1"},
        {"role": "tool", "content": "noon", "tool_call_id": "2"},
        {"role": "assistant", "content": "It rains."},
    ]


def test_ollama_gets_the_arguments_as_an_object() -> None:
    assert ollama.chat_body(ChatRequest("m", (CALLED,)))["messages"] == [
        {
            "role": "assistant",
            "content": "Let me look.",
            "thinking": "hm",
            "tool_calls": [
                {"function": {"name": "weather", "arguments": {"city": "Bonn"}}},
                {"function": {"name": "time", "arguments": {}}},
            ],
        },
        {"role": "tool", "content": "rain"},
        {"role": "tool", "content": "noon"},
        {"role": "assistant", "content": "It rains."},
    ]


def test_a_fence_is_longer_than_those_in_the_file() -> None:
    file = File("a.md", "text/markdown", Blob.of(b"````\ncode\n````\n"))
    words = words_of(Message(Role.USER, parts_of("see", files=[file])), ("image/",))
    assert words == "see\n\na.md:\n`````\n````\ncode\n````\n`````"


def test_a_model_learns_of_a_file_that_it_cannot_be_shown() -> None:
    lost = Image("lost.png", "image/png", Blob("digest", 7))
    binary = File("a.bin", "application/octet-stream", Blob.of(b"\xff\0"))
    message = Message(Role.USER, parts_of("see", files=[lost, binary]))
    for body in (ollama.chat_body(ChatRequest("m", (message,))), openai.chat_body(ChatRequest("m", (message,)))):
        assert body["messages"] == [
            {
                "role": "user",
                "content": "see\n\n(lost.png, image/png, 7 bytes: attached, but it cannot be shown to you.)\n\n"
                "(a.bin, application/octet-stream, 2 bytes: attached, but it cannot be shown to you.)",
            }
        ]
