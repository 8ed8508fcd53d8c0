"""What servers tell of their models."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tui_chat.errors import Garbled
from tui_chat.messages import Model
from tui_chat.server import Flavour, Server
from tui_chat.servers.client import Client
from tui_chat.servers.dialects import openai
from tui_chat.servers.dialects.llamacpp import with_props
from tui_chat.servers.dialects.lmstudio import lmstudio_models
from tui_chat.servers.dialects.openai import models_in
from tui_chat.servers.probe import flavour_in

from tests.servers.imitations import Imitation, answer


def test_models_come_newest_first_where_their_age_is_told() -> None:
    body = {"data": [{"id": "old", "created": 1_600_000_000}, {"id": "new", "created": 1_700_000_000}]}
    assert [(model.name, model.modified) for model in models_in(body, "box")] == [
        ("new", "2023-11-14T22:13:20Z"),
        ("old", "2020-09-13T12:26:40Z"),
    ]


def test_the_time_of_the_request_is_not_the_age_of_a_model() -> None:
    (model,) = models_in({"data": [{"id": "m", "owned_by": "vllm", "created": 1_700_000_000}]})
    assert model.modified == ""


def test_a_router_of_llama_cpp_tells_what_is_loaded() -> None:
    body = {
        "data": [
            {"id": "a", "owned_by": "llamacpp", "status": {"value": "loaded"}, "architecture": {"input_modalities": ["text", "image"]}},
            {"id": "b", "owned_by": "llamacpp", "status": {"value": "unloaded"}, "meta": None},
        ]
    }  # fmt: skip
    first, second = models_in(body)
    assert (first.loaded, second.loaded) == (True, False)
    assert (first.capabilities, second.capabilities) == (frozenset({"vision"}), frozenset())


def test_openrouters_words_become_ours() -> None:
    entry = {"id": "x/y", "context_length": 200_000, "supported_parameters": ["tools", "reasoning", "seed"]}
    (model,) = models_in({"data": [entry]})
    assert (model.context_window, model.capabilities) == (200_000, frozenset({"tools", "thinking"}))


def test_names_are_safe_to_show_and_empty_ones_are_left_out() -> None:
    models = models_in({"data": [{"id": "a\x1b[31m"}, {"id": ""}, {"id": None}, 7, {}]})
    assert [model.name for model in models] == ["a␛[31m"]


@pytest.mark.parametrize("body", [None, [], {}, {"data": "x"}, {"data": {}}, {"models": []}, "x", 7])
async def test_what_is_no_list_is_garbled(body: object) -> None:
    assert not isinstance(body, dict) or flavour_in(body) is Flavour.UNKNOWN
    async with Imitation({"/v1/models": answer(json.dumps(body))}) as server:
        with pytest.raises(Garbled):
            await openai.models(Client(Server(server.url)))


def test_null_is_an_empty_list() -> None:
    assert list(models_in({"object": "list", "data": None})) == []


def test_props_tell_what_the_template_and_the_model_can() -> None:
    model = with_props(
        Model("m", loaded=True),
        {
            "default_generation_settings": {"n_ctx": 4096},
            "modalities": {"vision": True, "audio": False},
            "chat_template": "{% if tools %}...{% endif %}{% if enable_thinking %}<think>{% endif %}",
        },
    )
    assert (model.window, model.capabilities) == (
        4096,
        frozenset({"completion", "vision", "thinking", "tools"}),
    )
    wrong = {"modalities": 5, "default_generation_settings": []}
    assert with_props(Model("m", loaded=True), wrong).window is None


@pytest.mark.parametrize(
    ("flags", "window"),
    [
        (["--ctx-size", "2048", "--parallel", "2"], 1024),
        (["--ctx-size", "2048", "--parallel", "2", "--kv-unified"], 2048),
        (["--ctx-size", "2048"], 2048),
        (["--ctx-size", "0"], None),
        (["--parallel", "2"], None),
        (["--ctx-size", "-1", "--parallel", "0"], None),
        (["--ctx-size"], None),
        (["--ctx-size", 5, None], None),
        ("--ctx-size 2048", None),
    ],
)
def test_the_flags_of_a_router_tell_the_window(flags: object, window: int | None) -> None:
    entry = {"id": "m", "owned_by": "llamacpp", "status": {"value": "unloaded", "args": flags}}
    (model,) = models_in({"data": [entry]})
    assert (model.window, model.loaded) == (window, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["data", "models", "id", "key", "type", "meta", "created", "status", "loaded_instances", "config", "capabilities", "reasoning", "allowed_options", "quantization", "modalities", "chat_template", "context_length", "owned_by", "architecture", "args", "n_ctx", "n_ctx_train"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=JSON)
def test_no_body_breaks_anything(body: object) -> None:
    if isinstance(body, dict):
        flavour_in(body)
        assert with_props(Model("m", loaded=True), body).window != 0
        models = [*lmstudio_models(body)]
        with suppress(Garbled):
            models += models_in(body)
            assert all(model.name for model in models_in(body))
        assert all(0 not in (model.window, model.context_window) for model in models)


def test_lm_studio_tells_how_much_a_model_can_be_asked_to_think() -> None:
    capabilities = {"vision": False, "reasoning": {"allowed_options": ["off", "on", 7], "default": "on"}}
    told = {"models": [{"type": "llm", "key": "a", "capabilities": capabilities}, {"type": "llm", "key": "b"}]}
    first, second = lmstudio_models(told)
    assert (first.think_levels, second.think_levels) == (("off", "on"), ())
    assert "thinking" in first.capabilities


def test_a_model_that_sleeps_in_llama_cpps_router_counts_as_loaded() -> None:
    entry = {"id": "a", "owned_by": "llamacpp", "status": {"value": "sleeping", "args": ["--ctx-size", "4096"]}}
    (model,) = models_in({"data": [entry]})
    assert (model.loaded, model.window) == (True, 4096)
