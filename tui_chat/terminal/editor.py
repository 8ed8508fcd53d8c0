"""Writing a prompt in the user's editor."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tui_chat.errors import ConfigError

_USUAL: Final = ("nano", "vim", "vi")
_HINT: Final = "Set VISUAL or EDITOR to another editor."


def editor_of(environ: Mapping[str, str]) -> Sequence[str]:
    """The command of the user's editor: `VISUAL`, else `EDITOR`, else a usual one.

    Raises:
        ConfigError: there is no editor, or the variable is not a command.
    """
    named = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        command = shlex.split(named) or [name for name in _USUAL if shutil.which(name)][:1]
    except ValueError:
        raise ConfigError(f"The editor command {named!r} has an unclosed quote", _HINT) from None
    if not command:
        raise ConfigError("No editor found", "Set VISUAL or EDITOR to one.")
    return command


async def edited(text: str, command: Sequence[str]) -> str:
    """`text` after the user has changed it in the editor, which uses the terminal meanwhile.

    The file is private to the user. It stays if this is cancelled before the editor ends.

    Raises:
        ConfigError: the editor cannot be started, or its file cannot be read.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="tui-chat-"))
        file = folder / "prompt.md"
        file.write_text(f"{text}\n", encoding="utf-8")
        process = await asyncio.create_subprocess_exec(*command, str(file))
        await process.wait()
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The editor {command[0]} failed: {error.strerror}", _HINT) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The editor {command[0]} saved a file that is not UTF-8 text: {file}", _HINT) from error
    shutil.rmtree(folder, ignore_errors=True)
    return text
