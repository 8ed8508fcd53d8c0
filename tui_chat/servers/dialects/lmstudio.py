"""LM Studio: its own list of models tells more than `/v1`. Its own chat takes no assistant messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from tui_chat.errors import Garbled
from tui_chat.messages import Model
from tui_chat.servers.client import Client
from tui_chat.servers.dialects import openai
from tui_chat.servers.dialects.openai import abilities, entries_in
from tui_chat.servers.fields import count_of, object_of, objects_of, text_of, window_of
from tui_chat.text.sanitize import clean_line

_TYPES: Final = {"llm": ("completion",), "vlm": ("completion", "vision")}
_TYPES_EMBEDDING: Final = ("embedding", "embeddings")


async def models(client: Client) -> Sequence[Model]:
    """The models of its own API in either form, else of `/v1`."""
    for path in ("/api/v1/models", "/api/v0/models"):
        answer = await client.fetch(path, within=openai.MODELS_SECONDS)
        with suppress(Garbled):
            if offered := lmstudio_models(answer.json(), client.server.label):
                return offered
    return await openai.models(client)


def lmstudio_models(body: object, server: str = "") -> Sequence[Model]:
    """The models of its `/api/v1/models` (0.4 and newer) or `/api/v0/models`; nothing where it is neither."""
    newer = entries_in(body, "models")
    entries = newer if newer is not None else entries_in(body, "data")
    return [model for entry in entries or () if (model := _model(entry, server)).name]


def _model(entry: Mapping[str, object], server: str) -> Model:
    quantization = entry.get("quantization")
    label = text_of(object_of(entry, "quantization"), "name") or (
        quantization if isinstance(quantization, str) else ""
    )
    kind = text_of(entry, "type")
    is_loaded = text_of(entry, "state") == "loaded" or bool(entry.get("loaded_instances"))
    window = _loaded_window(entry) if is_loaded else None
    capabilities = abilities(entry, ()) | frozenset(_TYPES.get(kind, ()))
    return Model(
        name=clean_line(text_of(entry, "key") or text_of(entry, "id"), 200),
        server=server,
        size=count_of(entry, "size_bytes"),
        family=clean_line(text_of(entry, "architecture") or text_of(entry, "arch"), 80),
        parameters=clean_line(text_of(entry, "params_string"), 20),
        quantization=clean_line(label, 40),
        context_window=window_of(entry, "max_context_length"),
        window=window,
        capabilities=frozenset({"embedding"}) if kind in _TYPES_EMBEDDING else capabilities,
        loaded=is_loaded,
    )


def _loaded_window(entry: Mapping[str, object]) -> int | None:
    instance = next(iter(objects_of(entry, "loaded_instances")), {})
    config = object_of(instance, "config")
    return window_of(entry, "loaded_context_length") or window_of(config, "context_length")


DIALECT: Final = replace(openai.DIALECT, models=models, loaded=models)
