"""The lower floor: a line from the user, the tokens of the reply printed as they come."""

from __future__ import annotations

import json
import os
import sys

import httpx


def main() -> None:
    """Chat until the input ends."""
    messages: list[dict[str, str]] = []
    with httpx.Client(base_url=os.environ["OLLAMA_HOST"], timeout=None) as client:
        while True:
            try:
                messages.append({"role": "user", "content": input("> ")})
            except EOFError:
                return
            reply = ""
            with client.stream("POST", "/api/chat", json={"model": "tiny", "messages": messages}) as response:
                for line in response.iter_lines():
                    text = json.loads(line)["message"]["content"]
                    reply += text
                    sys.stdout.write(text)
                    sys.stdout.flush()
            print()
            messages.append({"role": "assistant", "content": reply})


if __name__ == "__main__":
    main()
