"""llama.cpp's server and router: the models, with what `/props` tells beyond `/v1`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from tui_chat.errors import Cut, Refused, Remedy, ReplyError, ServerFault
from tui_chat.messages import Model
from tui_chat.servers.client import SMALL_BYTES, Call, Client
from tui_chat.servers.dialect import Progress, missing
from tui_chat.servers.dialects import openai
from tui_chat.servers.fields import object_of, text_of, window_of
from tui_chat.servers.sse import EventDecoder
from tui_chat.text.sanitize import clean_line

_PROPS_SECONDS: Final = 1.0
_MEASURED: Final = 16
"""How many loaded models are asked for their windows at most."""


@dataclass(frozen=True, slots=True)
class Props:
    """What `/props` tells of a loaded model."""

    context_window: int | None = None
    """Tokens in one slot, which is the window of a chat."""
    capabilities: frozenset[str] = frozenset()


async def models(client: Client) -> Sequence[Model]:
    """The models of `/v1/models`; if there is one, with its capabilities from `/props`."""
    offered = await openai.models(client)
    if len(offered) != 1:
        return offered
    props = await _props(client, offered[0].name)
    return [_with(replace(offered[0], capabilities=offered[0].capabilities | props.capabilities), props)]


async def loaded(client: Client) -> Sequence[Model]:
    """The models in memory with the window of one slot, which older builds tell only in `/props`."""
    warm = [model for model in await models(client) if model.loaded][:_MEASURED]
    return await asyncio.gather(*(_measured(client, model) for model in warm))


async def load(client: Client, model: str) -> AsyncGenerator[Progress, None]:
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


async def unload(client: Client, model: str) -> None:
    """Let the router free the memory that a model takes."""
    await _manage(client, "unload", model)


async def _manage(client: Client, verb: str, model: str) -> None:
    try:
        await client.ask(f"/models/{verb}", {"model": model}, model=model)
    except Refused as refusal:
        if refusal.status == 404:  # "File Not Found"
            raise missing(model) from None
        raise


def _status_in(data: str, model: str) -> tuple[str, Progress | None]:
    """The status of `model` that an event of `/models/sse` tells, and how far it is; nothing of other models."""
    with suppress(ValueError, RecursionError):
        body = json.loads(data)
        if isinstance(body, dict) and body.get("model") == model:
            told = object_of(body, "data")
            progress = object_of(told, "progress")
            value, stage = progress.get("value"), clean_line(text_of(progress, "current"), 80)
            done = round(1000 * min(1.0, max(0.0, value))) if isinstance(value, int | float) else None
            return text_of(told, "status"), Progress("loading model", stage, done, 1000) if progress else None
    return "", None


async def _measured(client: Client, model: Model) -> Model:
    return model if model.window else _with(model, await _props(client, model.name))


def _with(model: Model, props: Props) -> Model:
    return replace(model, window=model.window or props.context_window) if model.loaded else model


async def _props(client: Client, model: str) -> Props:
    """The `/props` of a model. The router needs its name, and would load it without `autoload=false`."""
    with suppress(ReplyError):
        path = f"/props?model={quote(model, safe='')}&autoload=false"
        return props_in(await client.ask(path, within=_PROPS_SECONDS, most=SMALL_BYTES))
    return Props()


def props_in(body: object) -> Props:
    """The `Props` in a body of `/props`; empty if it is something else."""
    if not isinstance(body, dict):
        return Props()
    modalities, template = object_of(body, "modalities"), text_of(body, "chat_template")
    capabilities = {"completion"}
    if modalities.get("vision") is True:
        capabilities.add("vision")
    if "enable_thinking" in template or "<think>" in template:
        capabilities.add("thinking")
    if "tools" in template:
        capabilities.add("tools")
    return Props(window_of(object_of(body, "default_generation_settings"), "n_ctx"), frozenset(capabilities))


DIALECT: Final = replace(openai.DIALECT, models=models, loaded=loaded, load=load, unload=unload)
