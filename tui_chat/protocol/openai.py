"""The chat completions of OpenAI's API, as many servers speak it: requests to JSON, stream events to our events.

Every server has its own reading of it; the quirks are listed in `protocol.md` 2.2.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tui_chat import parts
from tui_chat.errors import Cut, Garbled, ReplyError, ServerFault
from tui_chat.events import Delta, Event, Finished, PromptProgress, Thinking, ToolCall, WasThinking
from tui_chat.messages import ChatRequest, Message, Role, Usage
from tui_chat.protocol.content import is_sent, sendable, words_of
from tui_chat.protocol.fields import count_of, delta_of, object_of, objects_of, text_of
from tui_chat.protocol.openai_errors import fault_in, judge
from tui_chat.protocol.sse import DONE, ServerEvent
from tui_chat.protocol.think_tags import Piece, ThinkTags
from tui_chat.server import Flavour
from tui_chat.text.sanitize import clean, clean_line

_STANDARD: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "stop": "stop",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "num_predict": "max_tokens",
}
_VLLM: Final = _STANDARD | {"top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repetition_penalty"}
_OPTIONS: Final[Mapping[Flavour, Mapping[str, str]]] = {
    Flavour.OPENAI: _STANDARD | {"num_predict": "max_completion_tokens"},
    Flavour.LLAMACPP: _STANDARD
    | {
        "top_k": "top_k",
        "min_p": "min_p",
        "typical_p": "typical_p",
        "repeat_penalty": "repeat_penalty",
        "repeat_last_n": "repeat_last_n",
        "num_keep": "n_keep",
    },
    Flavour.LMSTUDIO: _STANDARD | {"top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repeat_penalty"},
    Flavour.VLLM: _VLLM,
    Flavour.SGLANG: _VLLM,
}
"""Ollama's names of options to the server's own. What has no name there is left out: strict servers refuse it."""

_OPEN_ENDED: Final = ("num_predict", "seed")
"""Options of which Ollama takes a negative value as "no limit" and "any"; elsewhere they are left out then."""
_TEMPLATE_FLAVOURS: Final = (Flavour.LLAMACPP, Flavour.VLLM, Flavour.SGLANG)
"""Servers that render a chat template: they take its switches, the thinking of past messages, and a prefill."""
_REASONING: Final = ("reasoning", "reasoning_content")
_ANSWER: Final = ("content", "refusal", "text")
_PIECES: Final = (*_REASONING, *_ANSWER, "tool_calls")
"""Where a piece of the reply stands in a delta."""
_MEDIA: Final = ("image/",)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def chat_body(request: ChatRequest, flavour: Flavour = Flavour.UNKNOWN) -> dict[str, object]:
    """The JSON of `POST /v1/chat/completions`. A prefill goes last, as the assistant's, to be continued.

    vLLM, SGLang and llama.cpp since 2026-05 (#23012) continue it when they are told to. llama.cpp does so also by
    itself, but sends the prefill back first then (#23089; seen in b11434).
    """
    messages = [_message(part, flavour) for message in request.messages for part in sendable(message)]
    body = {"model": request.model, "messages": messages, **_streaming(request, flavour)}
    if request.prefill:
        messages.append({"role": Role.ASSISTANT.value, "content": request.prefill})
        if flavour in _TEMPLATE_FLAVOURS:
            body |= {"add_generation_prompt": False, "continue_final_message": True}
    return body | _format(request.format, flavour) | _thinking(request.think, flavour)


def completion_body(request: ChatRequest, prompt: str, flavour: Flavour = Flavour.UNKNOWN) -> dict[str, object]:
    """The JSON of `POST /v1/completions`, which continues a rendered `prompt`."""
    return {"model": request.model, "prompt": prompt, **_streaming(request, flavour)}


def _streaming(request: ChatRequest, flavour: Flavour) -> dict[str, object]:
    """What every stream is asked for with: usage counts, progress where it can be had, sampling options."""
    names = _OPTIONS.get(flavour, _STANDARD)
    body: dict[str, object] = {"stream": True, "stream_options": {"include_usage": True}}
    if flavour is Flavour.LLAMACPP:
        body["return_progress"] = True
    for option, value in request.options.items():
        unlimited = option in _OPEN_ENDED and isinstance(value, int | float) and value < 0
        if option in names and value is not None and not unlimited:
            body[names[option]] = value
    return body


def _message(message: Message, flavour: Flavour) -> dict[str, object]:
    """One message; images go as data URLs in content parts."""
    words = words_of(message, _MEDIA)
    body: dict[str, object] = {"role": message.role.value, "content": words}
    images = [file for file in message.files if is_sent(file, _MEDIA)]
    if images:
        text = [{"type": "text", "text": words}] if words else []
        body["content"] = [*text, *map(_image, images)]
    if calls := [_call(part) for part in message.parts if isinstance(part, parts.ToolCall)]:
        body["tool_calls"] = calls
    for part in message.parts:
        if isinstance(part, parts.ToolResult):
            body["tool_call_id"] = part.id
    if message.role is Role.ASSISTANT and message.thinking and flavour in _TEMPLATE_FLAVOURS:
        body["reasoning_content"] = message.thinking
        if flavour is Flavour.VLLM:  # renamed there (#38488); strict servers refuse it
            body["reasoning"] = message.thinking
    return body


def _call(call: parts.ToolCall) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _image(image: parts.Image | parts.File) -> dict[str, object]:
    url = f"data:{image.mime};base64,{base64.b64encode(image.blob.data or b'').decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _thinking(think: bool | str | None, flavour: Flavour) -> dict[str, object]:
    """The server's way to ask for thinking, or for none.

    Templates of Qwen, GLM and others ask for `enable_thinking`, that of gpt-oss for `reasoning_effort`. OpenAI's
    own `reasoning_effort`, of which "none" turns thinking off, is what most others read, LM Studio and Ollama
    among them. To think at all is the default there, and has no word.
    """
    if think is None:
        return {}
    if flavour in _TEMPLATE_FLAVOURS:
        switch = {"enable_thinking": think} if isinstance(think, bool) else {"reasoning_effort": think}
        return {"chat_template_kwargs": switch}
    effort = "none" if think is False else think
    return {"reasoning_effort": effort} if isinstance(effort, str) else {}


def _format(form: str | Mapping[str, object], flavour: Flavour) -> dict[str, object]:
    """What the answer has to be, in OpenAI's words. LM Studio knows schemas alone: any object has an open one."""
    if not form:
        return {}
    if form == "json":
        if flavour is not Flavour.LMSTUDIO:
            return {"response_format": {"type": "json_object"}}
        form = {"type": "object"}
    schema = {"name": "answer", "schema": form, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ReplyDecoder:
    """Turns the events of one stream into ours. A `finish_reason` makes a reply whole, and nothing else does."""

    def __init__(self, *, resumed: bool = False) -> None:
        """`resumed`: the reply goes on in the middle of an answer, where no thinking is to be looked for."""
        self.done = False
        """Whether nothing more will come."""
        self.begun = False
        """Whether anything of the reply itself has come."""
        self._tags = ThinkTags(plain=resumed)
        self._answer = _Halves()
        self._reasoning = _Halves()
        self._calls: dict[int, _Call] = {}
        self._figures: dict[str, object] = {}
        self._reason = ""

    @property
    def whole(self) -> bool:
        """Whether the reply is complete; usage counts may still come."""
        return bool(self._reason)

    def feed(self, event: ServerEvent) -> Iterator[Event]:
        """What one event of the stream says; before an error, what was held back.

        Raises:
            Garbled: it is not the protocol.
            ReplyError: the server tells of an error.
        """
        try:
            yield from self._read(event)
        except ReplyError:
            yield from self._flush()
            raise

    def _read(self, event: ServerEvent) -> Iterator[Event]:
        data = event.data.strip()
        if self.done or not data:
            return
        if data.startswith(DONE):
            self.done = True
            return
        chunk = _error(data) if event.type == "error" else _object(data)
        choice = _first_choice(chunk)
        fault = fault_in(chunk) or fault_in(choice)
        if fault is not None:
            raise judge(fault, fault.status)
        yield from self._progress(chunk)
        delta = object_of(choice, "delta") or object_of(choice, "message") or choice
        self.begun = self.begun or any(delta.get(name) for name in _PIECES)
        yield from self._texts(delta)
        self._tool_calls(delta)
        self._figures |= {**object_of(chunk, "usage"), **object_of(chunk, "timings")}
        self._finish(choice)

    def close(self) -> Iterator[Event]:
        """What was held back, and the end.

        Raises:
            Cut: no `finish_reason` came.
        """
        self.done = True
        yield from self._flush()
        if not self._reason:
            raise Cut("The server ended the reply before it was whole.", "What came is kept: continue it.")
        for call in self._calls.values():
            yield ToolCall(clean_line(call.name), clean("".join(call.arguments)))
        yield Finished(self._reason, _usage(self._figures))

    def _flush(self) -> Iterator[Event]:
        yield from _cleaned([Thinking(self._reasoning.close())])
        yield from _cleaned(self._tags.feed(self._answer.close()))
        yield from _cleaned(self._tags.close())

    def _progress(self, chunk: Mapping[str, object]) -> Iterator[Event]:
        progress = object_of(chunk, "prompt_progress")
        done, total = count_of(progress, "processed"), count_of(progress, "total")
        if done is not None and total:
            yield PromptProgress(min(done, total), total)

    def _texts(self, delta: Mapping[str, object]) -> Iterator[Event]:
        """Some servers send the thinking by both of its names: then it counts once."""
        for thinking in dict.fromkeys(text_of(delta, name) for name in _REASONING):
            if thinking:
                self._tags.settle()
                yield from _cleaned([Thinking(self._reasoning.feed(thinking))])
        for name in _ANSWER:
            yield from _cleaned(self._tags.feed(self._answer.feed(_text(delta, name))))

    def _tool_calls(self, delta: Mapping[str, object]) -> None:
        for position, part in enumerate(objects_of(delta, "tool_calls")):
            self._add_call(self._place_of(part, position), text_of(part, "id"), object_of(part, "function"))

    def _place_of(self, part: Mapping[str, object], position: int) -> int:
        """By `index`; servers that leave it out send whole calls, each with an id of its own."""
        index, key = part.get("index"), text_of(part, "id")
        if isinstance(index, int):
            return index
        known = self._calls.get(position)
        return len(self._calls) if known and key and key != known.id else position

    def _add_call(self, place: int, key: str, function: Mapping[str, object]) -> None:
        """Some servers repeat the name in every piece, some send the arguments as an object."""
        call = self._calls.setdefault(place, _Call())
        name, arguments = text_of(function, "name"), function.get("arguments")
        call.id = call.id or key
        call.name += name if name != call.name else ""
        if arguments:
            call.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    def _finish(self, choice: Mapping[str, object]) -> None:
        """vLLM's `abort` ends no reply: the request was given up; OpenRouter's `error` says that it failed."""
        reason = clean_line(text_of(choice, "finish_reason"), 80)
        if reason == "error":
            raise ServerFault("The server gave up in the middle of the reply.", "What came is kept: continue it.")
        if reason and reason != "abort":
            self._reason = reason


class _Halves:
    """Joins surrogate pairs that a server split between two JSON strings; a half alone becomes U+FFFD."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return _whole(text)

    def close(self) -> str:
        half, self._half = self._half, ""
        return _whole(half)


def _whole(text: str) -> str:
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _cleaned(pieces: Iterable[Piece]) -> Iterator[Event]:
    for piece in pieces:
        if isinstance(piece, WasThinking):
            yield piece
        elif isinstance(piece, Delta) and piece.text:
            yield delta_of(piece.text)
        elif text := clean(piece.text):
            yield Thinking(text)


def _object(data: str) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"The server sent what is not JSON: {clean_line(data, 80)}", "Check the URL.") from error
    if not isinstance(value, dict):
        raise Garbled(f"The server sent what is not a reply: {clean_line(data, 80)}", "Check the URL.")
    return value


def _error(data: str) -> dict[str, object]:
    """An event of type `error` holds an error object, the inside of one (llama.cpp), or text."""
    if not data.startswith("{"):
        return {"error": data}
    value = _object(data)
    return value if value.get("error") else {"error": value}


def _first_choice(chunk: Mapping[str, object]) -> Mapping[str, object]:
    return next((choice for choice in objects_of(chunk, "choices") if not choice.get("index")), {})


def _text(delta: Mapping[str, object], name: str) -> str:
    """A text: a string, or a list of parts (Mistral and others)."""
    return text_of(delta, name) or "".join(text_of(part, "text") for part in objects_of(delta, name))


def _usage(figures: Mapping[str, object]) -> Usage | None:
    """`usage` is everybody's; llama.cpp's `timings` tell the same, tokens in its cache apart, and the time."""
    evaluated, cached = count_of(figures, "prompt_n"), count_of(figures, "cache_n") or 0
    prompt, reply = count_of(figures, "prompt_tokens"), count_of(figures, "completion_tokens")
    usage = Usage(
        prompt_tokens=evaluated + cached if prompt is None and evaluated is not None else prompt,
        reply_tokens=count_of(figures, "predicted_n") if reply is None else reply,
        prompt_seconds=_seconds(figures, "prompt_ms"),
        reply_seconds=_seconds(figures, "predicted_ms"),
    )
    return usage if usage != Usage() else None


def _seconds(value: Mapping[str, object], name: str) -> float | None:
    number = value.get(name)
    return number / 1000 if isinstance(number, int | float) and 0 <= number < 1e12 else None
