"""Ollama, spoken to in its native API: its OpenAI side can neither report an error in a stream nor set num_ctx."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

from tui_chat.backends.http import PROMPT_BYTES, Answer, Http, Incoming
from tui_chat.errors import Cut, Garbled, ReplyError
from tui_chat.events import Accepted, Continued, Event, Finished
from tui_chat.messages import ChatRequest, Model
from tui_chat.protocol.lines import Lines
from tui_chat.protocol.ollama import body_of, chat_body, events_of, model_of, models_of
from tui_chat.protocol.ollama_errors import error_of
from tui_chat.protocol.ollama_resume import continues, in_words, raw_body, render_body, rendered, trailing
from tui_chat.protocol.openai_errors import retry_after
from tui_chat.server import Server

_PS_SECONDS: Final = 1.0
_CHAT: Final = "/api/chat"
_CRASHED: Final = "The model may have crashed"


class OllamaBackend:
    """One Ollama server. Fulfils `Backend`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._http = Http(server)
        self._by_template: dict[str, bool] = {}
        """Models that the server cannot render prompts for, and whether they continue a trailing message."""

    async def models(self) -> Sequence[Model]:
        """The models on the server's disk, newest first. Raises `ReplyError`."""
        return models_of(_read(await self._http.get_json("/api/tags")), self.server.label)

    async def loaded(self) -> Sequence[Model]:
        """The models in memory; empty where the server does not tell within a second, as while it loads one."""
        try:
            body = _read(await self._http.get_json("/api/ps", within=_PS_SECONDS))
        except ReplyError:
            return ()
        return models_of(body, self.server.label, loaded=True)

    async def describe(self, model: str) -> Model:
        """What `/api/show` tells of `model`. Raises `ReplyError`."""
        return model_of(await self._show(model), model, self.server.label)

    async def reply(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Stream the reply, as `Backend.reply` says."""
        path, body, exact = _CHAT, chat_body(request), True
        if request.prefill:
            path, body, exact = await self._continuation(request)
            yield Continued(exact)
        async with self._http.stream(path, body) as incoming:
            if not incoming.ok:
                raise _error(await incoming.whole(), request.model)
            yield Accepted()
            begun = False
            async with aclosing(_events(incoming)) as events:
                async for event in events:
                    begun = True
                    yield event
                    if isinstance(event, Finished):
                        return
        if not begun:  # asking again at once would not help
            raise Garbled("The reply ended before it began.", f"{_CRASHED}: see `journalctl -u ollama`.")
        raise Cut("The reply ended without its end.", f"{_CRASHED}: continue it, and see `journalctl -u ollama`.")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def _continuation(self, request: ChatRequest) -> tuple[str, dict[str, object], bool]:
        """Where to send what, so that the model goes on from the prefill, and whether it will do so exactly."""
        model, plain = request.model, trailing(request)
        if model not in self._by_template:
            prompt = await self._rendered(plain)
            if prompt is None:
                self._by_template[model] = await self._continues(model)
            elif prompt.endswith(request.prefill):
                return _CHAT, chat_body(plain), True
            elif raw := raw_body(request, await self._rendered(request) or ""):
                return "/api/generate", raw, True
        if self._by_template.get(model):
            return _CHAT, chat_body(plain), True
        return _CHAT, chat_body(in_words(request)), False

    async def _rendered(self, request: ChatRequest) -> str | None:
        """The prompt that the server makes of `request`, None if it cannot show it. Loads the model if need be."""
        answer = await self._http.post_json(_CHAT, render_body(request), within=None, most=PROMPT_BYTES)
        return rendered(_read(answer, request.model))

    async def _continues(self, model: str) -> bool:
        try:
            return continues(await self._show(model))
        except ReplyError:
            return False

    async def _show(self, model: str) -> Mapping[str, object]:
        return _read(await self._http.post_json("/api/show", {"model": model}), model)


async def _events(incoming: Incoming) -> AsyncGenerator[Event, None]:
    """The events in the body of an answer, up to its end."""
    lines = Lines()
    async with aclosing(incoming.chunks()) as chunks:
        async for chunk in chunks:
            for line in lines.feed(chunk):
                for event in events_of(line):
                    yield event
    for event in events_of(lines.rest()):
        yield event


def _read(answer: Answer, model: str = "") -> Mapping[str, object]:
    """The body of a whole answer. Raises `ReplyError`."""
    if not answer.ok:
        raise _error(answer, model)
    return body_of(answer.body)


def _error(answer: Answer, model: str) -> ReplyError:
    wish = retry_after(answer.headers, datetime.now(UTC))
    return error_of(answer.status, answer.text, model=model, retry_after=wish)
