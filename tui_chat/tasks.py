"""The one way to start a task whose handle is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def start_task(work: Coroutine[Any, Any, _Result]) -> asyncio.Task[_Result]:
    """Start a task that runs for the first time only after its handle has been returned.

    `asyncio.create_task` and `ensure_future` do not promise that: under an eager task factory, which Textual sets
    on Python 3.12 and later, they run the work up to its first wait, or to its end, before they return. A handle
    that is assigned then overwrites what the work has done to the place where it is kept.
    """
    return asyncio.Task(work, loop=asyncio.get_running_loop())
