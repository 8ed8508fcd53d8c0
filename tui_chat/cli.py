"""The command line, and the composition root."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_chat import __version__
from tui_chat.config import SETTINGS, Config, load_config
from tui_chat.errors import ChatError, ConfigError, FileError
from tui_chat.output import is_terminal, put
from tui_chat.parameters import Parameters
from tui_chat.shell.arguments import add_command, add_commands, add_connection, add_files
from tui_chat.shell.words import complain, warn
from tui_chat.typed import near, nearest

if TYPE_CHECKING:
    from tui_chat.servers.backend import Backend

OK, FAILED, USAGE = 0, 1, 2
"""Exit codes."""
_FRAMES: Final = "120"
"""Most frames per second: a second change after a key waits for one or two frames."""


def parser(*, with_relay: bool = True) -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = screen_parser()
    top.set_defaults(question=[])
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="without the screen", prog=top.prog)
    add_commands(commands)
    relay = add_command(commands, "relay", "let others chat with this machine's models")
    if with_relay:
        from tui_chat.relay import command  # late: most never need it

        command.add_arguments(relay)
    return top


def screen_parser() -> argparse.ArgumentParser:
    """The parser of a command line without a command and without a question."""
    top = argparse.ArgumentParser(
        prog="tui-chat",
        usage='tui-chat [OPTIONS] ["QUESTION"]\n       tui-chat [OPTIONS] COMMAND …',
        description="A full-screen chat with local language models. A QUESTION is sent at once.",
        epilog="Inside, F1 shows the keys. Settings: ~/.config/tui-chat/config.toml",
    )
    add_connection(top)
    add_files(top)
    top.add_argument("--demo", action="store_true", help="talk to a built-in script; needs no model")
    top.add_argument("--plain", action="store_true", help="line by line, without a full screen")
    top.add_argument("--print-on-exit", action="store_true", help="leave the chat in the terminal's scrollback")
    top.add_argument("--version", action="version", version=f"tui-chat {__version__}")
    top.set_defaults(command=None)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        config = load_config(
            os.environ,
            file=arguments.config,
            url=arguments.url,
            model=arguments.model,
            system=arguments.system,
            data_dir=arguments.data_dir,
            keys=talks_to_servers(arguments),
        )
        config = with_flags(config, arguments)
        for warning in config.warnings if arguments.command else ():  # the screen shows them itself
            warn(warning)
        return carry_out(arguments, config)
    except ChatError as error:
        complain(error)
        return USAGE if isinstance(error, ConfigError | FileError) else FAILED
    except BrokenPipeError:
        return 128 + signal.SIGPIPE  # as if it had ended us, which Python keeps it from
    except KeyboardInterrupt:
        return 130


def with_flags(config: Config, arguments: argparse.Namespace) -> Config:
    """The settings with those of `--think`, `--cloud` and `--preset`; flags precede the preset.

    Raises:
        ConfigError: there is no such preset, or it is wrong.
    """
    parameters = Parameters().with_text("think", arguments.think or "")
    config = replace(config, parameters=parameters, cloud=arguments.cloud)
    if not arguments.preset:
        return config
    from tui_chat.presets import read_preset  # late: most never need it
    from tui_chat.servers.server_file import ServerFile

    names = [server.name for server in config.servers]
    preset = read_preset(config.presets, arguments.preset, [*names, *ServerFile(config.servers_file).names()])
    here = not arguments.url and preset.server
    return replace(
        config,
        url=preset.server if here else config.url,
        pinned=bool(here) or config.pinned,
        model=arguments.model or preset.model or config.model,
        system=config.system if arguments.system is not None else preset.system or config.system,
        parameters=parameters.over(preset.parameters),
    )


def carry_out(arguments: argparse.Namespace, config: Config) -> int:
    """Run the command; each loads only what it needs. Returns the exit code.

    Raises:
        ChatError: it failed.
        BrokenPipeError: nobody reads standard output any more.
    """
    match arguments.command:
        case None if arguments.plain:
            return plain(config, arguments)
        case None:
            return full_screen(config, arguments)
        case "ask":
            from tui_chat.shell import ask

            return ask.main(arguments, config)
        case "relay":
            from tui_chat.relay import command as relay

            return relay.main(arguments, os.environ, lambda upstream: backend_of(upstream, config))
        case "models" | "ps" | "show" | "pull" | "unload" | "rm":
            from tui_chat.shell import models

            asyncio.run(models.run(arguments, backend_of(None, config)))
            return OK
        case "servers":
            from tui_chat.shell import servers

            asyncio.run(servers.run(config, as_json=arguments.json))
            return OK
        case _:
            from tui_chat.shell import commands

            asyncio.run(commands.run(arguments, config))
            return OK


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        ConfigError: a path is invalid.
        OutputError: the help cannot be printed.
    """
    top = parser(with_relay="relay" in words)
    commands = commands_of(top)
    try:
        check_options(top, words)
        place = first_word(top, words)
        if place == len(words) or words[place] in commands:
            return top.parse_args(words)
        if meant := near(words[place], commands):
            hint = f"Did you mean {meant!r}? To ask it: tui-chat -- {words[place]}"
            top.error(f"there is no command {words[place]}. {hint}")
        asking = screen_parser()
        asking.add_argument("question", nargs="*")
        return asking.parse_intermixed_args(words)
    except SystemExit:
        put()
        raise


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The subcommands of a parser; argparse has no public way to get them."""
    subparsers = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {name: command for action in subparsers for name, command in action.choices.items()}


def first_word(parser: argparse.ArgumentParser, words: Sequence[str]) -> int:
    """The index of the first word that is neither an option nor its value, else the number of words."""
    known, index = parser._option_string_actions, 0
    while index < len(words):
        word = words[index]
        if word in ("-", "--") or not word.startswith("-") or " " in word:
            break
        names = [word] if word.startswith("--") else [f"-{letter}" for letter in word[1:]]
        options = [action for given in names for name, action in known.items() if name.startswith(given)]
        takes_next = bool(options) and options[-1].nargs != 0 and "=" not in word
        index += 2 if takes_next else 1
    return min(index, len(words))


def check_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Exit with an error at an unknown option; argparse would blame the word after it.

    Raises:
        SystemExit: an option is unknown.
    """
    known, commands = parser._option_string_actions, commands_of(parser)
    for index, word in enumerate(words):
        if word == "--":
            break
        if word in commands:
            check_options(commands[word], words[index + 1 :])
            break
        option = word.partition("=")[0]
        is_option = option.startswith("--") and " " not in option  # as argparse sees it
        if is_option and not any(name.startswith(option) for name in known):
            setting = option[2:] in SETTINGS
            hint = f"It is a setting of the config file: {option[2:]}." if setting else nearest(option, known)
            parser.error(f"there is no option {option}. {hint}")


def talks_to_servers(arguments: argparse.Namespace) -> bool:
    """Whether a command needs keys: reading one may run a program that asks for a password."""
    if arguments.command == "relay":
        return arguments.relay_command is None
    return arguments.command not in ("chats", "search", "export", "import")


def full_screen(config: Config, arguments: argparse.Namespace) -> int:
    """Run the app in the terminal.

    Raises:
        ConfigError: standard input or output is not a usable terminal, or a key or a theme is invalid.
        StoreError: there is no such chat.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise ConfigError("tui-chat needs a terminal", "Over ssh, add -t. Between pipes, add --plain.")
    if os.environ.get("TERM") == "dumb":
        warn("TERM=dumb: plain mode. If the terminal can draw a screen: TERM=xterm-256color tui-chat.")
        return plain(config, arguments)
    for name in ("TEXTUAL_LOG", "TEXTUAL_COLOR_SYSTEM"):
        os.environ.pop(name, None)  # for programmers; Textual ends with a traceback at values that it cannot use
    os.environ.setdefault("TEXTUAL_FPS", _FRAMES)  # read when Textual is loaded
    from tui_chat.ui.run import run  # late: Textual takes longest to load, and `--help` needs none of it

    return asyncio.run(
        run(
            config,
            os.environ,
            demo=arguments.demo,
            chat=arguments.chat,
            resume=arguments.resume,
            question=" ".join(arguments.question),
            printed=arguments.print_on_exit,
        )
    )


def plain(config: Config, arguments: argparse.Namespace) -> int:
    """Run the chat line by line.

    Raises:
        ConfigError: the demo was asked for.
        StoreError: there is no such chat.
        OutputError: standard output takes no more.
    """
    from tui_chat.shell import plain

    if arguments.demo:
        raise ConfigError("The demo needs the screen", "Leave out --plain.")
    question = " ".join(arguments.question)
    return asyncio.run(plain.run(config, chat=arguments.chat, resume=arguments.resume, question=question))


def backend_of(upstream: str | None, config: Config) -> Backend:
    """The server for the relay and the commands for models: at a URL or of a name, else the one to start on.

    Raises:
        ConfigError: there is no such server, or its key cannot be read.
    """
    from tui_chat.servers.backend import connect
    from tui_chat.servers.probe import discover
    from tui_chat.servers.registry import ServerRegistry
    from tui_chat.servers.server_file import ServerFile

    chosen = replace(config, url=upstream or config.url)
    book = ServerRegistry(chosen, ServerFile(config.servers_file, os.environ))
    for warning in book.warnings:
        warn(warning)
    server = book.first
    if not chosen.url and (found := asyncio.run(discover()).found):
        server = found[0]
    return connect(server)
