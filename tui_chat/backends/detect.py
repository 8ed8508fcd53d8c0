"""Finding out what a server is, by asking it.

Bodies are believed, statuses hardly: LM Studio answers 200 to everything, Open WebUI gives its web page for any
path, builds of llama.cpp from 2025-05 to 2026-04 have some of Ollama's paths, and Ollama has `/v1`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from tui_chat.backends.base import Backend
from tui_chat.backends.http import ANSWER_BYTES, SMALL_BYTES, UNASKED_BYTES, Answer, Http
from tui_chat.backends.ollama import OllamaBackend
from tui_chat.backends.redaction import redact
from tui_chat.backends.route import secrets_of, shown_url
from tui_chat.errors import Busy, Garbled, Refused, ReplyError, ServerFault, Unauthorized
from tui_chat.events import Event
from tui_chat.messages import ChatRequest, Model
from tui_chat.protocol.fields import text_of
from tui_chat.protocol.openai_errors import error_of, fault_in
from tui_chat.protocol.openai_models import flavour_in, is_model_list
from tui_chat.protocol.server_url import base_url
from tui_chat.server import DEMO, Flavour, Kind, Server
from tui_chat.text.sanitize import clean_line

PROBE_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 0.75
"""Whoever listens on loopback answers within milliseconds. Two questions fit into a look around of 1.5 s."""
LOADED_SECONDS: Final = 1.0
PORTS: Final = (11434, 8080, 9931, 8000, 1234, 30000)
"""Where Ollama, llama.cpp (9931 from #26508 on), vLLM, LM Studio and SGLang listen if nobody told them where."""

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
    may take `within` seconds, and two or three are asked.

    Raises:
        ConfigError: the URL is none.
        Unreachable: nothing answers.
        ReplyError: what answers is too slow, or no server for language models; or it wants a key and got none.
    """
    if not server.named:
        server = replace(server, key=None, headers=())
    url = base_url(server.url)
    if url.endswith("/api"):  # part of the base at OpenRouter, but not at Ollama, LM Studio and Open WebUI
        with suppress(Garbled, Refused, ServerFault):
            return await _detect_at(replace(server, url=url.removesuffix("/api")), within)
    return await _detect_at(replace(server, url=url), within)


def connect(server: Server) -> Backend:
    """A backend for `server`, of the class that its kind needs. It asks the server when it is first used.

    Raises:
        ConfigError: the URL is none.
    """
    if server == DEMO:
        from tui_chat.backends.demo import DemoBackend  # late: most never see it

        return DemoBackend()
    url = base_url(server.url)
    base = url.removesuffix("/api") if server.kind is Kind.OLLAMA else url
    return LazyBackend(replace(server, url=base))


class LazyBackend:
    """A backend that finds out on first use what its server is, and again when that turns out wrong.

    Its errors show none of the server's secrets.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asking = asyncio.Lock()
        self._chosen: Backend | None = None

    @property
    def server(self) -> Server:
        """The server; with its kind and flavour once it was asked."""
        return self._chosen.server if self._chosen else self._server

    async def models(self) -> Sequence[Model]:
        """See `Backend.models`."""
        with self._guard():
            return await (await self._backend()).models()

    async def loaded(self) -> Sequence[Model]:
        """See `Backend.loaded`."""
        try:
            async with asyncio.timeout(LOADED_SECONDS):
                return await (await self._backend()).loaded()
        except (ReplyError, TimeoutError):
            return ()

    async def describe(self, model: str) -> Model:
        """See `Backend.describe`."""
        with self._guard():
            return await (await self._backend()).describe(model)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Backend.reply`."""
        with self._guard():
            async with aclosing((await self._backend()).reply(request)) as events:
                async for event in events:
                    yield event

    async def aclose(self) -> None:
        """Close all connections."""
        if self._chosen:
            await self._chosen.aclose()

    async def _backend(self) -> Backend:
        async with self._asking:
            if self._chosen is None:
                self._chosen = await _choose(self._server)
            return self._chosen

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """After an answer that does not fit the dialect, another server may be there now: ask again next time."""
        try:
            yield
        except ReplyError as error:
            if isinstance(error, Garbled) or (type(error) is Refused and error.status == 404):
                self._chosen = None
            redact(error, secrets_of(self._server))
            raise


async def _choose(server: Server) -> Backend:
    match server.kind:
        case Kind.AUTO:
            server = await detect(server)
        case Kind.OPENAI if server.flavour is Flavour.UNKNOWN:
            server = await _as_openai(server)
    if server.kind is Kind.OLLAMA:
        return OllamaBackend(server)
    if server.flavour is Flavour.RELAY:
        from tui_chat.backends.relay import RelayBackend  # late, as below: a start with Ollama needs neither

        return RelayBackend(server)
    from tui_chat.backends.openai import OpenAIBackend

    return OpenAIBackend(server)


async def _as_openai(server: Server) -> Server:
    """The server with its flavour, as far as its answers show; the kind that the user has set counts anyway."""
    try:
        return replace(await detect(server), kind=Kind.OPENAI)
    except (Garbled, Refused):
        return server


async def _detect_at(server: Server, within: float) -> Server:
    http = Http(server)
    try:
        most = ANSWER_BYTES if server.named else UNASKED_BYTES
        models, version = await asyncio.gather(
            _ask(http, "/v1/models", within, most), _ask(http, "/api/version", within)
        )
        about = _body(version)
        if text_of(about, "version") and "deployment_id" not in about:
            tags = _body(await _ask(http, "/api/tags", within, most))
            if isinstance(tags.get("models", ()), list | None):
                return replace(server, kind=Kind.OLLAMA, flavour=Flavour.OLLAMA)
        if _silent(models, named=server.named) and _is_relay(_body(await _ask(http, "/health", within))):
            return replace(server, kind=Kind.OPENAI, flavour=Flavour.RELAY)
    finally:
        await http.aclose()
    flavour = _flavour(models, version, server)
    if flavour is None:
        return replace(server, kind=Kind.OLLAMA, flavour=Flavour.OLLAMA)
    return replace(server, kind=Kind.OPENAI, flavour=flavour)


async def _ask(http: Http, path: str, within: float, most: int = SMALL_BYTES) -> Answer | ReplyError:
    try:
        return await http.get_json(path, within=within, most=most)
    except ReplyError as error:
        return error


def _silent(models: Answer | ReplyError, *, named: bool) -> bool:
    """Whether `/v1/models` gives nothing away: the list is empty, or wants a key that it is worth asking for."""
    if isinstance(models, ReplyError):
        return False
    return named if models.status == 401 else models.ok and _body(models).get("data") == []


def _flavour(models: Answer | ReplyError, version: Answer | ReplyError, server: Server) -> Flavour | None:
    """The flavour of a server that is not proven to be an Ollama; None if it can be nothing else.

    Raises:
        ReplyError: it is no server for language models.
    """
    about, listed = _body(version), _body(models)
    if "deployment_id" in about:
        return Flavour.OPENWEBUI
    if any(_is_lmstudio(body) for body in (about, listed)):
        return Flavour.LMSTUDIO
    if isinstance(models, ReplyError):
        raise models
    known = flavour_in(listed)
    if is_model_list(listed):
        is_openai = known is not Flavour.OPENAI or "openai-version" in models.headers
        return known if is_openai else Flavour.UNKNOWN  # LiteLLM says of all its models that OpenAI owns them
    if models.status == 403 and not models.body.strip():
        return None  # Ollama's check of the Host header; its backend knows what to say of that
    speaks = fault_in(listed) is not None
    if speaks and models.headers.get("server") == "llama.cpp" and models.status != 404:
        return Flavour.LLAMACPP
    error = error_of(models.status, models.text)
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
    return Garbled(what, "Check its host and port. F3 chooses another server.")


def _is_relay(about: Mapping[str, object]) -> bool:
    from tui_chat.backends.relay import is_relay

    return is_relay(about)


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
