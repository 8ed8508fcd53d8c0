"""Finds out what a server is by asking it.

Bodies are trusted, statuses hardly: LM Studio answers 200 to everything, Open WebUI gives its web page for any
path, builds of llama.cpp from 2025-05 to 2026-04 have some of Ollama's paths, and Ollama has `/v1`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from tui_chat.errors import (
    Busy,
    Garbled,
    Refused,
    Remedy,
    ReplyError,
    ServerFault,
    Unauthorized,
    Unreachable,
)
from tui_chat.server import RELAY_SERVICE, Flavour, Kind, Server
from tui_chat.servers.address import base_url
from tui_chat.servers.client import ANSWER_BYTES, SMALL_BYTES, UNASKED_BYTES, Answer, Call, Client
from tui_chat.servers.faults import fault_in
from tui_chat.servers.route import shown_url
from tui_chat.text.sanitize import clean_line
from tui_chat.untrusted import objects_of, text_of

PROBE_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 0.75
"""Loopback answers within milliseconds. Two requests fit into a search of 1.5 s."""
PORTS: Final = (11434, 8080, 9931, 8000, 1234, 30000)
"""Default ports of Ollama, llama.cpp (9931 since #26508), vLLM, LM Studio and SGLang."""

_DIGEST: Final = re.compile("[0-9a-f]{64}")
_OWNERS: Final = {
    "llamacpp": Flavour.LLAMACPP,
    "vllm": Flavour.VLLM,
    "sglang": Flavour.SGLANG,
    "organization_owner": Flavour.LMSTUDIO,
    "openai": Flavour.OPENAI,
    "openai-internal": Flavour.OPENAI,
    "system": Flavour.OPENAI,
    RELAY_SERVICE: Flavour.RELAY,
}
"""`owned_by` of a model, and the server that says so."""
_WANTS_TLS: Final = re.compile(r"\bhttps (server|port)\b", re.I)
"""The answer of Go servers and nginx to plain HTTP on a port of HTTPS."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of trying an address."""

    server: Server
    """With kind and flavour, if there is no error."""
    error: ReplyError | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """The result of a search of this machine, in the order of the ports."""

    tried: tuple[Attempt, ...]

    @property
    def found(self) -> tuple[Server, ...]:
        """The servers that can be used."""
        return tuple(attempt.server for attempt in self.tried if attempt.error is None)


async def discover(ports: Sequence[int] = PORTS, within: float = LOOK_SECONDS) -> Discovery:
    """Search loopback for servers at `ports`, all at once; each request may take `within` seconds."""

    async def look(port: int) -> Attempt:
        server = Server(f"http://127.0.0.1:{port}", named=False)
        try:
            return Attempt(await detect(server, within))
        except ReplyError as error:
            return Attempt(server, error)

    return Discovery(tuple(await asyncio.gather(*map(look, ports))))


async def detect(server: Server, within: float = PROBE_SECONDS) -> Server:
    """`server` with the base of its URL, and the kind and flavour that its answers show.

    A server that the user did not name gets no keys and headers. Up to four requests are sent, each of which may
    take `within` seconds.

    Raises:
        ConfigError: the URL is invalid.
        Unreachable: nothing answers.
        ReplyError: it is too slow, not a model server, or needs a key.
    """
    client = Client(replace(server, url=base_url(server.url), kind=Kind.AUTO))
    try:
        return await identify(client, within)
    finally:
        await client.aclose()


async def identify(client: Client, within: float = PROBE_SECONDS) -> Server:
    """Like `detect`, for the server of `client`; a kind that is set already is kept.

    The client keeps the list of models for the first request for it.
    """
    server = client.server
    if server.kind in (Kind.OLLAMA, Kind.RELAY):
        return replace(server, flavour=Flavour.OLLAMA if server.kind is Kind.OLLAMA else Flavour.RELAY)
    if server.kind is Kind.OPENAI and server.flavour is not Flavour.UNKNOWN:
        return server
    try:
        found = await _identified(client, within)
    except (Garbled, Refused):
        if server.kind is Kind.AUTO:
            raise
        return server
    return found if server.kind is Kind.AUTO else replace(found, kind=server.kind)


async def _identified(client: Client, within: float) -> Server:
    server = client.server
    if not server.named:
        server = client.server = replace(server, key=None, headers=())
    if server.url.endswith("/api"):  # part of the base at OpenRouter, but not at Ollama, LM Studio and Open WebUI
        client.server = replace(server, url=server.url.removesuffix("/api"))
        try:
            return await _look(client, within)
        except (Garbled, Refused, ServerFault):
            client.server = server
    return await _look(client, within)


async def _look(client: Client, within: float) -> Server:
    """Identify the server at the client's URL. An Ollama with models takes one request."""
    server = client.server
    most = ANSWER_BYTES if server.named else UNASKED_BYTES
    tags = await _ask(client, "/api/tags", within, most)
    if isinstance(tags, Unreachable):
        raise tags
    listed = _body(tags)
    if any(_DIGEST.fullmatch(text_of(model, "digest")) for model in objects_of(listed, "models")):
        return _found(client, Flavour.OLLAMA, tags)
    models, version = await asyncio.gather(
        _ask(client, "/v1/models", within, most), _ask(client, "/api/version", within)
    )
    about = _body(version)
    is_ollama = text_of(about, "version") and "deployment_id" not in about
    if is_ollama and isinstance(listed.get("models", ()), list | None):
        return _found(client, Flavour.OLLAMA, tags)
    wants_key = isinstance(models, Answer) and models.status == 401 and server.named
    if wants_key or _body(models).get("data") == []:  # what it serves is not told
        health = _body(await _ask(client, "/health", within))
        if health.get("service") == RELAY_SERVICE:
            return _found(client, Flavour.RELAY, models)
    return _found(client, _flavour(models, version, client), models)


def _found(client: Client, flavour: Flavour, models: Answer | ReplyError) -> Server:
    """The server as one of this flavour, and its list of models kept."""
    kind = {Flavour.OLLAMA: Kind.OLLAMA, Flavour.RELAY: Kind.RELAY}.get(flavour, Kind.OPENAI)
    if isinstance(models, Answer) and models.ok:
        client.keep("/api/tags" if kind is Kind.OLLAMA else "/v1/models", models)
    return replace(client.server, kind=kind, flavour=flavour)


async def _ask(client: Client, path: str, within: float, most: int = SMALL_BYTES) -> Answer | ReplyError:
    try:
        return await client.fetch(Call(path), within=within, most=most)
    except ReplyError as error:
        return error


def _flavour(models: Answer | ReplyError, version: Answer | ReplyError, client: Client) -> Flavour:
    """The flavour of a server that did not prove to be an Ollama.

    Raises:
        ReplyError: it is not a model server.
    """
    about, listed, server = _body(version), _body(models), client.server
    if "deployment_id" in about:
        return Flavour.OPENWEBUI
    if any(text_of(body, "error").startswith("Unexpected endpoint") for body in (about, listed)):
        return Flavour.LMSTUDIO
    if isinstance(models, ReplyError):
        raise models
    known = flavour_in(listed)
    if isinstance(listed.get("data", ""), list | None):
        is_openai = known is not Flavour.OPENAI or "openai-version" in models.headers
        return known if is_openai else Flavour.UNKNOWN  # LiteLLM says of all its models that OpenAI owns them
    if models.status == 403 and not models.body.strip():
        return Flavour.OLLAMA  # its check of the Host header; its backend knows what to say of that
    speaks = fault_in(listed) is not None
    if speaks and models.headers.get("server") == "llama.cpp" and models.status != 404:
        return Flavour.LLAMACPP
    error = client.error(models)
    if isinstance(error, Unauthorized) and speaks and server.named:
        return Flavour.UNKNOWN
    if not models.ok and isinstance(error, Unauthorized | Busy | ServerFault):
        raise error
    raise _no_server(models, server)


def _no_server(answer: Answer, server: Server) -> Garbled:
    """The error if something else answers."""
    address = shown_url(server.url)
    if not answer.ok and _WANTS_TLS.search(answer.text):
        return Garbled(f"{address} needs https.", "Write https:// instead of http:// in its URL.")
    if path := urlsplit(address).path:
        return Garbled(f"No model server answers at {address}.", f"Try the URL without {path}.")
    name = clean_line(answer.headers.get("server", ""), 40)
    what = f"No model server answers at {address}{f' ({name} does)' if name else ''}."
    return Garbled(what, "Check its host and port.", Remedy.CHOOSE_SERVER)


def flavour_in(body: Mapping[str, object]) -> Flavour:
    """The flavour by `owned_by` in a body of `/v1/models`."""
    known = (_OWNERS.get(text_of(entry, "owned_by")) for entry in objects_of(body, "data"))
    return next(filter(None, known), Flavour.UNKNOWN)


def _body(answer: Answer | ReplyError) -> Mapping[str, object]:
    """The JSON object of an answer, else an empty one."""
    return {} if isinstance(answer, ReplyError) else answer.told
