"""Reads keys from the output of a command, for example a password manager."""

from __future__ import annotations

import os
from collections.abc import Mapping
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import Final

from tui_chat.errors import ConfigError

SECONDS: Final = 20
"""How long a command may take; it may ask for a password in a window."""


def printed_key(where: str, command: str, environ: Mapping[str, str]) -> str:
    """The first line that a shell command prints. Processes that it leaves running are not waited for.

    Raises:
        ConfigError: it fails, takes too long, or prints nothing; `where` names the server in the error.
    """
    hint = f"Run it by hand: {command}"
    try:
        with Popen(command, shell=True, stdout=PIPE, stderr=DEVNULL, env=dict(environ)) as process:
            try:
                code = process.wait(SECONDS)
            except TimeoutExpired:
                process.kill()
                raise ConfigError(f"{where}: key_command did not end within {SECONDS} seconds", hint) from None
            assert process.stdout is not None
            os.set_blocking(process.stdout.fileno(), False)  # an agent that it started may keep it open
            key = first_line((process.stdout.read() or b"").decode())
    except (OSError, UnicodeDecodeError):
        code, key = 1, ""
    if code:
        raise ConfigError(f"{where}: key_command failed", hint)
    if not key:
        raise ConfigError(f"{where}: key_command printed nothing", hint)
    return key


def first_line(text: str) -> str:
    """The first line that is not blank, without the spaces around it."""
    return text.strip().partition("\n")[0].strip()
