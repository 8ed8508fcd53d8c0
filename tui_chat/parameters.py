"""The parameters of a chat: what each means, its range, and how it is read from text, TOML and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from tui_chat.errors import ConfigError
from tui_chat.messages import THINK_LEVELS
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.typed import nearest

_WORD: Final = re.compile(r'"(?:[^"\\]|\\.)*"(?=\s|$)|[^\s"]\S*')
_DURATION: Final = re.compile(r"-?\d{1,9}|-?(?:\d{1,6}(?:\.\d{1,3})?(?:h|m|s|ms))+")
_LONGEST: Final = 100_000
"""Characters of a schema or of a stop sequence."""
_LEVELS: Final = {level: level for level in THINK_LEVELS}
_THINK: Final = {"off": False, "on": True, "false": False, "true": True} | _LEVELS


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was set for a chat, by Ollama's names. None leaves it to the settings, the model and the server."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    num_ctx: int | None = None
    num_predict: int | None = None
    stop: tuple[str, ...] | None = None
    keep_alive: str | None = None
    """Seconds, or a duration like `5m`."""
    think: bool | str | None = None
    format: str | None = None
    """`json`, or a JSON schema as text."""

    @property
    def given(self) -> dict[str, Any]:
        """What is set, by name, as TOML and JSON can hold it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }

    @property
    def options(self) -> dict[str, Any]:
        """The ones that Ollama takes in `options`."""
        return {name: value for name, value in self.given.items() if name not in ("keep_alive", "think", "format")}

    @property
    def schema(self) -> str | Mapping[str, object]:
        """The format as `ChatRequest` has it."""
        return json.loads(self.format) if self.format and self.format != "json" else self.format or ""

    def only(self, names: Collection[str]) -> Parameters:
        """These, without those that are not in `names`."""
        return Parameters(**{name: getattr(self, name) for name in PARAMETERS if name in names})

    def over(self, others: Parameters) -> Parameters:
        """These, and those of `others` that are not set here."""
        return replace(others, **{name: getattr(self, name) for name in self.given})

    def text(self, name: str) -> str:
        """The value of one as people type it; empty if it is not set."""
        return text_of(getattr(self, name))

    def with_text(self, name: str, text: str) -> Parameters:
        """These with one changed to what a person typed; an empty text clears it.

        Raises:
            ConfigError: there is no such parameter, or the text is no value of it.
        """
        return replace(self, **{name: parameter(name).value(text) if text.strip() else None})


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a parameter means."""

    name: str
    help: str
    range: str
    """Its values in words."""
    read: Callable[[object], Any]
    """Converts what was typed, or a value of TOML or JSON; raises a ValueError."""
    reloads: bool = False
    """Whether the server loads the model again when it changes."""

    def value(self, given: object) -> Any:
        """The value of it that a text, or a value of TOML or JSON, means.

        Raises:
            ConfigError: it means none.
        """
        try:
            return self.read(given)
        except (ValueError, RecursionError):
            raise ConfigError(f"{self.name} must be {self.range}, not {clean_line(str(given), 40)!r}") from None


def text_of(value: object) -> str:
    """A parameter's value as people type it; empty for None."""
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case tuple() | list():
            return " ".join(map(_shown, value))
    return str(value).removesuffix(".0")


def _shown(word: str) -> str:
    plain = word.isprintable() and '"' not in word and _WORD.fullmatch(word)
    return word if plain else json.dumps(word)


def _number(
    name: str, help: str, low: float, high: float, *, whole: bool = False, reloads: bool = False
) -> Parameter:
    def read(given: object) -> float:
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise ValueError
        number = float(given)
        if not low <= number <= high or (whole and not number.is_integer()):
            raise ValueError
        return int(number) if whole else number

    return Parameter(name, help, f"{'a whole number, ' * whole}{low} to {high}", read, reloads)


def _stop(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        if _WORD.sub("", given).strip():
            raise ValueError
        given = [json.loads(word) if word[0] == '"' else word for word in _WORD.findall(given)]
    if not isinstance(given, list | tuple) or not all(isinstance(word, str) and word for word in given):
        raise ValueError
    if not given or len(given) > 16 or sum(map(len, given)) > _LONGEST:
        raise ValueError
    return tuple(map(clean, given))


def _keep_alive(given: object) -> str:
    text = str(given).strip()
    if isinstance(given, bool) or not _DURATION.fullmatch(text):
        raise ValueError
    return text


def _think(given: object) -> bool | str:
    word = str(given).strip().lower()
    if word not in _THINK:
        raise ValueError
    return _THINK[word]


def _format(given: object) -> str:
    if given == "json":
        return "json"
    schema = json.loads(given[:_LONGEST]) if isinstance(given, str) else given
    if not isinstance(schema, dict):
        raise ValueError
    return json.dumps(schema, allow_nan=False)


PARAMETERS: Final[Mapping[str, Parameter]] = {
    parameter.name: parameter
    for parameter in (
        _number("temperature", "How freely words are chosen; 0 takes the likeliest.", 0, 2),
        _number("top_p", "Only the likeliest words that add up to this share.", 0, 1),
        _number("top_k", "Only so many of the likeliest words; 0 takes all.", 0, 1000, whole=True),
        _number("min_p", "Only words this likely, compared with the likeliest.", 0, 1),
        _number("repeat_penalty", "Avoids repetition if above 1.", 0.1, 2),
        _number("seed", "The same seed and prompt give the same reply.", 0, 2**31 - 1, whole=True),
        _number("num_ctx", "Tokens of context window; more take more memory.", 64, 10_000_000, whole=True,
                reloads=True),
        _number("num_predict", "Most tokens of a reply; -1 sets no limit.", -1, 1_000_000, whole=True),
        Parameter("stop", "Ends the reply at these words.", 'up to 16 words, like END "two words" "\\n"', _stop),
        Parameter("keep_alive", "How long the model stays loaded; -1 is for ever.",
                  "a time like 30s, 5m, 1h, 0 or -1", _keep_alive),
        Parameter("think", "Whether it thinks first, or how much.", f"off, on, {', '.join(THINK_LEVELS)}", _think),
        Parameter("format", "The format of the reply.", "json, or a JSON schema", _format),
    )
}  # fmt: skip
"""All parameters by name, in the order of the form."""


def parameter(name: str) -> Parameter:
    """The parameter of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PARAMETERS:
        raise ConfigError(f"There is no parameter {clean_line(name, 40)!r}", nearest(name, PARAMETERS))
    return PARAMETERS[name]


def valid_parameters(table: object) -> Parameters:
    """The parameters in a value of JSON of which nothing is sure, without those that are wrong."""
    found = Parameters()
    for name, value in table.items() if isinstance(table, dict) else ():
        with suppress(ConfigError):
            found = replace(found, **{name: parameter(name).value(value)})
    return found
