"""The relay: lets a team chat with one machine's models, and gives access to nothing else there.

`POST /api/chat`
    `{"message": "Hello"}` or `{"messages": [{"role": "user", "content": "Hello"}], "model": "NAME"}`, and
    optionally `options`, `think` and `prefill`. Answers `text/event-stream`, one JSON object per event:
    `{"delta": "text"}`, `{"thinking": "text"}`, at the end `{"done": true, "reason": "stop", "usage": {...}}`, or
    `{"error": {"type": ..., "message": ..., "hint": ...}}`. Clients may skip objects with other keys
    (`tui_chat.servers.dialects.relay` lists them). If `Accept` holds only `application/json` or
    `application/x-ndjson`, it answers as Ollama's own `/api/chat` does, so that clients of Ollama work.
`POST /v1/chat/completions`, `GET /v1/models`, `GET /v1/models/NAME`
    as OpenAI's.
`GET /health`
    `{"service": "tui-chat-relay", "status": "ok", "version": ...}`, without a token.

Once there is a token, everything else needs `Authorization: Bearer TOKEN`. Events carry `id:`, counted from 1.

Resuming: a request with `X-Resume: 1` is answered with `X-Stream-Id: ID` and `X-Resume-Grace: SECONDS`. When the
connection drops, the reply is generated for that many seconds more. `GET /api/streams/ID` with `Last-Event-ID: N`
continues after event N, or from the start without it, and ends the stream's earlier connection.
`DELETE /api/streams/ID` stops the model; closing the connection no longer does. A stream belongs to the token that
started it: 404 for others, and for everybody after the grace. 410: event N is no longer held.
"""
