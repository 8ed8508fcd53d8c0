"""The settings of a server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote

RELAY_SERVICE: Final = "tui-chat-relay"
"""What the relay calls itself, in `/health` and as the owner of its models."""
_KEYED: Final = ("auth", "key", "token", "secret", "cookie")
"""Words in the names of headers that carry a secret."""


class Kind(StrEnum):
    """The dialect that a server speaks. AUTO asks it."""

    AUTO = "auto"
    OLLAMA = "ollama"
    OPENAI = "openai"
    RELAY = "relay"


class Flavour(StrEnum):
    """The program behind a dialect. The value is its name on screen."""

    UNKNOWN = ""
    OLLAMA = "Ollama"
    LLAMACPP = "llama.cpp"
    VLLM = "vLLM"
    SGLANG = "SGLang"
    LMSTUDIO = "LM Studio"
    OPENWEBUI = "Open WebUI"
    OPENAI = "OpenAI"
    RELAY = "tui-chat relay"
    DEMO = "script"


class Secret:
    """A key that hides itself: `str()`, `repr()` and formatting give dots, `reveal()` the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def carries_key(header: str) -> bool:
    """Whether a header of this name carries a secret: `Authorization`, `api-key`, `Cookie` and their like."""
    return any(word in header.lower() for word in _KEYED)


@dataclass(frozen=True, slots=True)
class Server:
    """An address with its settings."""

    url: str
    """Base URL without a trailing slash, path prefix included, `/v1` and `/api` stripped."""
    name: str = ""
    kind: Kind = Kind.AUTO
    key: Secret | None = None
    headers: tuple[tuple[str, str], ...] = ()
    verify: bool | str = True
    """False trusts any certificate; a string is the path of a CA file."""
    uds: str = ""
    """Path of a unix socket to connect to instead of the URL's host."""
    proxy: str = ""
    """Proxy URL. Empty takes the environment's, which never applies to loopback addresses."""
    named: bool = True
    """Whether the user named it. A server that was found gets no keys."""
    flavour: Flavour = Flavour.UNKNOWN

    def __repr__(self) -> str:
        """Without its secrets: URLs may hold passwords."""
        return f"Server({self.address!r}, {self.name!r}, {self.kind.value!r}, {self.flavour.value!r})"

    @property
    def label(self) -> str:
        """Its name on screen: its own, else host and port without user and password."""
        return self.name or self.url.split("://", 1)[-1].rpartition("@")[2]

    @property
    def address(self) -> str:
        """Its URL without user and password, or `http+unix:` and the path of its socket."""
        if self.uds:
            return f"http+unix:{quote(self.uds)}"
        scheme, _, rest = self.url.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


DEMO: Final = Server("demo://", name="demo", flavour=Flavour.DEMO)
"""The built-in script (`servers.dialects.demo`)."""
