"""The context window, and a fresh chat from a summary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui_chat.chat.summary import GO_ON, SUM_UP, summary_in
from tui_chat.ui.dialogs.context import ContextScreen

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


async def context(screen: ChatScreen) -> None:
    """Show what takes the context window, and make room."""
    conversation, chat = screen.workspace.conversation, screen.workspace.current
    wish = await screen.ask(ContextScreen(screen.keys, screen.workspace))
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
    if not summary_in(conversation):
        if screen.replies.cannot_send() or not (screen.fit.surely(SUM_UP) or await screen.fit.agreed(SUM_UP)):
            return
        await screen.replies.dispatch(SUM_UP).wait()
    text = summary_in(conversation)
    if text and (screen.workspace.current is not chat or screen.composer.text.strip()):
        chat.notice = "Summed up: /summary begins a new chat with it."
        if screen.workspace.current is chat:
            screen.replies.show_notice()
        else:
            screen.notify(f"“{conversation.chat.title}” is summed up.", timeout=10, markup=False)
    elif text:
        lacks = screen.fit.left_out() and "The model has not read the beginning of the chat: the summary lacks it."
        screen.navigation.new_chat()
        if lacks:
            screen.notify(lacks, severity="warning", timeout=12)
        fresh = screen.workspace.current
        screen.composer.insert(GO_ON.format(text))
        await fresh.follow_on(chat, screen.composer.text)
        screen.status.show_title()
        screen.status.show()
        screen.server.show()
