"""Start tasks whose handle is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def start_task(work: Coroutine[Any, Any, _Result]) -> asyncio.Task[_Result]:
    """Start a task that runs for the first time only after this has returned.

    `asyncio.create_task` does not promise that: under an eager task factory, which Textual sets on Python 3.12 and
    later, the work runs to its first wait before the caller has stored the handle.
    """
    return asyncio.Task(work, loop=asyncio.get_running_loop())
