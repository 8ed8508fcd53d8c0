"""The upper floor: the chat of a Textual tutorial, with its `Markdown` and `MarkdownStream`."""

from __future__ import annotations

import json
import os

import httpx
from textual import work
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown, Static


class Minimal(App[None]):
    """A log and a line to write in."""

    CSS = "VerticalScroll { height: 1fr } Input { dock: bottom } Markdown { padding: 0 1 }"

    def __init__(self) -> None:
        super().__init__()
        self.client = httpx.AsyncClient(base_url=os.environ["OLLAMA_HOST"], timeout=None)
        self.messages: list[dict[str, str]] = []

    def compose(self) -> ComposeResult:
        """Log above, input below."""
        yield VerticalScroll()
        yield Input()

    def on_mount(self) -> None:
        """Follow the end, take keys."""
        self.query_one(VerticalScroll).anchor()
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send the prompt."""
        event.input.value = ""
        self.reply(event.value)

    @work
    async def reply(self, prompt: str) -> None:
        """Stream the reply into a widget of its own."""
        log, answer = self.query_one(VerticalScroll), Markdown()
        await log.mount(Static("> " + prompt, markup=False), answer)
        log.anchor()
        self.messages.append({"role": "user", "content": prompt})
        reply, stream = "", Markdown.get_stream(answer)
        try:
            body = {"model": "tiny", "messages": self.messages}
            async with self.client.stream("POST", "/api/chat", json=body) as response:
                async for line in response.aiter_lines():
                    text = json.loads(line)["message"]["content"]
                    reply += text
                    await stream.write(text)
        finally:
            await stream.stop()
        self.messages.append({"role": "assistant", "content": reply})


if __name__ == "__main__":
    Minimal().run()
