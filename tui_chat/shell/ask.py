"""`tui-chat ask`: one question, its reply to standard output, and an exit code. No screen, and no Textual."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from tui_chat.chat.context import tokens_of
from tui_chat.chat.generation import Generation, Hear
from tui_chat.chat.retry import RetryKind, plan_again
from tui_chat.chat.settings import window_of
from tui_chat.chat.workspace import Workspace
from tui_chat.config import Config
from tui_chat.errors import ChatError, ConfigError, Refused, ReplyError, Unreachable
from tui_chat.messages import Message, Role, State
from tui_chat.output import Outflow, is_terminal
from tui_chat.parts import File, Image, parts_of
from tui_chat.servers.connection import Connection, find
from tui_chat.shell.asking import check_consent
from tui_chat.shell.question import Format, answer_format, pictures_in, question
from tui_chat.shell.receiving import elsewhere, opened, receive
from tui_chat.shell.replies import Aside, Drawn, Lines, Plain, Reply
from tui_chat.shell.words import complain, warn
from tui_chat.tasks import start_task

OK, FAILED, CUT = 0, 1, 3
"""Exit codes. 2 is a wrong command line; after a signal it is 128 and the signal's number."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SMALLEST_WINDOW: Final = 1000
"""Tokens that fit any context window."""


def main(arguments: argparse.Namespace, config: Config) -> int:
    """Ask, print the reply as it arrives, and save it. Returns the exit code.

    Raises:
        ConfigError: the question or an option is wrong.
        FileError: a file is not text or a picture that models take, or too large.
        StoreError: the chat cannot be continued.
        ReplyError: no model can be asked.
        OutputError: standard output takes no more. What arrived is saved.
        BrokenPipeError: nobody reads standard output any more. What arrived is saved.
    """
    pictures, files = pictures_in(arguments.file)
    prompt, form = question(arguments.question, files), answer_format(arguments.format)
    if not prompt and not arguments.resume and arguments.chat is None:
        raise ConfigError("There is no question", 'Example: tui-chat ask "Why is the sky blue?"')
    if not prompt and form:
        raise ConfigError("--format cannot apply to a reply that is continued", "Ask a question with it.")
    return asyncio.run(_stoppable(_ask(arguments, config, prompt, pictures, form)))


async def _stoppable(work: Coroutine[Any, Any, int]) -> int:
    """The exit code of `work`, which a signal cancels."""
    task, loop, numbers = start_task(work), asyncio.get_running_loop(), list[int]()

    def stop(number: int) -> None:
        if not numbers:
            task.cancel()
        numbers.append(number)

    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and background jobs ignore it
            loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        return 128 + (numbers[0] if numbers else signal.SIGINT)


async def _ask(
    arguments: argparse.Namespace, config: Config, prompt: str, pictures: tuple[File | Image, ...], form: Format
) -> int:
    """Ask `prompt`; an empty one continues a reply that was cut, or retries one that failed."""
    out, saves = Outflow(), not arguments.no_save
    async with opened(config, arguments.chat, resume=arguments.resume, save=saves) as workspace:
        await _check(workspace, prompt)
        if pictures:
            await _check_sight(workspace.connection)
        warned = await _warn_of_window(workspace, prompt)

        def start(hear: Hear) -> Generation:
            chat = workspace.current
            return chat.send(prompt, form=form, attached=pictures, hear=hear) if prompt else chat.again(hear=hear)

        reply, aside = _reply_for(arguments, workspace), Aside(shown=not arguments.json)
        message, error = await receive(workspace, start, reply, aside, out)
        if not warned:  # now the model is loaded, which may have told more
            await _warn_of_window(workspace)
        return _ended(workspace, message, error, form, saves=saves)


async def _check(workspace: Workspace, prompt: str) -> None:
    """Check that a model can be asked; if not, save the prompt all the same.

    Raises:
        ConfigError: there is nothing to ask, or nobody has agreed that the prompt leaves this machine.
        StoreError: another tui-chat is receiving a reply in this chat.
        ReplyError: no model can be asked.
    """
    conversation, connection = workspace.conversation, workspace.connection
    if conversation.elsewhere:
        raise elsewhere()
    again = None if prompt else plan_again(conversation)
    if not prompt and (again is None or again.kind is RetryKind.REGENERATE):
        raise ConfigError("There is no question", "The last reply of this chat is complete: ask something.")
    await connection.look(closely=False)
    trouble = connection.error if isinstance(connection.error, Unreachable) else connection.obstacle
    if trouble is not None:
        if prompt:
            await conversation.begin(conversation.prompt(prompt), settings={}, draft="")
        raise trouble
    await check_consent(workspace)


async def _check_sight(connection: Connection) -> None:
    """Check that the model is not known to be blind: servers drop pictures without saying so.

    Raises:
        ConfigError: it cannot see pictures.
    """
    await connection.learn_abilities()
    model = find(connection.model, connection.models)
    if model is not None and model.is_blind:
        raise ConfigError(f"{model.name} cannot see pictures", "-m chooses another model.")


def _reply_for(arguments: argparse.Namespace, workspace: Workspace) -> Reply:
    safe = is_terminal(sys.stdout)
    if arguments.json:
        return Lines(workspace.conversation.chat.id, safe=safe)
    return Drawn(os.environ) if arguments.render else Plain(safe=safe)


async def _warn_of_window(workspace: Workspace, prompt: str = "") -> bool:
    """Warn if the chat, with `prompt`, exceeds the context window; returns whether it does.

    Servers leave out its beginning without saying so.
    """
    conversation, connection = workspace.conversation, workspace.connection
    branch = [*conversation.branch, Message(Role.USER, parts_of(prompt))]
    tokens = tokens_of(branch, conversation.chat.system)
    if tokens < _SMALLEST_WINDOW:
        return False
    with suppress(ReplyError):
        await connection.measure()
    window = window_of(workspace)
    if window is None or tokens <= window:
        return False
    warn(
        f"{connection.model} has a context window of {window:,} tokens, and this chat has about {tokens:,}: "
        "the server leaves out what does not fit.\n"
        "  Send less, or set num_ctx under [options] in the config file."
    )
    return True


def _ended(workspace: Workspace, message: Message, error: ChatError | None, form: Format, *, saves: bool) -> int:
    """Report a reply that is not complete or not saved. Returns the exit code."""
    code = {State.COMPLETE: OK, State.INTERRUPTED: CUT}.get(message.state, FAILED)
    if code == OK and message.finish == "length":
        code, error = CUT, error or ReplyError("The reply was cut off at the length limit.")
    if form and isinstance(error, Refused):
        error.hint = f"{error.hint} This server may not support --format.".lstrip()
    if error is not None:
        complain(error, goes_on=code == CUT and saves)
    elif form and not _is_json(message.text):
        complain(ReplyError(f"The reply is not JSON: {message.server} may not support --format."))
        return FAILED
    if trouble := workspace.conversation.trouble:
        warn(f"The chat is not saved. {trouble}")
    return code


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
