"""The relay's routes: each reads its request, starts or finds a stream, and answers with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tui_chat import __version__
from tui_chat.errors import ConfigError, ReplyError
from tui_chat.messages import ChatRequest, new_id
from tui_chat.relay.access_log import AccessLog
from tui_chat.relay.answers import StreamAnswer
from tui_chat.relay.authentication import OWNER, Authentication, cross_origin, refuse
from tui_chat.relay.dialects import Completion, Dialect, OllamaStream, OpenAIStream, Whole, ollama_object
from tui_chat.relay.problems import Problem, bad_request, problem_of
from tui_chat.relay.requests import Ask, ask_of
from tui_chat.relay.settings import Settings
from tui_chat.relay.streams import Slots, Stream, Streams
from tui_chat.relay.tokens import TokenFile
from tui_chat.server import RELAY_SERVICE
from tui_chat.servers.backend import Backend
from tui_chat.servers.connection import with_loaded
from tui_chat.servers.dialects.relay import model_entry
from tui_chat.tasks import start_task


class Relay:
    """One backend for many clients. `demand`: require a token even while none exists."""

    def __init__(self, backend: Backend, settings: Settings, tokens: TokenFile, *, demand: bool = False) -> None:
        self.streams = Streams(backend, settings)
        self.slots = Slots(settings.streams_per_token, settings.streams)
        self._backend = backend
        self._tokens = tokens
        self.settings = settings
        self.upstream = backend.server.label
        """The label of the upstream server."""
        guarded = Authentication(self._routes(), settings, tokens, demand=demand)
        self.app: ASGIApp = AccessLog(cross_origin(guarded, settings.origins))
        """The ASGI application."""

    async def aclose(self) -> None:
        """End all streams and the connections to the upstream server."""
        await self.streams.aclose()
        await self._backend.aclose()

    def _routes(self) -> Starlette:
        routes = [
            Route("/health", self._health),
            Route("/api/chat", self._chat, methods=["POST"]),
            Route("/api/streams/{key}", self._resume, methods=["GET"]),
            Route("/api/streams/{key}", self._stop, methods=["DELETE"]),
            Route("/v1/chat/completions", self._completions, methods=["POST"]),
            Route("/v1/models", self._models),
            Route("/v1/models/{name:path}", self._model),
        ]
        app = Starlette(
            routes=routes,
            exception_handlers={Problem: _refuse, ReplyError: _refuse, HTTPException: _refuse},
            lifespan=self._lifespan,
        )
        app.router.redirect_slashes = False
        return app

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        watching = start_task(self._watch_tokens())
        try:
            yield
        finally:
            watching.cancel()
            await self.aclose()

    async def _watch_tokens(self) -> None:
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
        models, loaded = await asyncio.gather(self._backend.models(), self._backend.loaded())
        entries = [model_entry(model) for model in with_loaded(models, loaded)]
        return JSONResponse({"object": "list", "data": entries})

    async def _model(self, request: Request) -> Response:
        return JSONResponse(model_entry(await self._backend.describe(request.path_params["name"])))

    async def _chat(self, request: Request) -> ASGIApp:
        ollama = _wants_ollama(request.headers.get("accept", ""))
        resumable = not ollama and request.headers.get("x-resume") == "1"
        with ExitStack() as held:
            held.enter_context(self.slots.take(request.scope[OWNER]))
            ask = await self._ask(request)
            dialect, model = Dialect(), ask.request.model
            if ollama:
                dialect = Whole(partial(ollama_object, model)) if ask.stream is False else OllamaStream(model)
            return self._answer(request, ask.request, dialect, held, resumable=resumable)

    async def _completions(self, request: Request) -> ASGIApp:
        with ExitStack() as held:
            held.enter_context(self.slots.take(request.scope[OWNER]))
            ask = await self._ask(request)
            completion = Completion(f"chatcmpl-{new_id()}", ask.request.model, int(time.time()))
            dialect = OpenAIStream(completion, usage=ask.usage) if ask.stream else Whole(completion.whole)
            resumable = dialect.live and request.headers.get("x-resume") == "1"
            return self._answer(request, ask.request, dialect, held, resumable=resumable)

    async def _resume(self, request: Request) -> ASGIApp:
        stream = self.streams.find(request.path_params["key"], request.scope[OWNER])
        after = request.headers.get("last-event-id", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise bad_request("Last-Event-ID must be a number.")
        return StreamAnswer(self.streams, stream, self.settings, int(after))

    async def _stop(self, request: Request) -> Response:
        await self.streams.drop(self.streams.find(request.path_params["key"], request.scope[OWNER]))
        return Response(status_code=204)

    def _answer(
        self, request: Request, wanted: ChatRequest, dialect: Dialect, held: ExitStack, *, resumable: bool
    ) -> ASGIApp:
        """Start the stream, which releases what is `held` when it ends, and answer with it."""
        stream = Stream(request.scope[OWNER], dialect, self.settings, resumable=resumable)
        self.streams.start(stream, wanted, held.pop_all().close)
        return StreamAnswer(self.streams, stream, self.settings)

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
            models = await self._backend.loaded() or await self._backend.models()
            if not models:
                raise Problem(404, "no_such_model", "The server has no models.", "Install one there.")
            model = models[0].name
        return replace(ask, request=replace(ask.request, model=model))


def _wants_ollama(accept: str) -> bool:
    """Whether `Accept` names only JSON, as Ollama's clients do; others accept an event stream or anything."""
    wanted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return wanted <= {"application/json", "application/x-ndjson"}


async def _refuse(_: Request, error: Exception) -> Response:
    match error:
        case Problem():
            return refuse(error)
        case ReplyError():
            return refuse(problem_of(error))
        case HTTPException(status_code=status, headers=headers):
            response = refuse(Problem(status, "refused", "The relay does not offer that."))
            response.headers.update(headers or {})
            return response
    raise error
