"""A process whose files cannot grow past a limit that is lifted again. Run by the tests."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sys
from pathlib import Path

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role
from tui_chat.parts import parts_of
from tui_chat.store.store import Store
from tui_chat.store.values import Chat


async def main(path: Path) -> None:
    """Write until it fails, once more while full, and again when there is room; print what was acknowledged."""
    store = await Store.open(path)
    await store.save("chat", new=Chat("chat"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    failure: StoreError | None = None
    number = 0
    while failure is None:
        number += 1
        assert number < 1000, "the limit never told"
        try:
            await store.save("chat", Message(Role.USER, parts_of(f"{number} " * 5000), id=f"m{number}"))
            print("acknowledged", f"m{number}")
        except StoreError as error:
            failure = error
    print("failed", failure, "|", failure.hint)
    with contextlib.suppress(StoreError):
        await store.save("chat", Message(Role.USER, parts_of("z" * 900_000), id="too-large"))
        print("acknowledged too-large")
    assert len((await store.load("chat")).messages) == number - 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.save("chat", Message(Role.USER, parts_of("after"), id="after"))
    print("acknowledged after")
    assert await store.aclose()


if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    asyncio.run(main(Path(sys.argv[1])))
