"""Chats, models and servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.chat.settings import model_named
from tui_chat.errors import ConfigError
from tui_chat.servers.connection import runs_at
from tui_chat.store.export import to_markdown
from tui_chat.text.sanitize import clean_line
from tui_chat.ui.commands.read import save_as, save_text
from tui_chat.ui.dialogs.ask import ConfirmScreen, title_screen
from tui_chat.ui.dialogs.chats import ChatsScreen
from tui_chat.ui.dialogs.dialog import or_cancel
from tui_chat.ui.dialogs.model_rows import Offer
from tui_chat.ui.dialogs.models import ModelsScreen
from tui_chat.ui.dialogs.servers import ServersScreen

if TYPE_CHECKING:
    from tui_chat.ui.screen import ChatScreen


def new_chat(screen: ChatScreen) -> None:
    """Start a new chat; replies continue."""
    # Behind the keys before this one, and ahead of those after it.
    screen.composer.call_later(screen.navigation.new_chat)


async def titles(screen: ChatScreen) -> list[str]:
    """The titles of all chats."""
    return [chat.title for chat in await screen.workspace.store.chats() if chat.title]


async def chats(screen: ChatScreen, title: str) -> None:
    """Open another chat, or search all of them; with `title`, the newest one whose title has these words."""
    workspace = screen.workspace
    if title:
        named = await workspace.store.chats(title)
        found = next((chat for chat in named if chat.title == title), None) or next(iter(named), None)
        if found is None:
            raise ConfigError(f"No chat's title has {title}.", f"{screen.keys['chats']} searches all chats.")
        await screen.navigation.open_chat(found.id)
        return
    dialog = ChatsScreen(screen.keys, workspace)
    chosen = await screen.ask(dialog)
    if chosen is None or chosen.chat == workspace.conversation.chat.id:
        await workspace.current.catch_up()  # it may have been renamed
        screen.status.show_title()
    if workspace.conversation.chat.id in dialog.deleted:
        await screen.navigation.delete()
    if chosen is not None:
        await screen.navigation.open_chat(chosen.chat, chosen.message, chosen.words)


async def rename(screen: ChatScreen, title: str) -> None:
    """Change the title of the open chat."""
    conversation = screen.workspace.conversation
    if chosen := title or await screen.ask(title_screen(screen.keys, conversation.chat.title)):
        await conversation.note(title=clean_line(chosen, 80))
        screen.status.show_title()


async def delete(screen: ChatScreen) -> None:
    """Delete the open chat, after asking."""
    title = screen.workspace.conversation.chat.title or "this chat"
    if await screen.ask(ConfirmScreen(screen.keys, f"Delete {title}?", or_cancel("delete"))):
        await screen.navigation.delete()


async def export(screen: ChatScreen, name: str) -> None:
    """Save the open chat to a Markdown file; without a name, ask for it.

    Raises:
        StoreError: the chat cannot be read, or the file not written.
    """
    conversation = screen.workspace.conversation
    await conversation.settle()
    thread = await screen.workspace.store.load(conversation.chat.id)
    save = save_as if name else save_text
    await save(screen, "this chat", to_markdown(thread), name or "chat.md")


async def models(screen: ChatScreen, name: str) -> None:
    """Choose a model, of this server or another; with `name`, one of this server."""
    connection = screen.workspace.connection
    if name:
        name = model_named(screen.workspace, name)
        if await screen.consent.given(name, runs_at(name, connection.models)):
            await screen.server.use_model(name)
        return
    offer = await screen.ask(ModelsScreen(screen.keys, screen.workspace, screen.catalog))
    if isinstance(offer, Offer) and await screen.consent.given(offer.name, offer.model.remote):
        if offer.server == connection.server:
            await screen.server.use_model(offer.model.name)
        else:
            await screen.server.use(offer.server, offer.models, offer.model.name)


async def servers(screen: ChatScreen) -> None:
    """Choose, add, edit, test or remove servers."""
    known = await screen.ask(ServersScreen(screen.keys, screen.workspace.connection.server, screen.catalog))
    if known is not None:
        await screen.server.use(known.server)
