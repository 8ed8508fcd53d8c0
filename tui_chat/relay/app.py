"""The relay's routes: each reads its request, starts or finds a stream, and answers with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tui_chat import __version__
from tui_chat.errors import ConfigError, ReplyError
from tui_chat.relay.access_log import logged
from tui_chat.relay.answers import StreamAnswer
from tui_chat.relay.authentication import OWNER, Authentication, cross_origin
from tui_chat.relay.dialects import Dialect, OllamaStream, OpenAIStream, Whole
from tui_chat.relay.problems import Problem, problem_of, refused
from tui_chat.relay.requests import Ask, ask_of
from tui_chat.relay.settings import Settings
from tui_chat.relay.streams import Stream, Streams
from tui_chat.relay.tokens import TokenFile
from tui_chat.server import RELAY_SERVICE
from tui_chat.servers.backend import Backend
from tui_chat.servers.connection import with_loaded
from tui_chat.servers.dialects.relay import model_entry


class Relay:
    """One backend for many clients. `demand`: require a token even while none exists."""

    def __init__(self, backend: Backend, settings: Settings, tokens: TokenFile, *, demand: bool = False) -> None:
        self.streams = Streams(backend, settings)
        self.backend = backend
        self._tokens = tokens
        self.settings = settings
        guarded = Authentication(self._routes(), settings, tokens, demand=demand)
        self.app: ASGIApp = logged(cross_origin(guarded, settings.origins))
        """The ASGI application."""

    def _routes(self) -> Starlette:
        routes = [
            Route("/health", self._health),
            Route("/api/chat", self._reply, methods=["POST"]),
            Route("/api/streams/{key}", self._resume, methods=["GET"]),
            Route("/api/streams/{key}", self._stop, methods=["DELETE"]),
            Route("/v1/chat/completions", self._reply, methods=["POST"]),
            Route("/v1/models", self._models),
            Route("/v1/models/{name:path}", self._model),
        ]
        refusals = dict.fromkeys((Problem, ReplyError, HTTPException), _refuse)
        app = Starlette(routes=routes, exception_handlers=refusals)
        app.router.redirect_slashes = False
        return app

    async def watch_tokens(self) -> None:
        """End replies whose token was removed from the file or replaced."""
        before: Mapping[str, bytes] = {}
        while True:
            with suppress(ConfigError):  # `Authentication` reports it
                now = self._tokens.digests
                self.streams.revoke({name for name, digest in now.items() if before.get(name, digest) == digest})
                before = now
            await asyncio.sleep(self.settings.revocation)

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"service": RELAY_SERVICE, "status": "ok", "version": __version__})

    async def _models(self, _: Request) -> Response:
        models, loaded = await asyncio.gather(self.backend.models(), self.backend.loaded())
        entries = [model_entry(model) for model in with_loaded(models, loaded)]
        return JSONResponse({"object": "list", "data": entries})

    async def _model(self, request: Request) -> Response:
        return JSONResponse(model_entry(await self.backend.describe(request.path_params["name"])))

    async def _reply(self, request: Request) -> ASGIApp:
        owner = request.scope[OWNER]
        with ExitStack() as held:
            held.enter_context(self.streams.place(owner))
            ask = await self._ask(request)
            dialect = _dialect(request, ask)
            resumable = dialect.media == Dialect.media and request.headers.get("x-resume") == "1"
            stream = Stream(owner, dialect, ask.request, self.settings, resumable=resumable)
            self.streams.start(stream, held.pop_all().close)
        return StreamAnswer(self.streams, stream)

    async def _resume(self, request: Request) -> ASGIApp:
        stream = self.streams.find(request.path_params["key"], request.scope[OWNER])
        after = request.headers.get("last-event-id", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise refused("Last-Event-ID must be a number.")
        return StreamAnswer(self.streams, stream, int(after))

    async def _stop(self, request: Request) -> Response:
        await self.streams.drop(self.streams.find(request.path_params["key"], request.scope[OWNER]))
        return Response(status_code=204)

    async def _body(self, request: Request) -> bytes:
        limit = self.settings.body_bytes
        body = bytearray()
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise Problem(413, "too_long", f"The request is larger than {limit} bytes.")
        except TimeoutError:
            raise Problem(408, "cut", "The request took too long to arrive.") from None
        except ClientDisconnect:
            raise Problem(400, "cut", "The client disconnected before its request was complete.") from None
        return bytes(body)

    async def _ask(self, request: Request) -> Ask:
        """Read a request; one without a model gets the configured one, else one in memory, else the newest."""
        ask = ask_of(await self._body(request), self.settings.context)
        if ask.request.model:
            return ask
        model = self.settings.model
        if not model:
            models = await self.backend.loaded() or await self.backend.models()
            if not models:
                raise Problem(404, "no_such_model", "The server has no models.", "Install one there.")
            model = models[0].name
        return replace(ask, request=replace(ask.request, model=model))


def _dialect(request: Request, ask: Ask) -> Dialect:
    """The format in which a client wants its answer."""
    if request.url.path.startswith("/v1"):
        openai = OpenAIStream(ask.request.model, usage=ask.usage)
        return openai if ask.stream else Whole(openai.whole)
    accepted = {kind.partition(";")[0].strip().lower() for kind in request.headers.get("accept", "").split(",")}
    if not accepted <= {"application/json", "application/x-ndjson"}:  # only Ollama's clients want nothing else
        return Dialect()
    ollama = OllamaStream(ask.request.model)
    return Whole(ollama.whole) if ask.stream is False else ollama


async def _refuse(_: Request, error: Exception) -> Response:
    match error:
        case Problem():
            return error.response
        case ReplyError():
            return problem_of(error).response
        case HTTPException(status_code=status, headers=headers):
            response = Problem(status, "refused", "The relay does not offer that.").response
            response.headers.update(headers or {})
            return response
    raise error
