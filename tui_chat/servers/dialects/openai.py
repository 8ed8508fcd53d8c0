"""Any OpenAI-compatible server, like vLLM, SGLang, Open WebUI and OpenAI. Some have a file of their own.

`protocol.md` 2 lists the quirks of each server.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from tui_chat import parts
from tui_chat.errors import Garbled, Refused, ReplyError
from tui_chat.messages import ChatRequest, Message, Model, Role
from tui_chat.parameters import PARAMETERS
from tui_chat.server import Flavour
from tui_chat.servers.client import Call, Client
from tui_chat.servers.content import is_sent, sendable, words_of
from tui_chat.servers.dialect import Ask, Dialect, in_words
from tui_chat.servers.dialects.openai_stream import ReplyDecoder
from tui_chat.text.sanitize import clean_line
from tui_chat.untrusted import count_of, object_of, objects_of, text_of, window_of

MODELS_SECONDS: Final = 5.0


def _same(*options: str) -> dict[str, str]:
    """Options with the same name as at Ollama."""
    return dict(zip(options, options, strict=True))


_STANDARD: Final = _same("temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty") | {
    "num_predict": "max_tokens"
}
_VLLM: Final = _STANDARD | _same("top_k", "min_p") | {"repeat_penalty": "repetition_penalty"}
_OPTIONS: Final[Mapping[Flavour, Mapping[str, str]]] = {
    Flavour.OPENAI: _STANDARD | {"num_predict": "max_completion_tokens"},
    Flavour.LLAMACPP: _STANDARD
    | _same("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n")
    | {"num_keep": "n_keep"},
    Flavour.LMSTUDIO: _STANDARD | _same("top_k", "min_p", "repeat_penalty"),
    Flavour.VLLM: _VLLM,
    Flavour.SGLANG: _VLLM,
}
"""Ollama's names of options to the server's. Others are left out: strict servers refuse them."""

_OPEN_ENDED: Final = ("num_predict", "seed")
"""Options that may be negative at Ollama ("no limit", "any"); such values are left out elsewhere."""
_TEMPLATE_FLAVOURS: Final = (Flavour.LLAMACPP, Flavour.VLLM, Flavour.SGLANG)
"""Servers that render a chat template: they take its switches, earlier thinking, and a prefill."""
_MEDIA: Final = ("image/",)
_WINDOWS: Final = ("max_model_len", "context_length", "context_window", "max_context_length")
"""Names of the context window at vLLM and SGLang, OpenRouter, Groq, and LM Studio."""
_ALWAYS_LOADED: Final = ("llamacpp", "vllm", "sglang")
_IN_USE: Final = ("loaded", "sleeping")
"""States in llama.cpp's router of a model that has a process; one that sleeps wakes with the next request."""
_ABILITIES: Final = {
    "image": "vision",
    "vision": "vision",
    "multimodal": "vision",
    "tool_use": "tools",
    "trained_for_tool_use": "tools",
    "tools": "tools",
    "reasoning": "thinking",
    "completion": "completion",
    "embedding": "embedding",
}
"""The servers' words for capabilities to Ollama's, which are ours."""


async def models(client: Client) -> Sequence[Model]:
    """The models of `/v1/models`."""
    return models_in(await client.ask(Call(f"{_root(client)}/models"), within=MODELS_SECONDS), client.server.label)


async def ask(client: Client, request: ChatRequest) -> Ask:
    """The request for a reply. Servers that render a template continue a prefill by flags, others are asked to."""
    if request.prefill and client.server.flavour not in _TEMPLATE_FLAVOURS:
        return _asked(client, in_words(request), exact=False)
    return _asked(client, request, exact=True if request.prefill else None)


async def instead(client: Client, ask: Ask, refusal: ReplyError, request: ChatRequest) -> Ask:
    """Another request after a refusal. Each kind is tried once.

    Models that never think, and some that always do, refuse to be told how much to think.

    Raises:
        ReplyError: the refusal, if there is no other request.
    """
    if not isinstance(refusal, Refused) or refusal.status not in (400, 422):
        raise refusal
    body, said = ask.call.body or {}, str(refusal)
    extras = [name for name in ("stream_options", "reasoning_effort") if name in body]
    unexplained = type(refusal) is Refused and client.server.flavour is Flavour.UNKNOWN
    unwanted = [name for name in extras if name in said] or (extras if unexplained else [])
    if "stream_options" in unwanted[:1]:
        client.refused.add("stream_options")
    if unwanted:
        return ask.without(unwanted[0])
    client.refused.discard("stream_options")  # it was something else
    if ask.exact:
        return _asked(client, in_words(request), exact=False)
    raise refusal


def _asked(client: Client, request: ChatRequest, *, exact: bool | None) -> Ask:
    body = chat_body(request, client.server.flavour)
    kept = {name: value for name, value in body.items() if name not in client.refused}
    return Ask(Call(f"{_root(client)}/chat/completions", kept), exact)


def _root(client: Client) -> str:
    return "/api" if client.server.flavour is Flavour.OPENWEBUI else "/v1"


def chat_body(request: ChatRequest, flavour: Flavour = Flavour.UNKNOWN) -> dict[str, object]:
    """The JSON of `POST /v1/chat/completions`. A prefill is the last message, to be continued.

    vLLM, SGLang and llama.cpp since 2026-05 (#23012) have flags for that. Without them llama.cpp sends the prefill
    back first (#23089; seen in b11434).
    """
    messages = [_message(part, flavour) for message in request.messages for part in sendable(message)]
    body = {"model": request.model, "messages": messages, **_streaming(request, flavour)}
    if request.prefill:
        messages.append({"role": Role.ASSISTANT.value, "content": request.prefill})
        if flavour in _TEMPLATE_FLAVOURS:
            body |= {"add_generation_prompt": False, "continue_final_message": True}
    return body | _format(request.format, flavour) | _thinking(request.think, flavour)


def _streaming(request: ChatRequest, flavour: Flavour) -> dict[str, object]:
    """The settings of a stream: usage counts, progress if the server has it, sampling options."""
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
    """The server's switch for thinking.

    Templates of Qwen, GLM and others have `enable_thinking`, gpt-oss has `reasoning_effort`. Most other servers
    read OpenAI's `reasoning_effort`: "none" turns thinking off, and there is no word to turn it on, but LM Studio
    takes "medium" for that (lmstudio-bug-tracker#2057).
    """
    if think is None:
        return {}
    if flavour in _TEMPLATE_FLAVOURS:
        key = "enable_thinking" if isinstance(think, bool) else "reasoning_effort"
        return {"chat_template_kwargs": {key: think}}
    switch = {False: "none", True: "medium" if flavour is Flavour.LMSTUDIO else ""}
    effort = switch[think] if isinstance(think, bool) else think
    return {"reasoning_effort": effort} if effort else {}


def _format(form: str | Mapping[str, object], flavour: Flavour) -> dict[str, object]:
    """The format of the answer as OpenAI's field. LM Studio knows only schemas, so `json` becomes an open one."""
    if not form:
        return {}
    if form == "json":
        if flavour is not Flavour.LMSTUDIO:
            return {"response_format": {"type": "json_object"}}
        form = {"type": "object"}
    schema = {"name": "answer", "schema": form, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def models_in(body: Mapping[str, object], server: str = "") -> Sequence[Model]:
    """The models in a body of `/v1/models`, newest first if it says. `data` may be null (Ollama without models).

    Raises:
        Garbled: it is not a list of models.
    """
    if not isinstance(body.get("data", ""), list | None):
        raise Garbled("The server did not answer with a list of models.", "Check the URL.")
    models = [_model(entry, server) for entry in objects_of(body, "data")]
    return sorted((model for model in models if model.name), key=lambda model: model.modified, reverse=True)


def _model(entry: Mapping[str, object], server: str) -> Model:
    meta, status = object_of(entry, "meta"), object_of(entry, "status")
    owner = text_of(entry, "owned_by")
    state = text_of(status, "value")
    window = next((size for name in _WINDOWS if (size := window_of(entry, name))), None)
    return Model(
        name=clean_line(text_of(entry, "id"), 200),
        server=server,
        size=count_of(meta, "size"),
        parameters=_billions(count_of(meta, "n_params")),
        context_window=window or window_of(meta, "n_ctx_train"),
        window=window or window_of(meta, "n_ctx") or _window_by(status.get("args")),
        capabilities=abilities(entry, object_of(entry, "architecture").get("input_modalities")),
        loaded=state in _IN_USE if state else owner in _ALWAYS_LOADED,
        fixed=not state and owner in _ALWAYS_LOADED,
        modified="" if owner in _ALWAYS_LOADED else _date(count_of(entry, "created")),
    )


def _window_by(flags: object) -> int | None:
    """The context window by the flags of a model in llama.cpp's router (`status.args`).

    Slots have equal parts of the context, unless they share it (`--kv-unified`).
    """
    words = [flag for flag in flags if isinstance(flag, str)] if isinstance(flags, list) else []
    given = {flag: int(value) for flag, value in pairwise(words) if re.fullmatch("[1-9][0-9]{0,9}", value)}
    slots = 1 if "--kv-unified" in words else given.get("--parallel", 1)
    return given.get("--ctx-size", 0) // slots or None


def abilities(entry: Mapping[str, object], modalities: object) -> frozenset[str]:
    """The capabilities in lists of words, or (LM Studio) in an object whose keys are the words."""
    words: list[object] = [*modalities] if isinstance(modalities, list) else []
    for name in ("capabilities", "supported_parameters"):
        told = entry.get(name)
        if isinstance(told, list):
            words += told
        elif isinstance(told, dict):
            words += [word for word, value in told.items() if value]
    return frozenset(_ABILITIES[word] for word in words if isinstance(word, str) and word in _ABILITIES)


def _billions(parameters: int | None) -> str:
    if not parameters:
        return ""
    return f"{parameters / 1e9:.1f}B" if parameters >= 1e8 else f"{parameters / 1e6:.1f}M"


def _date(seconds: int | None) -> str:
    if not seconds or seconds > 4_000_000_000:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def takes(flavour: Flavour) -> Collection[str]:
    """The names of the parameters that a server takes."""
    return PARAMETERS.keys() & {*_OPTIONS.get(flavour, _STANDARD), "think", "format"}


def levels(flavour: Flavour) -> tuple[str, ...]:
    """What `think` can be; without a template there is no word for "on"."""
    on = ("on",) if flavour in _TEMPLATE_FLAVOURS else ()
    return ("off", *on, "low", "medium", "high")


DIALECT: Final = Dialect(models=models, ask=ask, instead=instead, decoder=ReplyDecoder, takes=takes, levels=levels)
