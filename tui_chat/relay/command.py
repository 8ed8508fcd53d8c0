"""`tui-chat relay` on the command line. Loads Starlette and uvicorn only to start a relay."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from tui_chat.config import config_path
from tui_chat.errors import ConfigError
from tui_chat.output import put
from tui_chat.relay.settings import Settings
from tui_chat.relay.tokens import TokenFile
from tui_chat.servers.backend import Backend
from tui_chat.servers.route import is_loopback
from tui_chat.typed import user_path

PORT: Final = 8100
_LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tui-chat relay` to its parser."""
    usual = Settings()
    parser.add_argument(
        "--upstream", metavar="URL", help="the server to relay to (default: the one tui-chat starts with)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=PORT, help="the port to listen on (default: %(default)s)")
    parser.add_argument(
        "--default-model", metavar="NAME", default="", help="the model for requests that name none"
    )
    parser.add_argument(
        "--tokens",
        metavar="FILE",
        type=user_path,
        help="the token file (default: relay-tokens beside config.toml)",
    )
    parser.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[], help="another host name to answer to"
    )
    parser.add_argument(
        "--allow-origin", metavar="URL", action="append", default=[], help="an origin whose web pages may use it"
    )
    for name, default, limits in (
        ("--streams", usual.streams, "replies at once"),
        ("--streams-per-token", usual.streams_per_token, "replies at once per token"),
        ("--max-minutes", round(usual.duration / 60), "minutes that a reply may take"),
        ("--max-context", usual.context, "the largest num_ctx that a request may set"),
    ):
        told = f"{limits} (default: %(default)s)"
        parser.add_argument(name, metavar="N", type=_positive, default=default, help=told)
    actions = parser.add_subparsers(dest="relay_command", metavar="token")
    token = actions.add_parser("token", help="add, list and remove tokens")
    what = token.add_subparsers(dest="token_command", metavar="add|list|remove", required=True)
    what.add_parser("add", help="create a token and print it, this once").add_argument("name", metavar="NAME")
    what.add_parser("list", help="print the names of all tokens")
    what.add_parser("remove", help="remove a token").add_argument("name", metavar="NAME")


def main(
    arguments: argparse.Namespace, environ: Mapping[str, str], connect: Callable[[str | None], Backend]
) -> int:
    """Run `tui-chat relay` with the arguments of `add_arguments`; returns the exit code.

    `connect` returns the backend for `--upstream`, or the default one for None.

    Raises:
        ConfigError: the relay cannot start with these arguments, or the token file is unusable.
    """
    tokens = TokenFile(arguments.tokens or config_path(environ).with_name("relay-tokens"))
    if arguments.relay_command == "token":
        match arguments.token_command:
            case "add":
                put(tokens.add(arguments.name))
            case "remove":
                tokens.remove(arguments.name)
            case "list":
                put(*tokens.digests)
        return 0
    demand = not is_loopback(arguments.host)
    if demand and not tokens.digests:
        raise ConfigError(
            f"The relay listens on {arguments.host} only with a token, since others can reach it there",
            "Create one first: `tui-chat relay token add NAME`.",
        )
    backend = connect(arguments.upstream)
    behind = urlsplit(backend.server.address)
    here = is_loopback(behind.hostname or "") or behind.hostname == arguments.host
    if here and behind.port == arguments.port:
        raise ConfigError(
            "The relay would send requests to itself", "Name the server to relay to with --upstream."
        )
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT)
    for chatty in ("httpx", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    asyncio.run(_serve(arguments, backend, tokens, demand=demand))
    return 0


def settings_of(arguments: argparse.Namespace, hostname: str) -> Settings:
    """The settings from the arguments, on a machine named `hostname`."""
    machine = {hostname, hostname.partition(".")[0], f"{hostname.partition('.')[0]}.local", arguments.host}
    return Settings(
        model=arguments.default_model,
        hosts=frozenset(name.lower() for name in (*machine, *arguments.allow_host) if name),
        origins=frozenset(origin.rstrip("/") for origin in arguments.allow_origin),
        streams=arguments.streams,
        streams_per_token=arguments.streams_per_token,
        duration=arguments.max_minutes * 60.0,
        context=arguments.max_context,
    )


async def _serve(arguments: argparse.Namespace, backend: Backend, tokens: TokenFile, *, demand: bool) -> None:
    try:
        from tui_chat.relay.app import Relay
        from tui_chat.relay.serve import Server, listen
    except ImportError:
        raise ConfigError(
            "The relay needs starlette and uvicorn, which are not installed", "pip install 'tui-chat-llm[relay]'"
        ) from None
    where = f"{arguments.host} port {arguments.port}"
    try:
        listener = listen(arguments.host, arguments.port)
    except (OSError, OverflowError, UnicodeError) as error:
        raise ConfigError(
            f"Cannot listen on {where}: {error}", "Choose another with --host and --port."
        ) from error
    relay = Relay(backend, settings_of(arguments, socket.gethostname()), tokens, demand=demand)
    with listener:
        await Server(relay).serve(sockets=[listener])


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give 1 to 65535, or 0 for a free one")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)
