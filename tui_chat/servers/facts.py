"""What is known of a model, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tui_chat.messages import Model
from tui_chat.text.figures import size

LEAVES: Final = "leaves this machine"
_FOR_EVER: Final = 3650
"""Days after which a model that is not unloaded before counts as loaded for ever."""


def whereabouts(model: Model) -> str:
    """Where a model runs, and until when it stays: `48 % GPU · 4 min`; empty if it is not loaded."""
    if model.remote:
        return LEAVES
    if not model.loaded:
        return ""
    where = "loaded"
    if model.on_gpu is not None:
        where = (
            f"{100 * model.on_gpu:.0f} % GPU" if 0 < model.on_gpu < 1 else "on GPU" if model.on_gpu else "on CPU"
        )
    return " · ".join(filter(None, [where, _left(model.until)]))


def facts(model: Model, told: Model) -> str:
    """What is known of a model, a line each; `told`: what its server says of it when asked."""
    window = model.context_window or told.context_window
    lines = {
        "Family": model.family or told.family,
        "Parameters": model.parameters or told.parameters,
        "Quantization": model.quantization or told.quantization,
        "Context": f"{window:,} tokens" if window else "",
        "Window": f"{model.window or told.window:,} tokens in force" if model.window or told.window else "",
        "Can": ", ".join(sorted((model.capabilities | told.capabilities) - {"completion"})),
        "On disk": size(model.size) if model.size and not model.remote else "",
        "In memory": whereabouts(model),
        "Runs at": f"{model.remote}: what you write {LEAVES}" if model.remote else "",
    }
    return "\n".join(f"{name:<13} {text}" for name, text in lines.items() if text)


def _left(until: str) -> str:
    """The time until a moment in RFC 3339, in words; empty if it is not known."""
    try:
        left = datetime.fromisoformat(until) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return ""
    minutes = max(1, round(left.total_seconds() / 60))
    return "for ever" if left.days > _FOR_EVER else f"{minutes} min" if minutes < 100 else f"{minutes // 60} h"
