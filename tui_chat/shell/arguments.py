"""The arguments of the command line. Does not load the code that runs the commands."""

from __future__ import annotations

import argparse
from typing import Final, TypeAlias

from tui_chat.messages import THINK_LEVELS
from tui_chat.typed import user_path

_ASK: Final = """exit codes: 0 complete, 1 failed, 2 wrong command line, 3 cut off, 130 stopped.
What arrived is always printed and saved."""

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the options that the screen and all commands share."""
    parser.add_argument("--config", metavar="FILE", type=user_path, help="the config file")
    parser.add_argument("--data-dir", metavar="DIR", type=user_path, help="the folder of the chats")


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the options for server, model and chat that the screen and `ask` share."""
    parser.add_argument(
        "--url", metavar="URL", help="the server, like http://box:11434 (default: Ollama on this machine)"
    )
    parser.add_argument("--model", "-m", metavar="NAME", help="the model (default: the one used last)")
    parser.add_argument("--system", "-s", metavar="TEXT", help="a system prompt for a new chat")
    parser.add_argument("--preset", metavar="NAME", help="a model with settings, saved in a chat")
    parser.add_argument("--think", choices=("off", "on", *THINK_LEVELS), help="how much to think")
    parser.add_argument("--cloud", action="store_true", help="do not ask before a model that runs elsewhere")
    parser.add_argument("--continue", "-c", action="store_true", dest="resume", help="continue the last chat")
    parser.add_argument("--chat", metavar="ID", help="continue this chat; the beginning of its ID is enough")


def add_commands(commands: Commands) -> None:
    """Add the subcommands with their arguments."""
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add_connection(shared)
    ask = add_command(commands, "ask", "ask one question and print the reply", shared, epilog=_ASK)
    ask.add_argument("question", nargs="*", help="the question; text from a pipe follows it, in a fence")
    ask.add_argument(
        "--file",
        "-f",
        metavar="FILE",
        type=user_path,
        action="append",
        default=[],
        help="attach a text file, or a picture in `ask`",
    )
    ask.add_argument("--no-save", action="store_true", help="do not save this chat")
    _add_json(ask, "event")
    ask.add_argument(
        "--format",
        metavar="json|FILE",
        default="",
        help="get the answer as JSON, or by the JSON schema in FILE",
    )
    ask.add_argument("--render", action="store_true", help="draw the Markdown of the answer")
    chats = add_command(commands, "chats", "list the chats, newest first")
    chats.add_argument("words", nargs="*", help="only chats with all of these words in the title")
    _add_json(chats, "chat")
    chats.add_argument("--limit", type=_limit, metavar="N", help="at most N chats")
    search = add_command(commands, "search", "search all chats")
    search.add_argument("words", nargs="+")
    _add_json(search, "hit")
    search.add_argument(
        "--limit", type=_limit, default=20, metavar="N", help="at most N titles and N messages (default: 20)"
    )
    export = add_command(commands, "export", "print a chat")
    export.add_argument("id", help="the ID that `tui-chat chats` shows, or its beginning; `all` for all (JSON)")
    export.add_argument("--format", choices=("md", "json"), default="md", help="Markdown (default) or JSON")
    export.add_argument("--json", action="store_const", const="json", dest="format", help="same as --format json")
    export.add_argument("-o", "--output", metavar="FILE", type=user_path, help="write to a new file instead")
    load = add_command(commands, "import", "add chats from an export of tui-chat, ChatGPT or Open WebUI")
    load.add_argument("file", type=user_path)
    _add_json(load, "chat")
    _add_json(add_command(commands, "servers", "list the servers of the settings and of this machine"), "server")
    for name, summary in (
        ("models", "list the models of the server, newest first"),
        ("ps", "list the models in memory"),
        ("show", "show a model: parameters, system prompt, template, licence"),
        ("pull", "download a model, or resume its download"),
        ("unload", "remove a model from memory"),
        ("rm", "remove a model from the server's disk"),
    ):
        command = add_command(commands, name, summary)
        if name not in ("models", "ps"):
            command.add_argument("name", help="the model's name, like qwen3:4b")
        command.add_argument("--url", metavar="URL", help="the server", default=argparse.SUPPRESS)
        _add_json(command, "step" if name == "pull" else "model")


def add_command(
    commands: Commands, name: str, summary: str, *parents: argparse.ArgumentParser, epilog: str = ""
) -> argparse.ArgumentParser:
    """Add a subcommand with the options that all share, which count before and after its name."""
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add_files(shared)
    return commands.add_parser(name, help=summary, parents=[shared, *parents], epilog=epilog)


def _add_json(parser: argparse.ArgumentParser, item: str) -> None:
    parser.add_argument("--json", action="store_true", help=f"print JSON, one {item} per line")


def _limit(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return int(text)
