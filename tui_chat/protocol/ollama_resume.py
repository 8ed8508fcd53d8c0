"""How a cut reply goes on with Ollama: by its own text as last message, by a raw prompt, or by asking in words.

Whether a model continues a trailing assistant message depends on its template. Ollama since 0.11 shows what it
makes of the messages (`_debug_render_only`); before, the template itself tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tui_chat.messages import ChatRequest, Message, Role
from tui_chat.parts import parts_of
from tui_chat.protocol.fields import text_of
from tui_chat.protocol.ollama import chat_body, images_of

CONTINUE: Final = (
    "Continue exactly where you stopped, in the middle of a word if need be. Do not repeat anything, "
    "do not comment on it: write only what comes next."
)
_KNOWS_LAST: Final = re.compile(r"\$last\b|slice\s+\$\.Messages")
_HARMONY: Final = "<|start|>assistant"
_OPEN_THINKING: Final = re.compile(r"<think>\s*\Z")


def trailing(request: ChatRequest) -> ChatRequest:
    """`request` with its prefill as the last message. Thinking is off: the answer has begun, so it is over."""
    partial = Message(Role.ASSISTANT, parts_of(request.prefill))
    return replace(request, messages=(*request.messages, partial), think=False, prefill="")


def in_words(request: ChatRequest) -> ChatRequest:
    """`request` with its prefill as a whole message, and a prompt to go on from there."""
    partial = trailing(request)
    return replace(partial, messages=(*partial.messages, Message(Role.USER, parts_of(CONTINUE))))


def render_body(request: ChatRequest) -> dict[str, object]:
    """The JSON of `POST /api/chat` that asks for the prompt alone, which the answer holds for `rendered`.

    Servers that do not know this generate instead: one token, so that it is cheap.
    """
    body = chat_body(request)
    options = {**request.options, "num_predict": 1}
    return {**body, "think": False, "stream": False, "options": options, "_debug_render_only": True}


def rendered(body: Mapping[str, object]) -> str | None:
    """The prompt in the answer to `render_body`; None where the server does not know that."""
    debug = body.get("_debug_info")
    return text_of(debug, "rendered_template") if isinstance(debug, dict) else None


def raw_body(request: ChatRequest, prompt: str) -> dict[str, object] | None:
    """The JSON of `POST /api/generate` that continues `prompt`, as rendered without the prefill, by the prefill.

    None where the text of an answer cannot simply follow the prompt: gpt-oss names a channel in between.
    """
    if prompt.endswith(_HARMONY):
        return None
    if _OPEN_THINKING.search(prompt):  # some templates always open it; an answer has begun only after its end
        prompt = prompt.rstrip() + "\n\n</think>\n\n"
    body: dict[str, object] = {
        "model": request.model,
        "prompt": prompt + request.prefill,
        "raw": True,
        "stream": True,
    }
    if request.options:
        body["options"] = dict(request.options)
    images = [image for message in request.messages for image in images_of(message)]
    return {**body, "images": images} if images else body


def continues(show: Mapping[str, object]) -> bool:
    """Whether a model with this body of `/api/show` continues a trailing assistant message, by its template.

    One that loops over messages must look for the last of them; one that does not is cut after the response by
    Ollama itself (`template/template.go`). A renderer of the server's own does not show what it does.
    """
    template = text_of(show, "template")
    if text_of(show, "renderer") or not template:
        return False
    return ".Messages" not in template or bool(_KNOWS_LAST.search(template))
