"""The demo: an Ollama without a model. It speaks the native API on a loopback port and replies by script, so that
a first look, the screenshots and tests take the same way through HTTP as with a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tui_chat.backends.demo_replies import reply_to, tokens_of
from tui_chat.backends.loopback import Exchange, Loopback
from tui_chat.protocol.fields import count_of, object_of, objects_of, text_of
from tui_chat.servers import Flavour, Kind, Server

NAME: Final = "demo"
SPEED: Final = 60.0
"""Tokens per second."""
_THINKS: Final = "demo-think"
_MODELS: Final = (NAME, _THINKS)
_CREATED: Final = "2026-01-01T00:00:00Z"
_CONTEXT: Final = 8192
_HEAD_START: Final = 24
"""For as many tokens' time it is silent before the first, as a server that loads the model."""
_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Generation:
    """What is to be said to one request, as the messages of the stream's lines."""

    model: str
    pieces: list[dict[str, object]]
    finish: str
    prompt_tokens: int

    @property
    def whole(self) -> dict[str, object]:
        """All messages as one."""
        thinking = "".join(text_of(piece, "thinking") for piece in self.pieces)
        content = "".join(text_of(piece, "content") for piece in self.pieces)
        return _message(content, thinking=thinking) if thinking else _message(content)


class Demo:
    """The demo server. `async with` starts it and gives the `Server` to talk to; leaving stops it."""

    def __init__(self, speed: float = SPEED) -> None:
        self._speed = speed
        self._loopback = Loopback(self._handle)

    @property
    def left(self) -> asyncio.Event:
        """Set once a client has left before its reply was complete."""
        return self._loopback.left

    async def __aenter__(self) -> Server:
        await self._loopback.__aenter__()
        return Server(url=self._loopback.url, name=NAME, kind=Kind.OLLAMA, flavour=Flavour.OLLAMA)

    async def __aexit__(self, *_: object) -> None:
        await self._loopback.__aexit__()

    async def _handle(self, exchange: Exchange) -> None:
        request = exchange.request
        match request.method, request.path:
            case "POST", "/api/chat":
                await self._chat(exchange)
            case "POST", "/api/show":
                await _show(exchange)
            case "GET", "/api/tags":
                await _answer(exchange, {"models": [_model(name) for name in _MODELS]})
            case "GET", "/api/ps":
                await _answer(exchange, {"models": [{**_model(NAME), "context_length": _CONTEXT}]})
            case "GET", "/api/version":
                await _answer(exchange, {"version": "0.0.0"})
            case "GET", "/":
                await exchange.answer(200, b"Ollama is running", "text/plain; charset=utf-8")
            case _:
                await exchange.answer(404, b"404 page not found", "text/plain")

    async def _chat(self, exchange: Exchange) -> None:
        body = exchange.request.json()
        model = _known(text_of(body, "model"))
        if not model:
            await _refuse_model(exchange, text_of(body, "model"))
        elif model != _THINKS and body.get("think"):
            await _answer(exchange, {"error": f'"{model}" does not support thinking'}, 400)
        elif body.get("_debug_render_only"):
            prompt = "\n".join(text_of(message, "content") for message in objects_of(body, "messages"))
            await _answer(exchange, {"model": model, "_debug_info": {"rendered_template": prompt}})
        elif not objects_of(body, "messages"):
            await _answer(exchange, _line(model, _message(""), done=True) | {"done_reason": "load"})
        elif body.get("stream") is False:
            generation = _generation(model, body)
            await _answer(exchange, self._last_line(generation) | {"message": generation.whole})
        else:
            await self._stream(exchange, _generation(model, body))

    async def _stream(self, exchange: Exchange, generation: _Generation) -> None:
        clock = asyncio.get_running_loop().time
        start = clock() + _HEAD_START / self._speed
        await asyncio.sleep(start - clock())
        await exchange.start(200, "application/x-ndjson")
        for number, piece in enumerate(generation.pieces):
            await asyncio.sleep(max(0.0, start + number / self._speed - clock()))
            await exchange.send(_json(_line(generation.model, piece)))
        await exchange.send(_json(self._last_line(generation)))
        await exchange.end()

    def _last_line(self, generation: _Generation) -> dict[str, object]:
        """The final line. Times are as they should be, not as they were: a demo is the same every time."""
        count = len(generation.pieces)
        return _line(generation.model, _message(""), done=True) | {
            "done_reason": generation.finish,
            "load_duration": round(_HEAD_START / self._speed * _SECOND),
            "prompt_eval_count": generation.prompt_tokens,
            "eval_count": count,
            "eval_duration": round(count / self._speed * _SECOND),
        }


def _generation(model: str, body: Mapping[str, object]) -> _Generation:
    messages = objects_of(body, "messages")
    prompts = [text_of(message, "content") for message in messages if message.get("role") == "user"]
    last = messages[-1]
    partial = text_of(last, "content") if last.get("role") == "assistant" else ""
    reply = reply_to(prompts[-1] if prompts else "")
    thinks = model == _THINKS and body.get("think") is not False
    pieces = [
        *([_message("", thinking=token) for token in tokens_of(reply.thinking)] if thinks else ()),
        *(_message(token) for token in tokens_of(reply.text.removeprefix(partial))),
    ]
    limit = count_of(object_of(body, "options"), "num_predict")
    cut = limit is not None and limit < len(pieces)
    return _Generation(
        model=model,
        pieces=pieces[:limit],
        finish="length" if cut else "stop",
        prompt_tokens=sum(len(tokens_of(text_of(message, "content"))) for message in messages),
    )


async def _show(exchange: Exchange) -> None:
    asked = text_of(exchange.request.json(), "model")
    if model := _known(asked):
        await _answer(exchange, {**_model(model), "model_info": {"demo.context_length": _CONTEXT}})
    else:
        await _refuse_model(exchange, asked)


async def _refuse_model(exchange: Exchange, model: str) -> None:
    await _answer(exchange, {"error": f"model '{model}' not found"}, 404)


async def _answer(exchange: Exchange, value: object, status: int = 200) -> None:
    await exchange.answer(status, _json(value), "application/json; charset=utf-8")


def _known(name: str) -> str:
    name = name.removesuffix(":latest")
    return name if name in _MODELS else ""


def _model(name: str) -> dict[str, object]:
    return {
        "name": f"{name}:latest",
        "model": f"{name}:latest",
        "modified_at": _CREATED,
        "details": {"family": "script"},
        "capabilities": ["completion", "thinking"] if name == _THINKS else ["completion"],
    }


def _message(content: str, **more: str) -> dict[str, object]:
    return {"role": "assistant", "content": content, **more}


def _line(model: str, message: Mapping[str, object], *, done: bool = False) -> dict[str, object]:
    return {"model": model, "created_at": _CREATED, "message": message, "done": done}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
