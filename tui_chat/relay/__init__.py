"""The relay: a team chats with one box's models, and gets nothing else of the box.

`POST /api/chat`
    `{"message": "Hello"}` or `{"messages": [{"role": "user", "content": "Hello"}], "model": "NAME"}`, beside them
    optionally `options`, `think` and `prefill`. Answers `text/event-stream`, one JSON object per event:
    `{"delta": "text"}`, `{"thinking": "text"}`, at the end `{"done": true, "reason": "stop", "usage": {...}}`, or
    `{"error": {"type": ..., "message": ..., "hint": ...}}`. Objects with other keys may be skipped
    (`tui_chat.servers.dialects.relay` lists them). With nothing but `application/json` or
    `application/x-ndjson` in `Accept` it answers as Ollama's own `/api/chat` does, so that clients of Ollama work.
`POST /v1/chat/completions`, `GET /v1/models`, `GET /v1/models/NAME`
    as OpenAI's.
`GET /health`
    `{"service": "tui-chat-relay", "status": "ok", "version": ...}`, without a token.

Everything else needs `Authorization: Bearer TOKEN`, once there is a token. Events carry `id:`, counted from 1.

Resuming: a request with `X-Resume: 1` is answered with `X-Stream-Id: ID` and `X-Resume-Grace: SECONDS`. When the
line drops, the reply goes on being generated for so long. `GET /api/streams/ID` with `Last-Event-ID: N` continues
behind event N, without it from the start; the connection that had the stream before ends. `DELETE /api/streams/ID`
stops the model, which a hang-up alone no longer does. A stream belongs to the token that began it: to others it is
404, and so it is once the grace is over. 410 means that event N is no longer held.
"""
