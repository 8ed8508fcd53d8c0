"""Any OpenAI-compatible server: llama.cpp, vLLM, SGLang, LM Studio, Open WebUI, OpenAI, and their likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from tui_chat.backends.http import PROMPT_BYTES, SMALL_BYTES, Answer, Http, Incoming
from tui_chat.errors import Cut, Garbled, NoSuchModel, Refused, ReplyError
from tui_chat.events import Accepted, Continued, Event
from tui_chat.messages import ChatRequest, Model
from tui_chat.protocol.fields import text_of
from tui_chat.protocol.ollama_resume import in_words, raw_body
from tui_chat.protocol.openai import ReplyDecoder, chat_body, completion_body
from tui_chat.protocol.openai_errors import error_of, retry_after
from tui_chat.protocol.openai_models import Props, lmstudio_models, models_in, props_in
from tui_chat.protocol.sse import EventDecoder
from tui_chat.server import Flavour, Server
from tui_chat.text.sanitize import clean_line

GRACE_SECONDS: Final = 5.0
"""How long a whole reply is waited on for its usage counts and `[DONE]`, which some servers never send."""
_OPENING_BYTES: Final = 4000
"""How much of an answer is kept in case that it is no reply, to say what it is."""
MODELS_SECONDS: Final = 5.0
LOADED_SECONDS: Final = 1.0
_MEASURED: Final = 16
"""How many loaded models are asked for their windows: more than any machine holds at once."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """One way to ask for a reply."""

    path: str
    body: Mapping[str, object]
    exact: bool | None = None
    """Whether it goes on exactly where the prefill ends; None without a prefill."""


class OpenAIBackend:
    """Speaks to one server through `/v1`. What goes beyond that API depends on the server's flavour."""

    def __init__(self, server: Server, http: Http | None = None) -> None:
        self._server = server
        self._flavour = server.flavour
        self._http = http or Http(server)
        self._counts_usage = True
        root = "/api" if server.flavour is Flavour.OPENWEBUI else "/v1"
        self._models_path, self._chat_path = f"{root}/models", f"{root}/chat/completions"

    @property
    def server(self) -> Server:
        """The server that it talks to."""
        return self._server

    async def models(self) -> Sequence[Model]:
        """The models on offer; see `Backend.models`."""
        if self._flavour is Flavour.LMSTUDIO and (models := lmstudio_models(await self._lmstudio(), self._name)):
            return models
        answer = await self._http.get_json(self._models_path, within=MODELS_SECONDS)
        models = models_in(_good(answer), self._name)
        if self._flavour is Flavour.LLAMACPP and len(models) == 1:
            props = await self._props(models[0].name)
            return [replace(models[0], capabilities=models[0].capabilities | props.capabilities)]
        return models

    async def loaded(self) -> Sequence[Model]:
        """The models in memory with the context window that they have there; see `Backend.loaded`."""
        try:
            async with asyncio.timeout(LOADED_SECONDS):
                return await self._loaded()
        except (ReplyError, TimeoutError):
            return ()

    async def describe(self, model: str) -> Model:
        """All that the server tells of one model; see `Backend.describe`."""
        for offered in await self.models():
            if offered.name == model:
                return offered
        raise NoSuchModel(f"{clean_line(model, 80)} is not on this server.", "Choose another model.", status=404)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream the reply; see `Backend.reply`. An extra that the server refuses is left out then."""
        ask = await self._first_ask(request)
        while True:
            async with self._http.stream(ask.path, ask.body) as incoming:
                refusal = await _refusal(incoming, request.model)
                if refusal is None:
                    self._counts_usage = "stream_options" in ask.body
                    if ask.exact is not None:
                        yield Continued(ask.exact)
                    yield Accepted()
                    async with aclosing(_events(incoming, resumed=bool(ask.exact))) as events:
                        async for event in events:
                            yield event
                    return
            ask = self._instead(ask, refusal, request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    @property
    def _name(self) -> str:
        return self._server.label

    async def _loaded(self) -> Sequence[Model]:
        match self._flavour:
            case Flavour.LMSTUDIO:
                return lmstudio_models(await self._lmstudio(), self._name, as_loaded=True)
            case Flavour.LLAMACPP:
                loaded = [model for model in await self.models() if model.loaded]
                return await asyncio.gather(*map(self._measured, loaded[:_MEASURED]))
            case Flavour.VLLM | Flavour.SGLANG:
                return await self.models()
        return ()

    async def _lmstudio(self) -> object:
        """The list of LM Studio's own API, which tells more than `/v1`; None if it has neither form of it."""
        for path in ("/api/v1/models", "/api/v0/models"):
            answer = await self._http.get_json(path, within=MODELS_SECONDS)
            with suppress(Garbled):
                body = answer.json()
                if lmstudio_models(body):
                    return body
        return None

    async def _measured(self, model: Model) -> Model:
        """A loaded model with the window of one slot, which newer builds of llama.cpp tell in the list already."""
        window = model.window or (await self._props(model.name)).context_window
        return replace(model, context_window=window or model.context_window, window=window)

    async def _props(self, model: str) -> Props:
        """What llama.cpp tells of a model. Its router needs the name, and would load the model unasked."""
        with suppress(ReplyError):
            path = f"/props?model={quote(model, safe='')}&autoload=false"
            answer = await self._http.get_json(path, within=LOADED_SECONDS, most=SMALL_BYTES)
            return props_in(answer.json()) if answer.ok else Props()
        return Props()

    async def _first_ask(self, request: ChatRequest) -> _Ask:
        if not request.prefill:
            return self._chat(request)
        if self._flavour in (Flavour.VLLM, Flavour.SGLANG):
            return self._chat(request, exact=True)
        if self._flavour is Flavour.LLAMACPP:
            return await self._llamacpp_ask(request)
        return self._in_words(request)

    async def _llamacpp_ask(self, request: ChatRequest) -> _Ask:
        """Builds of 2025-04 and newer go on from a trailing assistant message, unless they were told not to.

        The rendering of the template shows it. Otherwise the rendered prompt is continued raw.
        """
        ask = self._chat(request, exact=True)
        prompt, ask = await self._rendered(ask)
        if prompt.rstrip().endswith(request.prefill.rstrip()):
            return ask
        opening, _ = await self._rendered(self._chat(replace(request, prefill="")))
        pictures = any(message.files for message in request.messages)
        raw = raw_body(request, opening) if opening and not pictures else None
        if raw is None:
            return self._in_words(request)
        body = completion_body(request, text_of(raw, "prompt"), self._flavour)
        return _Ask("/v1/completions", self._allowed(body), exact=True)

    async def _rendered(self, ask: _Ask) -> tuple[str, _Ask]:
        """The prompt that llama.cpp makes of an ask, empty if it does not tell, and the ask as it allows it."""
        answer = await self._http.post_json("/apply-template", ask.body, within=None, most=PROMPT_BYTES)
        if answer.status == 400 and _is_about_thinking(answer.text):
            ask = replace(ask, body=_without_thinking(ask.body))
            answer = await self._http.post_json("/apply-template", ask.body, within=None, most=PROMPT_BYTES)
        with suppress(Garbled):
            body = answer.json()
            if answer.ok and isinstance(body, dict):
                return text_of(body, "prompt"), ask
        return "", ask

    def _chat(self, request: ChatRequest, *, exact: bool | None = None) -> _Ask:
        return _Ask(self._chat_path, self._allowed(chat_body(request, self._flavour)), exact)

    def _in_words(self, request: ChatRequest) -> _Ask:
        return self._chat(in_words(request), exact=False)

    def _allowed(self, body: Mapping[str, object]) -> Mapping[str, object]:
        return body if self._counts_usage else _without(body, "stream_options")

    def _instead(self, ask: _Ask, refusal: ReplyError, request: ChatRequest) -> _Ask:
        """Another way to ask after a refusal. Every way is tried once.

        Raises:
            ReplyError: the refusal, if there is none.
        """
        if not isinstance(refusal, Refused) or refusal.status not in (400, 422):
            raise refusal
        said = str(refusal)
        if _is_about_thinking(said) and _without_thinking(ask.body) != ask.body:
            return replace(ask, body=_without_thinking(ask.body))
        extras = _extras(ask.body)
        unexplained = type(refusal) is Refused and self._flavour is Flavour.UNKNOWN
        if unwanted := [name for name in extras if name in said] or (extras if unexplained else []):
            return replace(ask, body=_without(ask.body, unwanted[0]))
        if ask.exact:
            return self._in_words(request)
        raise refusal


async def _events(incoming: Incoming, *, resumed: bool) -> AsyncGenerator[Event, None]:
    """The events in the body of an answer.

    Raises:
        Cut: the connection was lost before the end, or the reply ends in its middle.
        ReplyError: the server tells of an error, or of nothing that is a reply: asking again would not help.
    """
    stream, reply, opening, chunk = EventDecoder(), ReplyDecoder(resumed=resumed), b"", None
    async with aclosing(incoming.chunks()) as chunks:
        while not reply.done and (chunk := await _next(chunks, GRACE_SECONDS if reply.whole else None)):
            opening += chunk[: _OPENING_BYTES - len(opening)]
            for said in stream.feed(chunk):
                for event in reply.feed(said):
                    yield event
    for said in stream.close():
        for event in reply.feed(said):
            yield event
    if chunk is not None and not (reply.begun or reply.whole):
        raise _no_reply(incoming, opening)
    for event in reply.close():
        yield event


def _no_reply(incoming: Incoming, opening: bytes) -> ReplyError:
    """The error for a good answer that came to its end without a reply in it, by how it begins."""
    said = opening.decode("utf-8", "replace").strip()
    if not said or incoming.content_type == "text/event-stream":
        return Garbled("The reply ended before it began.", "Try again; its own log may say more.")
    return error_of(0, said)


async def _next(chunks: AsyncGenerator[bytes, None], within: float | None) -> bytes | None:
    """The next chunk, an empty one at the end; None if the connection was lost, or nothing came in time."""
    with suppress(Cut, TimeoutError):
        async with asyncio.timeout(within):
            return await anext(chunks, b"")
    return None


async def _refusal(incoming: Incoming, model: str) -> ReplyError | None:
    if incoming.ok and incoming.content_type != "text/html":
        return None
    answer = await incoming.whole()
    if answer.ok:
        return Garbled(
            "The server answered with a web page.", "Is the URL right? Give it without what follows /v1."
        )
    return _error(answer, model)


def _good(answer: Answer) -> object:
    """The JSON of a good answer.

    Raises:
        ReplyError: what the server said instead.
    """
    if not answer.ok:
        raise _error(answer)
    body = answer.json()
    if isinstance(body, dict) and body.get("error"):
        raise _error(answer)
    return body


def _error(answer: Answer, model: str = "") -> ReplyError:
    status = 0 if answer.ok else answer.status
    return error_of(status, answer.text, model=model, retry_after=retry_after(answer.headers, datetime.now(UTC)))


def _is_about_thinking(said: str) -> bool:
    """`Assistant response prefill is incompatible with enable_thinking.` (llama.cpp until 2026-05)."""
    return "enable_thinking" in said


def _without_thinking(body: Mapping[str, object]) -> Mapping[str, object]:
    return {**body, "chat_template_kwargs": {"enable_thinking": False}}


def _extras(body: Mapping[str, object]) -> list[str]:
    """What a server may refuse of a body that it can do without.

    Models that never think refuse to be told not to, and so do some that always do: a reply is better than none.
    """
    quiet = ["reasoning_effort"] if body.get("reasoning_effort") == "none" else []
    return [*(["stream_options"] if "stream_options" in body else []), *quiet]


def _without(body: Mapping[str, object], field: str) -> Mapping[str, object]:
    return {name: value for name, value in body.items() if name != field}
