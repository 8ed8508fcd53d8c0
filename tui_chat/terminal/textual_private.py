"""Underscored names of Textual's, which any release may change: used here alone, and each has a test."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.driver import Driver


def driver_of(app: App[Any]) -> Driver | None:
    """What an app is drawn by; None before it runs."""
    return app._driver
