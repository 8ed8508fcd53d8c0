"""Ollama's native API. Its OpenAI API can neither report an error in a stream nor set num_ctx.

Fields change with versions, so each may be missing, null or of another type. They are described in Ollama's
`api/types.go`; answers of 0.9.3 are recorded in `tests/recordings`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from tui_chat import parts
from tui_chat.errors import (
    Cut,
    NoSuchModel,
    Refused,
    Remedy,
    ReplyError,
    Unauthorized,
    Unsupported,
)
from tui_chat.messages import ChatRequest, Message, Model
from tui_chat.servers import client as http
from tui_chat.servers.client import Answer, Call, Client
from tui_chat.servers.content import is_sent, sendable, words_of
from tui_chat.servers.dialect import Ask, Details, Dialect, Progress, in_words, trailing
from tui_chat.servers.dialects.ollama_stream import IS_IT_OLLAMA, NAME_LENGTH, ReplyDecoder, body_of, with_advice
from tui_chat.servers.lines import Lines
from tui_chat.servers.well_known import CLOUD, is_cloud
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.untrusted import count_of, object_of, objects_of, parsed, strings_of, text_of

_MEDIA: Final = ("image/", "audio/")
"""MIME types that are sent in `images`."""
_GPT_OSS_LEVELS: Final = ("low", "medium", "high")
"""It ignores `true` and `false` (`docs/capabilities/thinking.mdx`)."""
_KNOWS_LAST: Final = re.compile(r"\$last\b|slice\s+\$\.Messages")


async def models(client: Client) -> Sequence[Model]:
    """The models on the server's disk, newest first."""
    return models_of(await client.ask(Call("/api/tags")), client.server.label)


async def loaded(client: Client) -> Sequence[Model]:
    """The models in memory. The server does not answer while it loads a model."""
    return models_of(await client.ask(Call("/api/ps")), client.server.label, loaded=True)


async def describe(client: Client, model: str) -> Model:
    """What `/api/show` tells of `model`."""
    return model_of(await client.ask(Call("/api/show", {"model": model}), model=model), model, client.server.label)


async def details(client: Client, model: str) -> Details:
    """All of `/api/show`."""
    body = await client.ask(Call("/api/show", {"model": model}), model=model)
    texts = (clean(text_of(body, name)) for name in ("parameters", "template", "system", "license"))
    return Details(model_of(body, model, client.server.label), *texts)


async def ask(client: Client, request: ChatRequest) -> Ask:
    """The request for a reply. A cut reply is continued by its text as last message, or by asking in words."""
    if not request.prefill:
        return Ask(Call("/api/chat", chat_body(request)))
    exact = False
    with suppress(ReplyError):
        exact = continues(await client.ask(Call("/api/show", {"model": request.model})))
    return Ask(Call("/api/chat", chat_body(trailing(request) if exact else in_words(request))), exact)


async def instead(_client: Client, ask: Ask, refusal: ReplyError, _request: ChatRequest) -> Ask:
    """The same without `think`, if that was refused; raises any other refusal."""
    about_thinking = isinstance(refusal, Unsupported) and "think" in str(refusal).lower()
    if about_thinking and "think" in (ask.call.body or {}):
        return ask.without("think")
    raise refusal


async def pull(client: Client, model: str) -> AsyncGenerator[Progress, None]:
    """Download a model. Errors come in the stream, after a good status (`protocol.md` 1.7)."""
    try:
        async for progress in _progress(client, "/api/pull", {"model": model}, model):
            yield progress
    except NoSuchModel as error:
        raise NoSuchModel(str(error), "Check its name at ollama.com/search.") from None


async def create(client: Client, model: str, settings: Mapping[str, object]) -> AsyncGenerator[Progress, None]:
    """Make a model of another."""
    async for progress in _progress(client, "/api/create", {"model": model, **settings}, model):
        yield progress


async def load(client: Client, model: str, settings: Mapping[str, object]) -> AsyncGenerator[Progress, None]:
    """Load a model, or keep it longer; how far it is, is not told."""
    yield Progress("loading model")
    body = {"model": model, "messages": [], **settings}
    if "keep_alive" in body:
        body["keep_alive"] = _keep_alive(str(body["keep_alive"]))
    await client.ask(Call("/api/chat", body), within=None, model=model)


async def unload(client: Client, model: str) -> None:
    """Free the memory that a model takes."""
    await client.ask(Call("/api/chat", {"model": model, "messages": [], "keep_alive": 0}), model=model)


async def copy(client: Client, model: str, name: str) -> None:
    """Give a model a second name."""
    await client.ask(Call("/api/copy", {"source": model, "destination": name}), model=model)


async def delete(client: Client, model: str) -> None:
    """Take a model off the disk."""
    await client.ask(Call("/api/delete", {"model": model}, "DELETE"), model=model)


async def _progress(
    client: Client, path: str, body: Mapping[str, object], model: str
) -> AsyncGenerator[Progress, None]:
    """The lines of a long piece of work, which has succeeded if the last of them says so.

    Raises:
        Cut: the server broke off.
        ReplyError: it failed, for the reason that it gives.
    """
    lines, status = Lines(), ""
    async with client.open(Call(path, {**body, "stream": True})) as incoming:
        if not incoming.ok:
            raise judged(await incoming.whole(), model)
        while chunk := await incoming.next():
            for line in filter(None, lines.feed(chunk)):
                told = body_of(line)
                status = clean_line(text_of(told, "status"), 200)
                layer = clean_line(text_of(told, "digest"), 100)
                yield Progress(status, layer, count_of(told, "completed"), count_of(told, "total"))
    if status != "success":
        raise Cut("The server ended before it was done.", "What it has is kept.", Remedy.RETRY)


def judged(answer: Answer, model: str = "") -> ReplyError:
    """The error for a bad answer, with what is special to Ollama."""
    error, status = http.judge(answer, model), answer.status
    match error:
        case Unauthorized(status=403) if not answer.body.strip():
            hint = "Let the proxy or tunnel send `Host: localhost`, or start Ollama with OLLAMA_HOST=0.0.0.0."
            return Refused("The server refuses this host name (403).", hint, status=status)
        case Unauthorized(status=403):  # no model of its cloud may be used
            return Refused(str(error), "Choose a model that runs on the server itself.", status=status)
        case Unauthorized() if address := clean_line(text_of(answer.told, "signin_url")):  # of its cloud
            hint = f"Sign in with `ollama signin` on the server, or at {address}"
            return Unauthorized("The server wants you to sign in.", hint, status=status)
        case NoSuchModel():
            name = clean_line(model, 100)
            missing = f"The server does not have the model {name}." if name else str(error)
            return NoSuchModel(
                missing, f"Get it with `tui-chat pull {name or 'NAME'}`.", Remedy.PULL, status=status
            )
        case Refused(status=404 | 405):
            error.hint = IS_IT_OLLAMA
    return with_advice(error)


def continues(show: Mapping[str, object]) -> bool:
    """Whether the template in a body of `/api/show` continues a trailing assistant message.

    A template that loops over messages must test for the last one. Ollama cuts others after the response
    (`template/template.go`). What a built-in renderer does is unknown.
    """
    template = text_of(show, "template")
    if text_of(show, "renderer") or not template:
        return False
    return ".Messages" not in template or bool(_KNOWS_LAST.search(template))


def chat_body(request: ChatRequest) -> dict[str, object]:
    """The JSON of `POST /api/chat` for the whole conversation, without `request.prefill`."""
    body: dict[str, object] = {
        "model": request.model,
        "messages": [_message_body(part) for message in request.messages for part in sendable(message)],
        "stream": True,
    }
    if request.think is not None:
        body["think"] = request.think
    keep_alive = _keep_alive(request.keep_alive) if request.keep_alive else None
    given = {"options": dict(request.options), "format": request.format, "keep_alive": keep_alive}
    return body | {name: value for name, value in given.items() if value not in ({}, "", None)}


def _keep_alive(typed: str) -> int | str:
    """How long a model stays, as Ollama reads it: seconds as a number, a duration as text."""
    return int(typed) if re.fullmatch(r"-?\d+", typed) else typed


def models_of(body: Mapping[str, object], server: str = "", *, loaded: bool = False) -> list[Model]:
    """The models in a body of `/api/tags`, or of `/api/ps` if `loaded`, newest first.

    The `size` of a loaded model is that in memory.
    """
    entries = objects_of(body, "models")
    models = [
        model_of(entry, text_of(entry, "name") or text_of(entry, "model"), server, loaded=loaded)
        for entry in entries
    ]
    return sorted((model for model in models if model.name), key=lambda model: model.modified, reverse=True)


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else min(1.0, part / whole)


def model_of(body: Mapping[str, object], name: str, server: str = "", *, loaded: bool = False) -> Model:
    """The model in a body of `/api/show`, or in an entry of `/api/tags` or `/api/ps`."""
    details = object_of(body, "details")
    family = clean_line(text_of(details, "family"), 50)
    return Model(
        name=clean_line(name, NAME_LENGTH),
        server=server,
        size=count_of(body, "size"),
        family=family,
        parameters=clean_line(text_of(details, "parameter_size"), 50),
        quantization=clean_line(text_of(details, "quantization_level"), 50),
        context_window=_context_window(body, details),
        window=(count_of(body, "context_length") if loaded else None) or _num_ctx(text_of(body, "parameters")),
        token_bytes=_token_bytes(object_of(body, "model_info")),
        capabilities=frozenset(strings_of(body, "capabilities")),
        think_levels=_GPT_OSS_LEVELS if family.replace("-", "") == "gptoss" else (),
        loaded=loaded,
        on_gpu=_share(count_of(body, "size_vram"), count_of(body, "size")) if loaded else None,
        until=clean_line(text_of(body, "expires_at"), 50),
        remote=_host(text_of(body, "remote_host")) or (CLOUD if is_cloud(name) else ""),
        modified=clean_line(text_of(body, "modified_at"), 50),
    )


def _host(url: str) -> str:
    """The host of a `remote_host`, which older servers tell without a scheme."""
    return clean_line(url.rpartition("//")[2].partition("/")[0].removesuffix(":443"), 100)


def _message_body(message: Message) -> dict[str, object]:
    body: dict[str, object] = {"role": message.role.value, "content": words_of(message, _MEDIA)}
    if message.thinking:
        body["thinking"] = message.thinking
    if calls := [_call_body(part) for part in message.parts if isinstance(part, parts.ToolCall)]:
        body["tool_calls"] = calls
    if media := [file.blob.data or b"" for file in message.files if is_sent(file, _MEDIA)]:
        body["images"] = [base64.b64encode(data).decode() for data in media]
    return body


def _call_body(call: parts.ToolCall) -> dict[str, object]:
    arguments = parsed(call.arguments)  # Ollama wants an object; models make mistakes
    return {"function": {"name": call.name, "arguments": arguments if isinstance(arguments, dict) else {}}}


def _context_window(body: Mapping[str, object], details: Mapping[str, object]) -> int | None:
    """From `/api/ps`, the details of new `/api/tags`, or `<architecture>.context_length` in the `model_info` of
    `/api/show`, of which Ollama takes the largest."""
    info = object_of(body, "model_info")
    known = [count_of(info, key) for key in info if key.endswith(".context_length")]
    known += [count_of(place, "context_length") for place in (body, details)]
    return max(filter(None, known), default=None)


def _token_bytes(info: Mapping[str, object]) -> int | None:
    """Bytes of keys and values of a token in all layers, in half precision, by the `model_info` of `/api/show`."""

    def told(name: str) -> int:
        return next((count_of(info, key) or 0 for key in info if key.endswith(f".{name}")), 0)

    heads = told("attention.head_count")
    each = told("embedding_length") // heads if heads else 0
    widths = (told("attention.key_length") or each) + (told("attention.value_length") or each)
    return 2 * told("block_count") * (told("attention.head_count_kv") or heads) * widths or None


def _num_ctx(parameters: str) -> int | None:
    """The context window that a Modelfile sets, from the `parameters` of `/api/show`."""
    values = [line.split() for line in parameters.splitlines()]
    set_to = [words[1] for words in values if len(words) == 2 and words[0] == "num_ctx"]
    return int(set_to[-1]) or None if set_to and set_to[-1].isdecimal() and len(set_to[-1]) < 10 else None


DIALECT: Final = Dialect(
    models=models,
    loaded=loaded,
    describe=describe,
    ask=ask,
    instead=instead,
    decoder=ReplyDecoder,
    judge=judged,
    details=details,
    pull=pull,
    create=create,
    load=load,
    keeps=True,
    unload=unload,
    copy=copy,
    delete=delete,
)
