"""The dialects: a file for each, and a row in a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Final

from tui_chat.messages import Model
from tui_chat.parameters import PARAMETERS
from tui_chat.server import Flavour, Kind, Server
from tui_chat.servers.dialect import Dialect

TABLE: Final[Mapping[Kind | Flavour, str]] = {
    Kind.OLLAMA: "ollama",
    Kind.RELAY: "relay",
    Flavour.LLAMACPP: "llamacpp",
    Flavour.LMSTUDIO: "lmstudio",
}
"""The module of each kind of server, and of those flavours that have more than `openai`."""


def dialect_of(server: Server) -> Dialect:
    """The dialect of a server whose kind is known. Its module is loaded at the first use."""
    module = TABLE.get(server.kind) or TABLE.get(server.flavour, "openai")
    dialect = import_module(f"{__name__}.{module}").DIALECT
    assert isinstance(dialect, Dialect)
    return dialect


def taken_by(server: Server) -> Collection[str]:
    """The names of the parameters that a server takes; all if its kind is not known yet."""
    return PARAMETERS if server.kind is Kind.AUTO else dialect_of(server).takes(server.flavour)


def levels_of(server: Server, model: Model | None) -> tuple[str, ...]:
    """What `think` can be for a model of a server, as far as known; empty if the model does not think."""
    if model is not None and model.think_levels:
        return model.think_levels
    if model is not None and model.capabilities and "thinking" not in model.capabilities:
        return ()
    return ("off", "on") if server.kind is Kind.AUTO else dialect_of(server).levels(server.flavour)
