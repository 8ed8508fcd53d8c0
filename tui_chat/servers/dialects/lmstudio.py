"""LM Studio: its own list of models tells more than `/v1`. Its own chat takes no assistant messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from tui_chat.messages import Model
from tui_chat.servers.client import Call, Client
from tui_chat.servers.dialects import openai
from tui_chat.servers.dialects.openai import abilities
from tui_chat.text.sanitize import clean_line
from tui_chat.untrusted import count_of, object_of, objects_of, strings_of, text_of, window_of


async def models(client: Client) -> Sequence[Model]:
    """The models of `/api/v1/models` (LM Studio 0.4 and later), else of `/v1/models`."""
    answer = await client.fetch(Call("/api/v1/models"), within=openai.MODELS_SECONDS)
    return lmstudio_models(answer.told, client.server.label) or await openai.models(client)


def lmstudio_models(body: Mapping[str, object], server: str = "") -> Sequence[Model]:
    """The models in the body of `/api/v1/models`; empty if it is something else."""
    return [model for entry in objects_of(body, "models") if (model := _model(entry, server)).name]


def _model(entry: Mapping[str, object], server: str) -> Model:
    instances = objects_of(entry, "loaded_instances")
    reasoning = object_of(object_of(entry, "capabilities"), "reasoning")
    kind = "embedding" if text_of(entry, "type") == "embedding" else "completion"
    return Model(
        name=clean_line(text_of(entry, "key"), 200),
        server=server,
        size=count_of(entry, "size_bytes"),
        family=clean_line(text_of(entry, "architecture"), 80),
        parameters=clean_line(text_of(entry, "params_string"), 20),
        quantization=clean_line(text_of(object_of(entry, "quantization"), "name"), 40),
        context_window=window_of(entry, "max_context_length"),
        window=window_of(object_of(instances[0], "config"), "context_length") if instances else None,
        capabilities=abilities(entry, ()) | {kind},
        think_levels=tuple(strings_of(reasoning, "allowed_options")),
        loaded=bool(instances),
    )


DIALECT: Final = replace(openai.DIALECT, models=models, loaded=models)
