"""Finding out what a server is, by asking it.

Bodies are believed, statuses hardly: LM Studio answers 200 to everything, Open WebUI gives its web page for any
path, builds of llama.cpp from 2025-05 to 2026-04 have some of Ollama's paths, and Ollama has `/v1`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
from tui_chat.servers.client import ANSWER_BYTES, SMALL_BYTES, UNASKED_BYTES, Answer, Client
from tui_chat.servers.faults import fault_in
from tui_chat.servers.fields import objects_of, text_of
from tui_chat.servers.route import shown_url
from tui_chat.text.sanitize import clean_line

PROBE_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 0.75
"""Whoever listens on loopback answers within milliseconds. Two questions fit into a look around of 1.5 s."""
PORTS: Final = (11434, 8080, 9931, 8000, 1234, 30000)
"""Where Ollama, llama.cpp (9931 from #26508 on), vLLM, LM Studio and SGLang listen if nobody told them where."""

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
"""`owned_by` of a model, and whose habit it is to say so."""
_WANTS_TLS: Final = re.compile(r"\bhttps (server|port)\b", re.I)
"""What servers in Go, and nginx, say to plain HTTP on a port of HTTPS."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One address that was tried."""

    server: Server
    """What was found there, kind and flavour included, if there is no error."""
    error: ReplyError | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a look around this machine gave, in the order of the ports."""

    tried: tuple[Attempt, ...]

    @property
    def found(self) -> tuple[Server, ...]:
        """The servers that can be talked to."""
        return tuple(attempt.server for attempt in self.tried if attempt.error is None)


async def discover(ports: Sequence[int] = PORTS, within: float = LOOK_SECONDS) -> Discovery:
    """Look for servers on loopback at `ports`, all at once; each question may take `within` seconds."""

    async def look(port: int) -> Attempt:
        server = Server(f"http://127.0.0.1:{port}", named=False)
        try:
            return Attempt(await detect(server, within))
        except ReplyError as error:
            return Attempt(server, error)

    return Discovery(tuple(await asyncio.gather(*map(look, ports))))


async def detect(server: Server, within: float = PROBE_SECONDS) -> Server:
    """`server` with its URL cut down to the base, and the kind and the flavour that its answers show.

    A server that the user did not name is asked without keys and headers, and gets none later. Each question
    may take `within` seconds, and up to four are asked.

    Raises:
        ConfigError: the URL is none.
        Unreachable: nothing answers.
        ReplyError: what answers is too slow, or no server for language models; or it wants a key and got none.
    """
    client = Client(replace(server, url=base_url(server.url), kind=Kind.AUTO))
    try:
        return await identify(client, within)
    finally:
        await client.aclose()


async def identify(client: Client, within: float = PROBE_SECONDS) -> Server:
    """The server of `client` as `detect` does; a kind that is known already counts whatever the server says.

    The list of models that was asked for on the way stands for the first question about them.
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
    """What answers at the client's address. An Ollama with models needs one question, which it is asked again."""
    server = client.server
    most = ANSWER_BYTES if server.named else UNASKED_BYTES
    tags = await _ask(client, "/api/tags", within, most)
    if isinstance(tags, Unreachable):
        raise tags
    listed = _body(tags)
    if any(_DIGEST.fullmatch(text_of(model, "digest")) for model in objects_of(listed, "models")):
        return _found(client, Kind.OLLAMA, Flavour.OLLAMA, "/api/tags", tags)
    models, version = await asyncio.gather(
        _ask(client, "/v1/models", within, most), _ask(client, "/api/version", within)
    )
    about = _body(version)
    is_ollama = text_of(about, "version") and "deployment_id" not in about
    if is_ollama and isinstance(listed.get("models", ()), list | None):
        return _found(client, Kind.OLLAMA, Flavour.OLLAMA, "/api/tags", tags)
    if _silent(models, named=server.named):
        health = _body(await _ask(client, "/health", within))
        if health.get("service") == RELAY_SERVICE:
            return _found(client, Kind.RELAY, Flavour.RELAY, "/v1/models", models)
    flavour = _flavour(models, version, client)
    if flavour is None:
        return replace(server, kind=Kind.OLLAMA, flavour=Flavour.OLLAMA)
    kind = Kind.RELAY if flavour is Flavour.RELAY else Kind.OPENAI
    return _found(client, kind, flavour, "/v1/models", models)


def _found(client: Client, kind: Kind, flavour: Flavour, path: str, answer: Answer | ReplyError) -> Server:
    if isinstance(answer, Answer) and answer.ok:
        client.keep(path, answer)
    return replace(client.server, kind=kind, flavour=flavour)


async def _ask(client: Client, path: str, within: float, most: int = SMALL_BYTES) -> Answer | ReplyError:
    try:
        return await client.fetch(path, within=within, most=most)
    except ReplyError as error:
        return error


def _silent(models: Answer | ReplyError, *, named: bool) -> bool:
    """Whether `/v1/models` gives nothing away: the list is empty, or wants a key that it is worth asking for."""
    if isinstance(models, ReplyError):
        return False
    return named if models.status == 401 else models.ok and _body(models).get("data") == []


def _flavour(models: Answer | ReplyError, version: Answer | ReplyError, client: Client) -> Flavour | None:
    """The flavour of a server that is not proven to be an Ollama; None if it can be nothing else.

    Raises:
        ReplyError: it is no server for language models.
    """
    about, listed, server = _body(version), _body(models), client.server
    if "deployment_id" in about:
        return Flavour.OPENWEBUI
    if any(_is_lmstudio(body) for body in (about, listed)):
        return Flavour.LMSTUDIO
    if isinstance(models, ReplyError):
        raise models
    known = flavour_in(listed)
    if isinstance(listed.get("data", ""), list | None):
        is_openai = known is not Flavour.OPENAI or "openai-version" in models.headers
        return known if is_openai else Flavour.UNKNOWN  # LiteLLM says of all its models that OpenAI owns them
    if models.status == 403 and not models.body.strip():
        return None  # Ollama's check of the Host header; its backend knows what to say of that
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
    """The error for an address where something else answers."""
    address = shown_url(server.url)
    if not answer.ok and _WANTS_TLS.search(answer.text):
        return Garbled(f"{address} wants https.", "Write https:// instead of http:// in its URL.")
    if path := urlsplit(address).path:
        return Garbled(f"No model server answers at {address}.", f"Try the URL without {path}.")
    name = clean_line(answer.headers.get("server", ""), 40)
    what = f"No model server answers at {address}{f', but {name}' if name else ''}."
    return Garbled(what, "Check its host and port.", Remedy.CHOOSE_SERVER)


def flavour_in(body: Mapping[str, object]) -> Flavour:
    """The program that a body of `/v1/models` gives away by `owned_by`."""
    known = (_OWNERS.get(text_of(entry, "owned_by")) for entry in objects_of(body, "data"))
    return next(filter(None, known), Flavour.UNKNOWN)


def _is_lmstudio(body: Mapping[str, object]) -> bool:
    return text_of(body, "error").startswith("Unexpected endpoint or method")


def _body(answer: Answer | ReplyError) -> Mapping[str, object]:
    """The JSON object of an answer, empty where there is none."""
    if isinstance(answer, ReplyError):
        return {}
    with suppress(Garbled):
        body = answer.json()
        return body if isinstance(body, dict) else {}
    return {}
