"""What OpenAI-compatible servers tell of their models: everybody's `/v1/models`, and what some say beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from tui_chat.errors import Garbled
from tui_chat.messages import Model
from tui_chat.protocol.fields import count_of, object_of, objects_of, text_of, window_of
from tui_chat.protocol.relay import SERVICE
from tui_chat.server import Flavour
from tui_chat.text.sanitize import clean_line

_WINDOWS: Final = ("max_model_len", "context_length", "context_window", "max_context_length")
"""How vLLM and SGLang, OpenRouter, Groq, and LM Studio call the context window."""
_OWNERS: Final = {
    "llamacpp": Flavour.LLAMACPP,
    "vllm": Flavour.VLLM,
    "sglang": Flavour.SGLANG,
    "organization_owner": Flavour.LMSTUDIO,
    "openai": Flavour.OPENAI,
    "openai-internal": Flavour.OPENAI,
    "system": Flavour.OPENAI,
    SERVICE: Flavour.RELAY,
}
"""`owned_by` of a model, and whose habit it is to say so."""
_ALWAYS_LOADED: Final = ("llamacpp", "vllm", "sglang")
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
"""The servers' words for abilities, and Ollama's, which are ours."""
_TYPES: Final = {"llm": ("completion",), "vlm": ("completion", "vision")}
_TYPES_EMBEDDING: Final = ("embedding", "embeddings")


@dataclass(frozen=True, slots=True)
class Props:
    """What llama.cpp's `/props` tells of a model that it runs."""

    context_window: int | None = None
    """Tokens in one slot, which is what a conversation has."""
    capabilities: frozenset[str] = frozenset()


def models_in(body: object, server: str = "") -> Sequence[Model]:
    """The models of `/v1/models`, newest first where it tells. `data` may be null (Ollama without models).

    Raises:
        Garbled: it is no list of models.
    """
    entries = _entries(body, "data")
    if entries is None:
        raise Garbled("The server did not answer with a list of models.", "Check the URL.")
    models = [_model(entry, server) for entry in entries]
    return sorted((model for model in models if model.name), key=lambda model: model.modified, reverse=True)


def flavour_in(body: object) -> Flavour:
    """The program that a body of `/v1/models` gives away by `owned_by`."""
    for entry in _entries(body, "data") or ():
        flavour = _OWNERS.get(text_of(entry, "owned_by"))
        if flavour is not None:
            return flavour
    return Flavour.UNKNOWN


def is_model_list(body: object) -> bool:
    """Whether it has the shape of `/v1/models`."""
    return _entries(body, "data") is not None


def props_in(body: object) -> Props:
    """What llama.cpp's `/props` tells; nothing where it is something else."""
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


def lmstudio_models(body: object, server: str = "", *, as_loaded: bool = False) -> Sequence[Model]:
    """The models of LM Studio's `/api/v1/models` (0.4 and newer) or `/api/v0/models`; nothing where it is neither.

    `as_loaded`: only those in memory, with the context window that they were loaded with.
    """
    newer = _entries(body, "models")
    entries = newer if newer is not None else _entries(body, "data")
    pairs = [(_lmstudio_model(entry, server), entry) for entry in entries or ()]
    if not as_loaded:
        return [model for model, _ in pairs if model.name]
    return [_with_window(model, _loaded_window(entry)) for model, entry in pairs if model.loaded]


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
        capabilities=_abilities(entry, object_of(entry, "architecture").get("input_modalities")),
        loaded=state == "loaded" if state else owner in _ALWAYS_LOADED,
        modified="" if owner in _ALWAYS_LOADED else _date(count_of(entry, "created")),
    )


def _window_by(flags: object) -> int | None:
    """The window of one conversation by the flags that llama.cpp's router starts a model with (`status.args`).

    The slots of a server share its context in equal parts, unless they share it freely (`--kv-unified`).
    """
    words = [flag for flag in flags if isinstance(flag, str)] if isinstance(flags, list) else []
    given = {flag: int(value) for flag, value in pairwise(words) if re.fullmatch("[1-9][0-9]{0,9}", value)}
    slots = 1 if "--kv-unified" in words else given.get("--parallel", 1)
    return given.get("--ctx-size", 0) // slots or None


def _lmstudio_model(entry: Mapping[str, object], server: str) -> Model:
    quantization = entry.get("quantization")
    label = text_of(object_of(entry, "quantization"), "name") or (
        quantization if isinstance(quantization, str) else ""
    )
    kind = text_of(entry, "type")
    capabilities = _abilities(entry, ()) | frozenset(_TYPES.get(kind, ()))
    return Model(
        name=clean_line(text_of(entry, "key") or text_of(entry, "id"), 200),
        server=server,
        size=count_of(entry, "size_bytes"),
        family=clean_line(text_of(entry, "architecture") or text_of(entry, "arch"), 80),
        parameters=clean_line(text_of(entry, "params_string"), 20),
        quantization=clean_line(label, 40),
        context_window=window_of(entry, "max_context_length"),
        capabilities=frozenset({"embedding"}) if kind in _TYPES_EMBEDDING else capabilities,
        loaded=text_of(entry, "state") == "loaded" or bool(entry.get("loaded_instances")),
    )


def _loaded_window(entry: Mapping[str, object]) -> int | None:
    instance = next(iter(objects_of(entry, "loaded_instances")), {})
    config = object_of(instance, "config")
    return window_of(entry, "loaded_context_length") or window_of(config, "context_length")


def _abilities(entry: Mapping[str, object], modalities: object) -> frozenset[str]:
    """From lists of words, or (LM Studio's newer form) an object whose keys are the words."""
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


def _with_window(model: Model, window: int | None) -> Model:
    return replace(model, context_window=window or model.context_window, window=window)


def _entries(body: object, name: str) -> list[Mapping[str, object]] | None:
    if not isinstance(body, dict) or name not in body:
        return None
    return objects_of(body, name) if isinstance(body[name], list | None) else None
