"""The type of a dialect: the functions to speak to one kind of server. Each is a file in `dialects/`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tui_chat.errors import NoSuchModel, Remedy, ReplyError
from tui_chat.events import Accepted, Continued, Event, ThinkingUnset
from tui_chat.messages import ChatRequest, Message, Model, Role
from tui_chat.parameters import PARAMETERS
from tui_chat.parts import parts_of
from tui_chat.server import Flavour
from tui_chat.servers.client import Call, Client, Incoming, Judge, judge
from tui_chat.text.sanitize import clean_line

CONTINUE: Final = (
    "Continue exactly where you stopped, in the middle of a word if need be. Do not repeat anything, "
    "do not comment on it: write only what comes next."
)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for a reply."""

    call: Call
    exact: bool | None = None
    """Whether the reply continues exactly at the end of the prefill; None without a prefill."""
    thinking_unset: bool = False
    """Whether it leaves the thinking to the server, because the first request was refused."""
    end_thinking: Callable[[str], Awaitable[None]] | None = None
    """Makes the reply of this id answer, if the server can do that."""

    def without(self, field: str) -> Ask:
        """The same without a field of the body."""
        kept = {name: value for name, value in (self.call.body or {}).items() if name != field}
        unset = self.thinking_unset or field in ("think", "reasoning_effort")
        return replace(self, call=replace(self.call, body=kept), thinking_unset=unset)


@dataclass(frozen=True, slots=True)
class Return:
    """How to get back to a reply after the connection dropped, from a server that keeps generating it."""

    call: Call
    """Gets the part that has not arrived yet."""
    stop: Call
    """Ends the reply, which closing the connection does not."""
    grace: float
    """How many seconds the server keeps the reply."""


class Decoder(ABC):
    """Decodes the answer to an `Ask`, without I/O."""

    done = False
    """Whether the reply has ended."""
    accepted = False
    """Whether it has begun: `begin` tells that once."""
    back: Return | None = None
    """How to get back to the reply, as long as that is possible."""
    patience: float | None = None
    """After how many silent seconds the connection counts as dead; None means never."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def begin(self, incoming: Incoming) -> Iterator[Event]:  # noqa: ARG002
        """The events that a good status and its headers tell; none when the reply goes on after a drop."""
        if self.accepted:
            return
        self.accepted = True
        if self.ask.exact is not None:
            yield Continued(self.ask.exact)
        yield Accepted()
        if self.ask.thinking_unset:
            yield ThinkingUnset()

    @abstractmethod
    def feed(self, chunk: bytes) -> Iterator[Event]:
        """What a chunk of bytes, cut anywhere, says.

        Raises:
            ReplyError: the server reports an error, or does not keep to the protocol.
        """

    @abstractmethod
    def close(self, lost: ReplyError | None = None) -> Iterator[Event]:
        """The last events, when no more will come; `lost` is set if the connection broke.

        Raises:
            ReplyError: the reply is incomplete.
        """


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a server's work."""

    status: str
    """The server's words for what it does, sanitised."""
    layer: str = ""
    """The digest of the file that it is about."""
    done: int | None = None
    total: int | None = None
    """Bytes; of `load`, thousandths."""


@dataclass(frozen=True, slots=True)
class Details:
    """All that a server tells of a model. Texts are sanitised and may have several lines."""

    model: Model
    parameters: str = ""
    template: str = ""
    system: str = ""
    licence: str = ""

    @property
    def values(self) -> Mapping[str, str]:
        """The model's own parameters by name; several of one name, such as `stop`, in one text."""
        values: dict[str, str] = {}
        for line in self.parameters.splitlines():
            name, _, value = line.partition(" ")
            values[name] = ", ".join(filter(None, [values.get(name), value.strip().strip('"')]))
        return values


async def give_up(_client: Client, _ask: Ask, refusal: ReplyError, _request: ChatRequest) -> Ask:
    """Raise the refusal: there is no other way to ask."""
    raise refusal


async def go_ahead(_client: Client, _request: ChatRequest) -> AsyncGenerator[Event, None]:
    """Do nothing before a request."""
    return
    yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a kind of server is spoken to. A verb that it does not have is None. All raise `ReplyError`s."""

    models: Callable[[Client], Awaitable[Sequence[Model]]]
    """The models that the server offers."""
    loaded: Callable[[Client], Awaitable[Sequence[Model]]] | None = None
    """The models in memory, perhaps among others. None if `models` tells them, once and for all."""
    describe: Callable[[Client, str], Awaitable[Model]] | None = None
    """More about one model than the list tells."""
    prepare: Callable[[Client, ChatRequest], AsyncGenerator[Event, None]] = go_ahead
    """Loads the model if need be, if the server tells how far that is only apart from the reply."""
    ask: Callable[[Client, ChatRequest], Awaitable[Ask]]
    """Builds the request for a reply."""
    instead: Callable[[Client, Ask, ReplyError, ChatRequest], Awaitable[Ask]] = give_up
    """Another request after a refusal; raises the refusal if there is none."""
    decoder: Callable[[Ask], Decoder]
    judge: Judge = judge
    takes: Callable[[Flavour], Collection[str]] = lambda _: PARAMETERS
    """The names of the parameters that the server takes."""
    levels: Callable[[Flavour], tuple[str, ...]] = lambda _: ("off", "on")
    """What `think` can be for a model of which nothing else is known."""
    count: Callable[[Client, ChatRequest], Awaitable[int | None]] | None = None
    """Counts the tokens of a prompt, without a reply."""
    details: Callable[[Client, str], Awaitable[Details]] | None = None
    pull: Callable[[Client, str], AsyncGenerator[Progress, None]] | None = None
    create: Callable[[Client, str, Mapping[str, object]], AsyncGenerator[Progress, None]] | None = None
    load: Callable[[Client, str, Mapping[str, object]], AsyncGenerator[Progress, None]] | None = None
    """Loads a model with settings by Ollama's names, as far as the server takes them: `options`, `keep_alive`."""
    keeps: bool = False
    """Whether `load` takes `keep_alive`: how many seconds it stays after its last use; -1 is for ever."""
    unload: Callable[[Client, str], Awaitable[None]] | None = None
    copy: Callable[[Client, str, str], Awaitable[None]] | None = None
    delete: Callable[[Client, str], Awaitable[None]] | None = None

    @property
    def verbs(self) -> frozenset[str]:
        """What can be done with its models and for them, by the names of the fields."""
        verbs = ("details", "pull", "create", "load", "keeps", "unload", "copy", "delete", "count")
        return frozenset(verb for verb in verbs if getattr(self, verb))


def missing(model: str) -> NoSuchModel:
    """The error for a model that the server does not have."""
    what = f"{clean_line(model, 80)} is not on this server."
    return NoSuchModel(what, "It may have been removed.", Remedy.CHOOSE_MODEL, status=404)


def trailing(request: ChatRequest) -> ChatRequest:
    """`request` with its prefill as the last message. Thinking is off, because the answer has begun."""
    partial = Message(Role.ASSISTANT, parts_of(request.prefill))
    return replace(request, messages=(*request.messages, partial), think=False, prefill="")


def in_words(request: ChatRequest) -> ChatRequest:
    """`request` with its prefill as a message, and a prompt to continue it."""
    partial = trailing(request)
    return replace(partial, messages=(*partial.messages, Message(Role.USER, parts_of(CONTINUE))))
