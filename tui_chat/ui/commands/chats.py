"""Chats, and whom they are with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui_chat.errors import StoreError
from tui_chat.store.export import to_markdown
from tui_chat.text.sanitize import clean_line
from tui_chat.ui import phrases
from tui_chat.ui.commands.command import Argument, command
from tui_chat.ui.dialogs.ask import title_screen
from tui_chat.ui.dialogs.chats import ChatsScreen
from tui_chat.ui.dialogs.confirm import ConfirmScreen
from tui_chat.ui.dialogs.models import ModelsScreen
from tui_chat.ui.dialogs.save import save_text
from tui_chat.ui.dialogs.servers import ServersScreen

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


@command("new-chat", "New chat", "Start a new chat", "ctrl+n", slash="/new")
def new_chat(screen: ChatScreen) -> None:
    """Begin another chat; a reply on its way goes on."""
    # Behind the keys before this one, and ahead of those after it.
    screen.composer.call_later(screen.navigation.new_chat)


@command(
    "chats",
    "Chats and search",
    "Open another chat, or search in all of them",
    "ctrl+o",
    footer="chats",
    slash="/chats",
)
async def chats(screen: ChatScreen) -> None:
    """Open another chat, or look for something that was said."""
    workspace = screen.workspace

    def badge(chat_id: str) -> str:
        chat = workspace.known(chat_id)
        return "" if chat is None else phrases.badge(chat)

    dialog = ChatsScreen(screen.keys, workspace.store, workspace.conversation.chat.id, badge)
    found = await screen.ask(dialog)
    if found is None or found.chat == workspace.conversation.chat.id:
        await workspace.current.catch_up()  # it may have been renamed
        screen.status.show_title()
    if workspace.conversation.chat.id in dialog.deleted:
        await screen.navigation.delete()
    if found is not None:
        await screen.navigation.open_chat(found.chat, found.message, found.words)


@command(
    "rename-chat", "Rename this chat", "Give this chat another title", slash="/rename", argument=Argument("title")
)
async def rename(screen: ChatScreen, title: str) -> None:
    """Give the chat on screen another title."""
    conversation = screen.workspace.conversation
    if chosen := title or await screen.ask(title_screen(screen.keys, conversation.chat.title)):
        await conversation.note(title=clean_line(chosen, 80))
        screen.status.show_title()


@command("delete-chat", "Delete this chat", "Delete this chat and begin a new one", slash="/delete")
async def delete(screen: ChatScreen) -> None:
    """Delete the chat on screen, after asking."""
    hint = screen.keys.hint("{accept} deletes it · {close} keeps it")
    title = screen.workspace.conversation.chat.title or "this chat"
    if await screen.ask(ConfirmScreen(screen.keys, f"Delete {title}?", hint)):
        await screen.navigation.delete()


@command(
    "export-chat",
    "Export this chat",
    "Write this chat to a file, as Markdown",
    slash="/export",
    argument=Argument("file"),
)
async def export(screen: ChatScreen, name: str) -> None:
    """Write the chat on screen to a file."""
    conversation = screen.workspace.conversation
    await conversation.settle()
    try:
        thread = await screen.workspace.store.load(conversation.chat.id)
    except StoreError as error:
        screen.status.say_error(error)
    else:
        await save_text(screen, "this chat", to_markdown(thread), name or "chat.md")


def _models(screen: ChatScreen) -> Iterable[str]:
    return [model.name for model in screen.workspace.connection.models]


@command(
    "models",
    "Models",
    "Choose the model",
    "ctrl+l",
    footer="models",
    slash="/model",
    argument=Argument("model", _models),
)
async def models(screen: ChatScreen, name: str) -> None:
    """Choose a model, of this server or of another that can be reached; one of this server by its name."""
    connection = screen.workspace.connection
    if name:
        await screen.server.use_model(name)
    elif (offer := await screen.ask(ModelsScreen(screen.keys, connection, screen.catalog))) is not None:
        if offer.server == connection.server:
            await screen.server.use_model(offer.model.name)
        else:
            await screen.server.use(offer.server, offer.models, offer.model.name)


@command("servers", "Servers", "Choose, add, test or remove servers", "f3", footer="servers", slash="/servers")
async def servers(screen: ChatScreen) -> None:
    """Choose, add, change, test or remove servers."""
    known = await screen.ask(ServersScreen(screen.keys, screen.workspace.connection.server, screen.catalog))
    if known is not None:
        await screen.server.use(known.server)
