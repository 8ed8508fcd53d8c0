"""What the subcommands take. Loads nothing that carries them out."""

from __future__ import annotations

import argparse
from typing import Any, Final

from tui_chat.messages import THINK_LEVELS
from tui_chat.typed import user_path

_ASK: Final = """exit codes: 0 the reply is whole, 1 it failed, 2 a wrong command line, 3 it was cut, 130 stopped.
What arrived is printed and kept in any case."""


def add_connection(parser: argparse.ArgumentParser, default: Any = None) -> None:
    """Whom to talk to, and in which chat: the options that the screen and `ask` share."""
    parser.add_argument(
        "--url",
        metavar="URL",
        help="the server, like http://box:11434 (default: Ollama on this machine)",
        default=default,
    )
    parser.add_argument(
        "--model", "-m", metavar="NAME", help="the model (default: the one used last)", default=default
    )
    parser.add_argument("--system", "-s", metavar="TEXT", help="a system prompt for a new chat", default=default)
    parser.add_argument(
        "--continue",
        "-c",
        action="store_true",
        dest="resume",
        help="go on with the chat spoken in last",
        default=default,
    )
    parser.add_argument(
        "--chat", metavar="ID", help="go on with this chat; the beginning of its id is enough", default=default
    )


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """The subcommands and their arguments, and those that all of them share."""
    ask = commands.add_parser(
        "ask", help="print the reply to one question; --help tells how", parents=[common], epilog=_ASK
    )
    ask.add_argument("question", nargs="*", help="what to ask; what is piped in follows it, in a fence")
    ask.add_argument(
        "--file", "-f", metavar="FILE", type=user_path, action="append", default=[], help="send a text file too"
    )
    add_connection(ask, default=argparse.SUPPRESS)
    ask.add_argument("--no-save", action="store_true", help="keep nothing of this on disk")
    ask.add_argument("--json", action="store_true", help="print JSON, a line for each event")
    ask.add_argument(
        "--format",
        metavar="json|FILE",
        default="",
        help="have the answer as JSON, or by the JSON schema in a file",
    )
    ask.add_argument("--render", action="store_true", help="draw the Markdown of the answer")
    ask.add_argument(
        "--think", choices=("off", "on", *THINK_LEVELS), help="how much to think; shown dimmed, on standard error"
    )
    chats = commands.add_parser(
        "chats", help="list the chats, newest first; * is unfinished, … being answered", parents=[common]
    )
    chats.add_argument("words", nargs="*", help="only those with all of these in the title")
    chats.add_argument("--json", action="store_true", help="print JSON, a chat a line")
    chats.add_argument("--limit", type=_limit, default=None, metavar="N", help="at most N of them")
    search = commands.add_parser("search", help="search in everything that was said", parents=[common])
    search.add_argument("words", nargs="+")
    search.add_argument("--json", action="store_true", help="print JSON, a hit a line")
    search.add_argument(
        "--limit", type=_limit, default=20, metavar="N", help="at most N titles and N messages (20)"
    )
    export = commands.add_parser("export", help="print a chat", parents=[common])
    export.add_argument("id", help="as `tui-chat chats` shows it; the beginning is enough; `all` for all (JSON)")
    export.add_argument("--format", choices=("md", "json"), default="md", help="Markdown (default) or JSON")
    export.add_argument(
        "--json", action="store_const", const="json", dest="format", help="the same as --format json"
    )
    export.add_argument("-o", "--output", metavar="FILE", type=user_path, help="write to a new file instead")
    load = commands.add_parser(
        "import", help="add chats from a file of tui-chat, ChatGPT or Open WebUI", parents=[common]
    )
    load.add_argument("file", type=user_path)
    load.add_argument(
        "--json", action="store_true", help="print JSON, a chat a line, and whether it brought anything"
    )
    servers = commands.add_parser("servers", help="list the servers, and those found here", parents=[common])
    servers.add_argument("--json", action="store_true", help="print JSON, a server a line")
    for name, what in (
        ("models", "list the models of the server, the newest first"),
        ("ps", "list the models in memory"),
        ("show", "show a model: parameters, system prompt, template, licence"),
        ("pull", "get a model; one that was cut goes on where it was"),
        ("rm", "remove a model from the server's disk"),
    ):
        command = commands.add_parser(name, help=what, parents=[common])
        if name not in ("models", "ps"):
            command.add_argument("name", help="the model's name, like qwen3:4b")
        command.add_argument("--url", metavar="URL", help="the server", default=argparse.SUPPRESS)
        command.add_argument("--json", action="store_true", help="print JSON, a line for each model or step")


def _limit(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)
