"""Commands of dialogs and lists. What they do is a method of these, which know their rows and fields."""

from __future__ import annotations

from typing import Final

from textual.binding import BindingType

from tui_chat.ui.commands.command import Command, Scope

COMMANDS: Final = (
    Command(lambda it: it.move(-1), "completion-up", "Up", "Go to the completion above", "up", Scope.COMPLETION),
    Command(lambda it: it.move(1), "completion-down", "Down", "Go to the completion below", "down",
            Scope.COMPLETION),
    Command(lambda it: it.take(), "completion-take", "Complete", "Complete what is typed", "tab",
            Scope.COMPLETION),
    Command(lambda it: it.accept(), "accept", "Accept", "Choose, save or confirm", "enter", Scope.DIALOG),
    Command(lambda it: it.dismiss(), "close", "Close", "Close, or cancel", "escape,ctrl+c", Scope.DIALOG),
    Command(lambda it: it.dismiss(), "close-view", "Close", "Close the help or a link", "q", Scope.VIEW),
    Command(lambda it: it.choose("copy"), "link-copy", "Copy", "Copy the link", "c", Scope.LINK),
    Command(lambda it: it.choose("open"), "link-open", "Open", "Open the link on the desktop", "o", Scope.LINK),
    Command(lambda it: it.move(1), "list-down", "Down", "Move down in a list", "down,ctrl+n", Scope.LIST),
    Command(lambda it: it.move(-1), "list-up", "Up", "Move up in a list", "up,ctrl+p", Scope.LIST),
    Command(lambda it: it.move(10), "list-page-down", "Page down", "Move down ten rows", "pagedown", Scope.LIST),
    Command(lambda it: it.move(-10), "list-page-up", "Page up", "Move up ten rows", "pageup", Scope.LIST),
    Command(lambda it: it.rename(), "chats-rename", "Rename", "Rename the chat", "ctrl+r", Scope.CHATS),
    Command(lambda it: it.pin(), "chats-pin", "Pin", "Pin the chat to the top, or not", "ctrl+t", Scope.CHATS),
    Command(lambda it: it.delete(), "chats-delete", "Delete", "Delete the chat", "ctrl+d", Scope.CHATS),
    Command(lambda it: it.undelete(), "chats-undo", "Undo", "Undo the last deletion", "ctrl+z", Scope.CHATS),
    Command(lambda it: it.test(), "servers-test", "Test", "Test the server", "ctrl+t", Scope.SERVERS),
    Command(lambda it: it.edit(), "servers-edit", "Edit", "Edit the server", "ctrl+r", Scope.SERVERS),
    Command(lambda it: it.remove_chosen(), "servers-remove", "Remove", "Remove it", "ctrl+d", Scope.SERVERS),
    Command(lambda it: it.restore(), "servers-undo", "Undo", "Undo the last removal", "ctrl+z", Scope.SERVERS),
    Command(lambda it: it.verbs.inspect(), "models-details", "Details", "Show all about the model",
            "ctrl+o", Scope.MODELS),
    Command(lambda it: it.verbs.pull(), "models-pull", "Pull", "Pull a model by its name", "ctrl+g", Scope.MODELS),
    Command(lambda it: it.verbs.load(), "models-load", "Load", "Load the model, or unload it", "ctrl+t",
            Scope.MODELS),
    Command(lambda it: it.verbs.keep(), "models-keep", "Keep", "Keep the model in memory for a time",
            "ctrl+s", Scope.MODELS),
    Command(lambda it: it.verbs.copy(), "models-copy", "Copy", "Copy the model to another name",
            "ctrl+r", Scope.MODELS),
    Command(lambda it: it.verbs.delete(), "models-delete", "Delete",
            "Delete the model, or cancel the pull", "ctrl+d", Scope.MODELS),
    Command(lambda it: it.test(), "form-test", "Test", "Test these settings", "ctrl+t", Scope.FORM),
    Command(lambda it: it.accept(), "form-save", "Save", "Save these settings", "ctrl+s", Scope.FORM),
    Command(lambda it: it.keep(), "form-preset", "Save as preset", "Save these settings as a preset", "ctrl+p",
            Scope.FORM),
    Command(lambda it: it.focus_next(), "form-next", "Next", "Go to the next field", "tab,down", Scope.FORM),
    Command(lambda it: it.focus_previous(), "form-previous", "Back", "Go to the field before", "shift+tab,up",
            Scope.FORM),
    Command(lambda it: it.move(1), "find-next", "Next", "Go to the next match", "down,ctrl+n,ctrl+f", Scope.FIND),
    Command(lambda it: it.move(-1), "find-previous", "Previous", "Go to the match before",
            "up,ctrl+p,shift+enter", Scope.FIND),
    Command(lambda it: it.choose(1), "context-raise", "Larger window", "Choose a larger context window",
            "up,right,plus", Scope.CONTEXT),
    Command(lambda it: it.choose(-1), "context-lower", "Smaller window", "Choose a smaller context window",
            "down,left,minus", Scope.CONTEXT),
    Command(lambda it: it.answer("summary"), "context-summary", "Summary",
            "Start a fresh chat from a summary of this one", "s", Scope.CONTEXT),
    Command(lambda it: it.answer("linked"), "context-linked", "Go there",
            "Go to the chat that this one continues, or that continues it", "g", Scope.CONTEXT),
)  # fmt: skip


def bindings(*scopes: Scope) -> list[BindingType]:
    """The bindings of some scopes."""
    return [command.binding for command in COMMANDS if command.scope in scopes]
