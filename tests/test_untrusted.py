"""What a server chooses to send is never too large for us."""

from __future__ import annotations

import json

import pytest
from tui_chat.events import Finished, PromptProgress
from tui_chat.messages import Usage
from tui_chat.servers.dialects import ollama, ollama_stream, openai, relay
from tui_chat.untrusted import LARGEST, LONGEST, count_of, objects_of

HUGE = 10**400


@pytest.mark.parametrize(
    ("number", "count"),
    [(0, 0), (LARGEST - 1, LARGEST - 1), (LARGEST, None), (-1, None), (True, None), (1.0, None)],
)
def test_a_count_is_a_whole_number_that_any_program_can_hold(number: object, count: int | None) -> None:
    assert count_of({"n": number}, "n") == count


def test_of_a_list_without_end_only_the_beginning_is_looked_at() -> None:
    assert len(objects_of({"data": [1, *[{}] * (LONGEST + 5)]}, "data")) == LONGEST
    entries = [{"id": f"m{number}"} for number in range(LONGEST + 5)]
    assert len(openai.models_in({"data": entries})) == LONGEST


def test_figures_beyond_all_measure_are_as_good_as_none() -> None:
    counts = dict.fromkeys(("eval_count", "prompt_eval_count", "eval_duration", "load_duration"), HUGE)
    assert ollama_stream.events_of(json.dumps({"done": True, **counts}).encode()) == [Finished("stop")]
    (model,) = ollama.models_of({"models": [{"name": "m", "size": HUGE, "details": {"context_length": HUGE}}]})
    assert (model.size, model.context_window) == (None, None)
    (listed,) = openai.models_in({"data": [{"id": "m", "meta": {"n_params": HUGE, "n_ctx_train": HUGE}}]})
    assert (listed.parameters, listed.context_window) == ("", None)
    told = relay.event_in({"done": True, "usage": {"reply_tokens": HUGE, "prompt_tokens": 3}})
    assert told == Finished("stop", Usage(prompt_tokens=3))


@pytest.mark.parametrize(
    ("done", "total", "event"),
    [(1, 2, PromptProgress(1, 2)), (3, 2, PromptProgress(2, 2)), (-5, 2, None), (0, 0, None), (HUGE, HUGE, None)],
)
def test_progress_of_a_relay_is_between_nothing_and_all(done: int, total: int, event: object) -> None:
    assert relay.event_in({"progress": {"done": done, "total": total}}) == event
