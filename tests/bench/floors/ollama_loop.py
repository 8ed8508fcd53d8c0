"""What a person writes who wants an answer in a script: the `ollama` package, and its tokens printed as they come."""

from __future__ import annotations

import os
import sys

import ollama


def main() -> None:
    """Ask one question."""
    client = ollama.Client(host=os.environ["OLLAMA_HOST"])
    messages = [{"role": "user", "content": sys.argv[1]}]
    for part in client.chat(model="tiny", messages=messages, stream=True):
        print(part["message"]["content"], end="", flush=True)


if __name__ == "__main__":
    main()
