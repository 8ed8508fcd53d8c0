"""The one table of commands: bindings, palette, help, README, the keymap's check and all hints derive from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui_chat.messages import THINK_LEVELS
from tui_chat.presets import preset_names
from tui_chat.ui.commands import chats, dialogs, parameters, program, read, settings, write
from tui_chat.ui.commands.command import Argument, Command, Scope

GROUPS: Final[Mapping[str, tuple[Command, ...]]] = {
    "Write": (
        Command(lambda it: it.send(), "send", "Send", "Send the prompt", "enter", Scope.COMPOSER),
        Command(lambda it: it.insert("\n"), "new-line", "New line", "Start a new line",
                "ctrl+j,alt+enter,shift+enter", Scope.COMPOSER, "new line"),
        Command(write.earlier, "prompts", "Earlier prompts", "Search the prompts of all chats", "f10,alt+r",
                slash="/history"),
        Command(write.attach, "attach", "Attach a file",
                "Attach a file, the files of a folder, or a picture; @ in the prompt does it too",
                slash="/file,/image", argument=Argument("path")),
        Command(write.editor, "editor", "Editor", "Write the prompt in your editor (VISUAL or EDITOR)", "ctrl+g",
                slash="/editor"),
    ),
    "Reply": (
        Command(lambda it: it.escape(), "stop", "Stop the reply", "Stop the reply; what has arrived is kept",
                "escape", footer="stop", slash="/stop"),
        Command(lambda it: it.interrupt(), "interrupt", "Copy, stop or quit",
                "Copy the selection, else stop the reply, else quit at the second press", "ctrl+c"),
        Command(write.again, "again", "Continue, retry or regenerate",
                "Continue a cut reply, retry a failed one, regenerate a whole one", "ctrl+r",
                slash="/retry,/regenerate"),
        Command(write.send_next, "send-next", "Send the next waiting prompt",
                "Stop the reply and send the next waiting prompt", "f4", footer="send next"),
        Command(write.unqueue, "unqueue", "Take back a waiting prompt", "Edit a waiting prompt in the composer",
                slash="/unqueue"),
    ),
    "Model": (
        Command(parameters.think, "think", "Thinking of the model", "Choose how much the model thinks", "f6",
                slash="/think", argument=Argument("level", lambda it: ("default", *parameters.think_levels(it)))),
        Command(parameters.answer_now, "answer-now", "Answer now", "End the thinking of this reply",
                slash="/answer", offered=parameters.can_answer_now),
        Command(parameters.settings, "settings", "Settings of this chat",
                "Change system prompt and parameters of this chat", "f7", slash="/settings"),
        Command(parameters.preset, "preset", "Presets", "Use a preset in this chat", slash="/preset",
                argument=Argument("preset", lambda it: preset_names(it.workspace.config.presets))),
    ),
    "Chats": (
        Command(chats.new_chat, "new-chat", "New chat", "Start a new chat", "ctrl+n", slash="/new,/clear"),
        Command(chats.chats, "chats", "Chats and search", "Open another chat, or search all chats", "ctrl+o",
                footer="chats", slash="/chats", argument=Argument("title", chats.titles)),
        Command(chats.rename, "rename-chat", "Rename this chat", "Change the title of this chat",
                slash="/rename", argument=Argument("title")),
        Command(chats.delete, "delete-chat", "Delete this chat", "Delete this chat and start a new one",
                slash="/delete"),
        Command(chats.export, "export-chat", "Export this chat", "Save this chat to a Markdown file",
                slash="/export", argument=Argument("file")),
        Command(chats.models, "models", "Models", "Choose a model", "ctrl+l", footer="models",
                slash="/model,/load",
                argument=Argument("model", lambda it: [each.name for each in it.workspace.connection.models])),
        Command(chats.servers, "servers", "Servers", "Choose, add, test or remove servers", "f3",
                footer="servers", slash="/servers"),
    ),
    "Settings": (
        Command(settings.parameter, "set-parameter", "Set a parameter", "Set a parameter of this chat",
                slash="/set parameter", argument=Argument("name value", settings.names, required=True)),
        Command(settings.system, "set-system", "Set the system prompt", "Set the system prompt of this chat",
                slash="/set system", argument=Argument("text", required=True)),
        Command(settings.think, "set-think", "Think", "Let the model think", slash="/set think",
                argument=Argument("level", lambda _: ["on", "off", *THINK_LEVELS])),
        Command(lambda it: settings.think(it, "off"), "set-nothink", "Do not think",
                "Let the model answer without thinking", slash="/set nothink"),
        Command(settings.format, "set-format", "Set the format", "Let the model answer in JSON, or by a schema",
                slash="/set format", argument=Argument("json or schema", lambda _: ["json"], required=True)),
        Command(lambda it: settings.format(it, ""), "set-noformat", "No format", "Let the model answer in text",
                slash="/set noformat"),
        Command(settings.figures, "set-verbose", "Figures of a reply", "Say where the figures of a reply are",
                slash="/set verbose,/set quiet"),
        Command(settings.show, "show", "Show what is set", "Show the model, the system prompt and the parameters",
                slash="/show", argument=Argument("topic", settings.topics)),
    ),
    "Read": (
        Command(read.toggle_thinking, "toggle-thinking", "Thinking", "Show or hide the thinking", "ctrl+t",
                slash="/thinking"),
        Command(lambda it: it.transcript.follow(), "follow", "Go to the end",
                "Go to the end and follow the reply", "ctrl+end"),
        Command(read.to_top, "top", "Go to the start", "Go to the start of the chat", "ctrl+home"),
        Command(lambda it: read.scroll(it, pages=-1), "page-up", "Page up", "Scroll up a page", "pageup"),
        Command(lambda it: read.scroll(it, pages=1), "page-down", "Page down", "Scroll down a page", "pagedown"),
        Command(lambda it: read.scroll(it, rows=-1), "line-up", "Line up", "Scroll up a line", "shift+up"),
        Command(lambda it: read.scroll(it, rows=1), "line-down", "Line down", "Scroll down a line", "shift+down"),
        Command(lambda it: it.select(-1), "select-up", "Select above",
                "Select the message, code block or link above", "alt+up,shift+tab", Scope.SELECT),
        Command(lambda it: it.select(1), "select-down", "Select below",
                "Select the message, code block or link below", "alt+down,tab", Scope.SELECT),
        Command(read.find, "find", "Find", "Find in this chat", "ctrl+f", slash="/find",
                argument=Argument("words")),
        Command(read.copy, "copy", "Copy", "Copy the selected message, code block or link, else the last reply",
                "alt+c,f5", slash="/copy", argument=Argument("number")),
        Command(read.save, "save", "Save",
                "Save the selected message or code block, else the last reply, to a file", "ctrl+s"),
    ),
    "Program": (
        Command(program.demo, "demo", "Demo", "Start or leave the demo, which needs no server", "f2",
                slash="/demo"),
        Command(program.palette, "command-palette", "Commands", "Search all commands", "ctrl+p",
                footer="commands"),
        Command(program.show_help, "help", "Help", "Show the keys", "f1", Scope.APP, "help", "/help,/?"),
        Command(program.theme, "theme", "Theme", "Choose a colour theme", slash="/theme",
                argument=Argument("theme", lambda it: sorted(it.app.available_themes))),
        Command(program.lend_mouse, "lend-mouse", "Lend the mouse",
                "Leave the mouse to the terminal to select text with it, or take it back", "f9", slash="/mouse"),
        Command(lambda it: it.redraw(), "redraw", "Redraw", "Redraw the screen", "", Scope.APP),
        Command(program.quit, "quit", "Quit", "Save everything and quit", "ctrl+q", Scope.APP,
                slash="/bye,/exit,/quit"),
    ),
    "While something is selected": (
        Command(lambda it: it.select(-1), "selected-up", "Select above", "Select above", "up", Scope.LOG),
        Command(lambda it: it.select(1), "selected-down", "Select below", "Select below", "down", Scope.LOG),
        Command(read.to_top, "selected-top", "Go to the start", "Go to the start of the chat", "home", Scope.LOG),
        Command(lambda it: it.transcript.follow(), "selected-end", "Go to the end", "Go to the end of the chat",
                "end", Scope.LOG),
        Command(read.copy, "selected-copy", "Copy", "Copy it", "c", Scope.LOG),
        Command(lambda it: it.edit.begin(it.transcript.steps.message), "edit", "Edit",
                "Edit the prompt; the earlier version is kept", "e", Scope.LOG),
        Command(write.again, "selected-again", "Again", "Continue, retry or regenerate the reply", "r", Scope.LOG),
        Command(lambda it: it.edit.turn(-1), "version-before", "Previous version", "Show the previous version",
                "left", Scope.LOG),
        Command(lambda it: it.edit.turn(1), "version-after", "Next version", "Show the next version", "right",
                Scope.LOG),
        Command(read.show_link, "show-link", "Show link", "Show the address of the link", "enter", Scope.LOG),
    ),
    "In dialogs and lists": dialogs.COMMANDS,
}  # fmt: skip
"""As the help groups them."""
COMMANDS: Final = tuple(command for group in GROUPS.values() for command in group)


BY_SLASH: Final[Mapping[str, Command]] = {name: command for command in COMMANDS for name in command.slashes}
"""Commands by their slash names (`/new`)."""
