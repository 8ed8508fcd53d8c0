"""The file of bearer tokens: a name and a hash per line, readable by its owner only.

A token is 256 random bits, so a plain SHA-256 is enough: nobody can guess a token from its hash.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tui_chat.errors import ConfigError
from tui_chat.files import alone, replace_text

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,39}")
_LINE: Final = re.compile(rf"({_NAME.pattern}) sha256:([0-9a-f]{{64}})")
_PREFIX: Final = "relay-"
"""Makes a leaked token recognisable."""


class TokenFile:
    """The tokens in one file, which is read each time: it is small, and others may change it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def digests(self) -> Mapping[str, bytes]:
        """The SHA-256 of each token by name, in the order of the file.

        Raises:
            ConfigError: the file cannot be read, is readable by others, or is not a token file.
        """
        try:
            with self.path.open("rb") as file:
                return self._parse(file.read(), os.fstat(file.fileno()).st_mode)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError(f"Cannot read {self.path}: {error.strerror}", "Check its permissions.") from error

    def add(self, name: str) -> str:
        """Create a token for `name`. The file holds only its hash: the return value is the only copy.

        Raises:
            ConfigError: the name is taken or invalid, or the file cannot be read or written.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name[:60]!r} cannot be a token's name", "Use at most 40 letters, digits and . _ @ -"
            )
        token = _PREFIX + secrets.token_urlsafe(32)
        with alone(self.path):
            if name in (digests := self.digests):
                raise ConfigError(
                    f"There is a token named {name} already", "Remove it first: `tui-chat relay token remove`."
                )
            self._write({**digests, name: _digest(token.encode())})
        return token

    def remove(self, name: str) -> None:
        """Remove the token of `name`; a running relay notices.

        Raises:
            ConfigError: there is no such token, or the file cannot be read or written.
        """
        with alone(self.path):
            if name not in (digests := self.digests):
                raise ConfigError(
                    f"There is no token named {name[:60]!r}", "`tui-chat relay token list` prints the names."
                )
            self._write({other: digest for other, digest in digests.items() if other != name})

    def owner_of(self, token: bytes) -> str | None:
        """The name of a token, or None if it is unknown. Its running time does not depend on the tokens' content.

        Raises:
            ConfigError: as for `digests`.
        """
        digest = _digest(token)
        found = [name for name, known in self.digests.items() if hmac.compare_digest(digest, known)]
        return found[0] if found else None

    def _parse(self, data: bytes, mode: int) -> Mapping[str, bytes]:
        if stat.S_IMODE(mode) & 0o077:
            raise ConfigError(f"{self.path} can be read or written by others", f"chmod 600 {self.path}")
        digests: dict[str, bytes] = {}
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            match = _LINE.fullmatch(line.strip())
            if match is None:
                raise ConfigError(
                    f"{self.path}: line {number} is not a token", "Delete that line, or move the file away."
                )
            digests[match[1]] = bytes.fromhex(match[2])
        return digests

    def _write(self, digests: Mapping[str, bytes]) -> None:
        replace_text(self.path, "".join(f"{name} sha256:{digest.hex()}\n" for name, digest in digests.items()))


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
