"""The commands for models: list, show, pull, unload and remove them, and list those in memory."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Final

from tui_chat.errors import NoSuchModel, ReplyError, Unsupported
from tui_chat.messages import Model
from tui_chat.output import is_terminal, put
from tui_chat.servers.backend import Backend, HttpBackend
from tui_chat.servers.connection import detailed
from tui_chat.servers.jobs import Tally, model_name
from tui_chat.shell.words import aligned, json_line, put_list
from tui_chat.text.figures import size

_HEAD: Final = ("NAME", "SIZE", "PARAMETERS", "FORMAT", "CONTEXT", "CAN")
_MEMORY_HEAD: Final = ("NAME", "MEMORY", "ON GPU", "CONTEXT", "UNTIL")
_REDRAW_SECONDS: Final = 0.1
_CLEAR: Final = "\r\x1b[K"


async def run(arguments: argparse.Namespace, backend: Backend) -> None:
    """Run a command for models. With `--json`, an object tells of a failure too.

    Raises:
        ReplyError: the server cannot be reached, refuses, or cannot do that.
        OutputError: standard output cannot be written.
        ConfigError: a model cannot have that name.
    """
    try:
        if not isinstance(backend, HttpBackend):
            raise Unsupported("The demo has no models to manage.", "Choose a server with --url.")
        match arguments.command:
            case "models":
                models = await backend.models()
                told = {each.name: each async for some in detailed(backend, models) for each in some}
                models = [told.get(model.name, model) for model in models]
                put_list(models, _table, "This server has no models.", as_json=arguments.json)
            case "ps":
                await backend.models()  # what is in memory is asked without complaint: a server may not tell
                put_list(await backend.loaded(), _memory_table, "No model is in memory.", as_json=arguments.json)
            case "show":
                await _show(backend, arguments.name, as_json=arguments.json)
            case "pull":
                await _pull(backend, arguments.name, as_json=arguments.json)
            case "unload":
                await backend.unload(name := model_name(arguments.name))
                put(json_line({"unloaded": name}) if arguments.json else f"Unloaded {name}.")
            case "rm":
                await backend.delete(name := model_name(arguments.name))
                put(json_line({"removed": name}) if arguments.json else f"Removed {name}.")
    except ReplyError as error:
        if isinstance(error, NoSuchModel) and arguments.command in ("show", "unload", "rm"):
            error.hint, error.remedy = "`tui-chat models` lists what is there.", None
        if arguments.json:
            put(json_line({"error": str(error), "hint": error.hint}))
        raise
    finally:
        await backend.aclose()


def _table(models: Sequence[Model]) -> list[str]:
    return aligned([_HEAD, *map(_row, models)])


def _memory_table(models: Sequence[Model]) -> list[str]:
    return aligned([_MEMORY_HEAD, *map(_memory_row, models)])


def _row(model: Model) -> tuple[str, ...]:
    what = (model.name, _size(model.size), model.parameters, model.quantization)
    can = sorted(model.capabilities - {"completion"})
    return *what, _window(model), ", ".join([*can, "leaves this machine"] if model.remote else can)


def _memory_row(model: Model) -> tuple[str, ...]:
    share = "" if model.on_gpu is None else f"{model.on_gpu:.0%}"
    return model.name, _size(model.size), share, _window(model), _until(model.until)


def _size(number: int | None) -> str:
    return "" if number is None else size(number)


def _window(model: Model) -> str:
    window = model.window or model.context_window
    return f"{window:,}" if window else ""


def _until(moment: str) -> str:
    """A time of the server as local time, or as a date; empty if there is none or it cannot be shown."""
    try:
        until = datetime.fromisoformat(moment).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return until.strftime("%H:%M:%S" if until.date() == datetime.now().astimezone().date() else "%Y-%m-%d")


async def _show(backend: HttpBackend, name: str, *, as_json: bool) -> None:
    details = await backend.details(model_name(name))
    texts = {name: getattr(details, name) for name in ("system", "template", "licence")}
    if as_json:
        put(json_line({**asdict(details.model), "settings": dict(details.values), **texts}))
        return
    put(*_table([details.model]))
    for title, text in {"settings": details.parameters, **texts}.items():
        if text.strip():
            put("", f"{title}:", *(f"  {line}" for line in text.strip().splitlines()))


async def _pull(backend: HttpBackend, name: str, *, as_json: bool) -> None:
    """Pull a model: on a terminal with one line that changes, in a pipe with a line per step."""
    name = model_name(name)
    shown, drawn, live = "", 0.0, is_terminal(sys.stdout) and not as_json
    tally = Tally()
    try:
        async with aclosing(backend.pull(name)) as steps:
            async for step in steps:
                tally.take(step)
                if as_json:
                    put(json_line(step))
                elif live and time.monotonic() - drawn > _REDRAW_SECONDS:
                    drawn = time.monotonic()
                    print(end=_CLEAR + "  ".join((step.status, *tally.figures())), flush=True)
                elif not live and step.status != shown:
                    shown = step.status
                    put(shown)
    finally:
        if live:
            print(end=_CLEAR, flush=True)
    if not as_json:
        put(f"Pulled {name}.")
