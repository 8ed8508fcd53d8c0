"""Only what a model takes is offered for its thinking."""

from __future__ import annotations

import pytest
from tui_chat.messages import Model
from tui_chat.server import DEMO, Flavour, Kind, Server
from tui_chat.servers.dialects import levels_of
from tui_chat.servers.dialects.llamacpp import with_props
from tui_chat.servers.dialects.ollama import model_of

SWITCH, LEVELS = ("off", "on"), ("low", "medium", "high")
PLAIN, THINKS = (
    Model("m", capabilities=frozenset({"completion"})),
    Model("m", capabilities=frozenset({"thinking"})),
)


@pytest.mark.parametrize(
    ("server", "model", "levels"),
    [
        (Server("http://x", kind=Kind.OLLAMA), PLAIN, ()),
        (Server("http://x", kind=Kind.OLLAMA), THINKS, SWITCH),
        (Server("http://x", kind=Kind.OLLAMA), Model("older"), SWITCH),
        (Server("http://x", kind=Kind.OLLAMA), None, SWITCH),
        (Server("http://x"), None, SWITCH),
        (Server("http://x", kind=Kind.RELAY), THINKS, SWITCH),
        (DEMO, THINKS, SWITCH),
        (Server("http://x", kind=Kind.OPENAI, flavour=Flavour.VLLM), Model("m"), (*SWITCH, *LEVELS)),
        (Server("http://x", kind=Kind.OPENAI, flavour=Flavour.OPENAI), Model("m"), ("off", *LEVELS)),
        (Server("http://x", kind=Kind.OPENAI), PLAIN, ()),
        (
            Server("http://x", kind=Kind.OPENAI, flavour=Flavour.LMSTUDIO),
            Model("m", think_levels=("off", "on")),
            SWITCH,
        ),
    ],
)
def test_what_is_known_of_a_model_decides(server: Server, model: Model | None, levels: tuple[str, ...]) -> None:
    assert levels_of(server, model) == levels


@pytest.mark.parametrize(
    ("template", "thinks", "levels"),
    [
        ("{{ messages }}", False, ()),
        ("{% if enable_thinking %}", True, SWITCH),
        ("{{ reasoning_effort }}", True, LEVELS),
        ("<think>", True, ()),
    ],
)
def test_a_template_of_llama_cpp_tells_its_switches(template: str, thinks: bool, levels: tuple[str, ...]) -> None:
    model = with_props(Model("m"), {"chat_template": template})
    assert ("thinking" in model.capabilities, model.think_levels) == (thinks, levels)


def test_gpt_oss_takes_levels_only() -> None:
    assert model_of({"details": {"family": "gptoss"}}, "gpt-oss:20b").think_levels == LEVELS
    assert model_of({"details": {"family": "qwen3"}}, "qwen3:4b").think_levels == ()
