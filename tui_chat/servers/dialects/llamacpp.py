"""llama.cpp's server and router: what they have beyond `/v1`, like `/props`, and replies that can be resumed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Final
from urllib.parse import quote

from tui_chat.errors import Cut, Garbled, Refused, Remedy, ReplyError, ServerFault, Unauthorized
from tui_chat.events import Event, Loading
from tui_chat.messages import ChatRequest, Model
from tui_chat.servers.client import SMALL_BYTES, Call, Client
from tui_chat.servers.dialect import Ask, Progress, Return, missing
from tui_chat.servers.dialects import openai, openai_stream
from tui_chat.servers.sse import EventDecoder
from tui_chat.text.sanitize import clean_line
from tui_chat.untrusted import count_of, object_of, parsed, text_of, window_of

STREAM_HEADER: Final = "x-conversation-id"
"""Header with the name of a reply, by which it can be resumed."""
RESUME_SECONDS: Final = 30.0
"""How long to try to get back to a reply: a network may be away for so long, a server that died is gone."""
_PROPS_SECONDS: Final = 1.0
_CONTROL: Final = "/v1/chat/completions/control"
_MEASURED: Final = 16
"""How many loaded models are asked for their windows at most."""


async def models(client: Client) -> Sequence[Model]:
    """The models of `/v1/models`; if there is one, with its capabilities from `/props`."""
    offered = await openai.models(client)
    client.unloaded = {model.name for model in offered if not (model.loaded or model.fixed)}
    return [await _described(client, offered[0])] if len(offered) == 1 else offered


async def loaded(client: Client) -> Sequence[Model]:
    """The models in memory with the window of one slot, which older builds tell only in `/props`."""
    warm = [model for model in await models(client) if model.loaded][:_MEASURED]
    return await asyncio.gather(*(_measured(client, model) for model in warm))


async def ask(client: Client, request: ChatRequest) -> Ask:
    """The request for a reply that can be resumed, and whose thinking can be ended if this build can do that."""
    ask = _named(await openai.ask(client, request))
    if request.prefill or request.think is False or not await _controls(client, request.model):
        return ask
    call = replace(ask.call, body={**(ask.call.body or {}), "reasoning_control": True})
    return replace(ask, call=call, end_thinking=partial(_end_thinking, client, request.model))


async def instead(client: Client, ask: Ask, refusal: ReplyError, request: ChatRequest) -> Ask:
    """See `openai.instead`."""
    return _named(await openai.instead(client, ask, refusal, request))


def _named(ask: Ask) -> Ask:
    """`ask` with a name for the reply, which makes the server keep it; older builds ignore that."""
    return replace(ask, call=replace(ask.call, headers=((STREAM_HEADER, token_urlsafe(16)),)))


class ReplyDecoder(openai_stream.ReplyDecoder):
    """Also counts the bytes, to resume the reply after the last one (#23226, since 2026-05; seen in b11434).

    The server keeps generating a named reply when the connection drops, and keeps 4 MiB of the stream until 300
    seconds after its end. What it sends again is the same to the byte. Older builds answer 404.
    """

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._path = f"/v1/stream?conv_id={dict(ask.call.headers)[STREAM_HEADER]}"
        self._received = 0
        self._mark()

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """See `Decoder.feed`."""
        self._received += len(chunk)
        yield from super().feed(chunk)
        self._mark()

    def _mark(self) -> None:
        """Remember how to resume. A whole reply needs no more."""
        rest, stop = Call(f"{self._path}&from={self._received}"), Call(self._path, method="DELETE")
        self.back = None if self.whole or self.done else Return(rest, stop, RESUME_SECONDS)


async def _controls(client: Client, model: str) -> bool:
    """Whether thinking can be ended: builds that can do that answer so for any reply (#23971). Asked once."""
    if "control" not in client.able:
        try:
            told = await client.ask(_control("unknown", model), within=_PROPS_SECONDS, most=SMALL_BYTES)
            client.able["control"] = "success" in told
        except Unauthorized:
            raise  # the server has not read the question, and would take the rest of it for the next request
        except (Refused, Garbled):
            client.able["control"] = False
        except ReplyError:  # it is busy, or loads the model: ask again with the next reply
            return False
    return client.able["control"]


async def _end_thinking(client: Client, model: str, id: str) -> None:
    told = await client.ask(_control(id, model), most=SMALL_BYTES)
    if told.get("success") is not True:
        raise ServerFault("The server did not end the thinking.", "It may have ended by itself.")


def _control(id: str, model: str) -> Call:
    return Call(_CONTROL, {"id": id, "action": "reasoning_end", "model": model})


async def count(client: Client, request: ChatRequest) -> int | None:
    """The tokens of a prompt. Builds before 2026 have no path for that, but its two steps."""
    body = openai.chat_body(request, client.server.flavour)
    answer = await client.fetch(Call("/v1/chat/completions/input_tokens", body), most=SMALL_BYTES)
    if answer.status != HTTPStatus.NOT_FOUND:
        return count_of(answer.told, "input_tokens")
    prompt = text_of(await client.ask(Call("/apply-template", body)), "prompt")
    told = await client.ask(Call("/tokenize", {"content": prompt, "add_special": True, "model": request.model}))
    tokens = told.get("tokens")
    return len(tokens) if prompt and isinstance(tokens, list) else None


async def load(client: Client, model: str, _settings: Mapping[str, object]) -> AsyncGenerator[Progress, None]:
    """Let the router load a model. How far it is, is told by events that all models share (seen in b11434)."""
    told = EventDecoder()
    async with client.open(Call("/models/sse")) as incoming:
        try:
            await _manage(client, "load", model)
        except Refused as refusal:
            if "already running" in str(refusal):
                return
            raise
        while chunk := await incoming.next():
            for event in told.feed(chunk):
                status, progress = _status_in(event.data, model)
                if status == "loaded":
                    return
                if status == "unloaded":
                    raise ServerFault("The server could not load the model.", "Its own log says why.")
                if progress is not None:
                    yield progress
    raise Cut("The server ended before it was done.", "", Remedy.RETRY)


async def prepare(client: Client, request: ChatRequest) -> AsyncGenerator[Event, None]:
    """Load the model, if the router has told that it is not loaded. If that fails, the request itself says why."""
    if request.model in client.unloaded:
        with suppress(Cut, Refused):
            async with aclosing(load(client, request.model, {})) as steps:
                async for step in steps:
                    if step.total:
                        yield Loading(100 * (step.done or 0) // step.total)
        client.unloaded.discard(request.model)


async def unload(client: Client, model: str) -> None:
    """Let the router free the memory that a model takes."""
    await _manage(client, "unload", model)


async def _manage(client: Client, verb: str, model: str) -> None:
    try:
        await client.ask(Call(f"/models/{verb}", {"model": model}), model=model)
    except Refused as refusal:
        if refusal.status == 404:  # "File Not Found"
            raise missing(model) from None
        raise


def _status_in(data: str, model: str) -> tuple[str, Progress | None]:
    """The status of `model` that an event of `/models/sse` tells, and how far it is; nothing of other models."""
    body = parsed(data)
    if isinstance(body, dict) and body.get("model") == model:
        told = object_of(body, "data")
        progress = object_of(told, "progress")
        value, stage = progress.get("value"), clean_line(text_of(progress, "current"), 80)
        done = round(1000 * min(1.0, max(0.0, value))) if isinstance(value, int | float) else None
        return text_of(told, "status"), Progress("loading model", stage, done, 1000) if progress else None
    return "", None


async def _measured(client: Client, model: Model) -> Model:
    return model if model.window else await _described(client, model)


async def _described(client: Client, model: Model) -> Model:
    """`model` with what `/props` tells. The router needs its name, and would load it without `autoload=false`."""
    with suppress(ReplyError):
        path = f"/props?model={quote(model.name, safe='')}&autoload=false"
        return with_props(model, await client.ask(Call(path), within=_PROPS_SECONDS, most=SMALL_BYTES))
    return model


def with_props(model: Model, body: Mapping[str, object]) -> Model:
    """`model` with what a body of `/props` tells; of a loaded one also the tokens of a slot, a chat's window."""
    modalities, template = object_of(body, "modalities"), text_of(body, "chat_template")
    capabilities = {"completion"}
    if modalities.get("vision") is True:
        capabilities.add("vision")
    if "enable_thinking" in template or "<think>" in template:
        capabilities.add("thinking")
    if "tools" in template:
        capabilities.add("tools")
    levels: tuple[str, ...] = ("off", "on") if "enable_thinking" in template else ()
    if "reasoning_effort" in template:
        capabilities.add("thinking")
        levels = ("low", "medium", "high")
    slot = window_of(object_of(body, "default_generation_settings"), "n_ctx")
    window = model.window or slot if model.loaded else model.window
    return replace(model, window=window, capabilities=model.capabilities | capabilities, think_levels=levels)


DIALECT: Final = replace(
    openai.DIALECT,
    models=models,
    loaded=loaded,
    prepare=prepare,
    ask=ask,
    instead=instead,
    decoder=ReplyDecoder,
    count=count,
    load=load,
    unload=unload,
)
