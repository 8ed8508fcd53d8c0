"""Parameters are read from what people type and from files of which nothing is sure; what is wrong is told."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.errors import ConfigError
from tui_chat.messages import THINK_LEVELS
from tui_chat.parameters import PARAMETERS, Parameters, parameter, valid_parameters
from tui_chat.text.sanitize import clean

words = st.text(min_size=1, max_size=20).map(clean).filter(bool)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "top_k": st.integers(0, 1000),
    "min_p": st.floats(0, 1),
    "repeat_penalty": st.floats(0.1, 2),
    "seed": st.integers(0, 2**31 - 1),
    "num_ctx": st.integers(64, 10_000_000),
    "num_predict": st.integers(-1, 1_000_000),
    "stop": st.lists(words, min_size=1, max_size=16).map(tuple),
    "keep_alive": st.sampled_from(["0", "-1", "300", "30s", "5m", "1h30m", "1.5h", "-1m", "500ms"]),
    "think": st.booleans() | st.sampled_from(THINK_LEVELS),
    "format": st.sampled_from(["json", '{"type": "object"}', "{}"]),
}
parameters = st.builds(Parameters, **{name: st.none() | values for name, values in VALUES.items()})
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_the_table_is_of_all_fields_in_their_order() -> None:
    assert list(PARAMETERS) == list(VALUES) == [field.name for field in fields(Parameters)]
    assert [each.name for each in PARAMETERS.values() if each.reloads] == ["num_ctx"]


@given(parameters)
def test_what_is_shown_can_be_typed_again(some: Parameters) -> None:
    typed = Parameters()
    for name in PARAMETERS:
        assert some.text(name).isprintable()
        typed = typed.with_text(name, some.text(name))
    assert typed == some


@given(parameters)
def test_what_is_kept_is_read_again(some: Parameters) -> None:
    kept = json.loads(json.dumps(some.given))
    assert valid_parameters(kept) == some
    assert all(parameter(name).value(value) == getattr(some, name) for name, value in kept.items())


@given(st.sampled_from(list(PARAMETERS)), st.text(max_size=60) | st.from_regex(r"-?[0-9.e]{1,9}|[{\"].{1,9}"))
def test_any_text_is_a_value_or_a_clear_mistake(name: str, text: str) -> None:
    try:
        changed = Parameters().with_text(name, text)
    except ConfigError as error:
        said = str(error)
    else:
        said = f"{name} must be what it is"
        assert changed.with_text(name, changed.text(name)) == changed
        assert set(changed.given) <= {name}
    assert said.startswith(f"{name} must be ")
    assert said.isprintable()


@given(anything)
def test_of_anything_at_all_what_is_right_is_kept(value: object) -> None:
    table = dict.fromkeys(PARAMETERS, value)
    found = valid_parameters(table)
    assert all(parameter(name).value(given) == getattr(found, name) for name, given in found.given.items())
    assert valid_parameters(value) == Parameters() or isinstance(value, dict)
    json.dumps(found.given, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("temperature", "3", "temperature must be 0 to 2, not '3'"),
        ("temperature", "nan", "temperature must be 0 to 2, not 'nan'"),
        ("temperature", "warm", "temperature must be 0 to 2, not 'warm'"),
        ("top_k", "1.5", "top_k must be a whole number, 0 to 1000, not '1.5'"),
        ("seed", "9" * 5000, f"seed must be a whole number, 0 to 2147483647, not '{'9' * 39}…'"),
        ("num_ctx", "\x1b[2J", "num_ctx must be a whole number, 64 to 10000000, not '␛[2J'"),
        ("think", "a lot", "think must be off, on, low, medium, high, max, not 'a lot'"),
        ("keep_alive", "soon", "keep_alive must be a time like 30s, 5m, 1h, 0 or -1, not 'soon'"),
        ("format", "[1]", "format must be json, or a JSON schema, not '[1]'"),
        ("format", "[" * 90_000, f"format must be json, or a JSON schema, not '{'[' * 39}…'"),
        ("stop", '"open', """stop must be up to 16 words, like END "two words" "\\n", not '"open'"""),
        ("tempreature", "1", "There is no parameter 'tempreature'"),
    ],
)
def test_a_mistake_is_told_in_words(name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Parameters().with_text(name, text)
    assert str(caught.value) == said


def test_an_empty_text_clears_a_parameter() -> None:
    assert Parameters(temperature=1.0).with_text("temperature", "  ") == Parameters()


def test_stop_words_are_separated_by_blanks_unless_quoted() -> None:
    some = Parameters().with_text("stop", r'END "two words" "\n" ###')
    assert some.stop == ("END", "two words", "\n", "###")
    assert some.text("stop") == r'END "two words" "\n" ###'


def test_only_what_a_server_takes_goes_to_it() -> None:
    some = Parameters(temperature=0.5, num_ctx=4096, keep_alive="5m", think="high", format='{"type": "object"}')
    assert some.options == {"temperature": 0.5, "num_ctx": 4096}
    assert some.only({"temperature", "think"}) == Parameters(temperature=0.5, think="high")
    assert some.schema == {"type": "object"}
    assert (Parameters(format="json").schema, Parameters().schema) == ("json", "")


def test_a_type_that_is_none_of_a_parameters_is_refused() -> None:
    assert parameter("num_ctx").value(4096.0) == 4096
    for name, wrong in [
        ("temperature", True),
        ("seed", [1]),
        ("stop", [1]),
        ("keep_alive", False),
        ("stop", [""]),
    ]:
        with pytest.raises(ConfigError):
            parameter(name).value(wrong)
