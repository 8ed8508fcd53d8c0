"""The command that lists the servers of the settings and of this machine."""

from __future__ import annotations

import os

from tui_chat.config import Config
from tui_chat.output import put
from tui_chat.servers.backend import connect
from tui_chat.servers.catalog import ProbeResult, list_servers
from tui_chat.servers.probe import discover
from tui_chat.servers.registry import ServerRegistry
from tui_chat.servers.route import shown_url
from tui_chat.servers.server_file import ServerFile
from tui_chat.shell.words import advice, aligned, json_line, warn


async def run(config: Config, *, as_json: bool) -> None:
    """List the servers.

    Raises:
        ConfigError: the file of the added servers is invalid.
        OutputError: standard output cannot be written.
        BrokenPipeError: nobody reads standard output any more.
    """
    book = ServerRegistry(config, ServerFile(config.servers_file, os.environ))
    for warning in book.warnings if book.trouble is None else ():
        warn(warning)
    found, tried = await list_servers(book, connect, discover)
    if as_json:
        put(*(json_line(_fields(result)) for result in found))
        return
    lines: list[str] = []
    for result, line in zip(found, aligned([_cells(result) for result in found]), strict=True):
        lines.append(line)
        if result.error and (hint := advice(result.error)):
            lines.append(f"    {hint}")
    put(*(lines or [f"No server in the settings, and none found at {', '.join(tried)}."]))


def _cells(result: ProbeResult) -> tuple[str, str, str, str]:
    server, count = result.server, len(result.models)
    state = str(result.error or f"{server.flavour or server.kind}, {count} model{'' if count == 1 else 's'}")
    return result.known.server.label, shown_url(result.known.server.address), result.known.origin, state


def _fields(result: ProbeResult) -> dict[str, object]:
    """A server without secrets."""
    known, error = result.known, result.error
    return {
        "name": known.server.label,
        "url": shown_url(known.server.address),
        "origin": known.origin,
        "kind": result.server.kind,
        "flavour": result.server.flavour,
        "reachable": error is None,
        "models": len(result.models),
        "error": str(error or ""),
        "hint": error.hint if error else "",
        "remedy": error.remedy if error else None,
    }
