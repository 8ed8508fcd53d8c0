"""The context window, and a fresh chat from a summary."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_chat.chat.context import shares_of
from tui_chat.chat.conversation import Conversation
from tui_chat.errors import ReplyError
from tui_chat.messages import Model
from tui_chat.servers.connection import find
from tui_chat.servers.dialects import taken_by
from tui_chat.ui.dialogs.context import ContextScreen
from tui_chat.ui.gauge import window_of

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen

_SUM_UP: Final = (
    "Sum up our conversation so far, so that it can go on in a new chat without these messages. Keep the facts, "
    "decisions, names, figures and code that are still needed, what is open, and what comes next. Write in the "
    "language of the conversation, and nothing but the summary."
)
_GO_ON: Final = "This is a summary of our earlier conversation, from which we go on:\n\n{}\n\n"


async def context(screen: ChatScreen) -> None:
    """Show what takes the context window, and make room."""
    workspace, keys = screen.workspace, screen.keys
    conversation, connection, chat = workspace.conversation, workspace.connection, workspace.current
    model = find(connection.model, connection.models) or Model(connection.model)
    taken = shares_of(conversation.branch, conversation.chat.system)
    can_raise, linked = "num_ctx" in taken_by(connection.backend.server), chat.linked.words if chat.linked else ""
    dialog = ContextScreen(keys, taken, window_of(workspace), model, can_raise=can_raise, linked=linked)

    async def learn() -> None:
        with suppress(ReplyError):
            told = await connection.backend.describe(model.name)
            dialog.learn(replace(told, context_window=told.context_window or model.context_window))

    screen.start(learn, "describe")
    wish = await screen.ask(dialog)
    if wish == "summary":
        screen.action_command("summary")
    elif wish == "linked" and chat.linked:
        await screen.navigation.open_chat(chat.linked.chat)
    elif isinstance(wish, int):
        await conversation.note(parameters=replace(conversation.chat.parameters, num_ctx=wish))
        screen.server.show_gauge()


async def summary(screen: ChatScreen) -> None:
    """Let the model sum up this chat, and begin a new one with that, for the person to edit and send."""
    chat = screen.workspace.current
    conversation = chat.conversation
    if not conversation.branch:
        screen.notify("There is nothing to sum up yet.", timeout=3)
        return
    if not _summary_in(conversation):
        if screen.replies.cannot_send() or not (screen.fit.surely(_SUM_UP) or await screen.fit.agreed(_SUM_UP)):
            return
        await screen.replies.dispatch(_SUM_UP).wait()
    text = _summary_in(conversation)
    if text and (screen.workspace.current is not chat or screen.composer.text.strip()):
        again = screen.keys.hint("{summary} there begins a new chat with it.")
        screen.notify(f"“{conversation.chat.title}” is summed up: {again}", markup=False)
    elif text:
        screen.navigation.new_chat()
        fresh = screen.workspace.current
        screen.composer.insert(_GO_ON.format(text))
        await fresh.follow_on(chat, screen.composer.text)
        screen.status.show_title()
        screen.status.show()


def _summary_in(conversation: Conversation) -> str:
    """The summary at the end of a chat, if there is a whole one."""
    last = conversation.last
    prompt = conversation.parent_of(last) if last is not None and not last.unfinished else None
    return last.text if last is not None and prompt is not None and prompt.text == _SUM_UP else ""
