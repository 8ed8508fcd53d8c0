"""What a dialect is: how one kind of server is spoken to, as a value. Each is a file in `dialects/`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tui_chat.errors import Cut, NoSuchModel, Remedy, ReplyError
from tui_chat.events import Accepted, Continued, Event
from tui_chat.messages import ChatRequest, Message, Model, Role
from tui_chat.parts import parts_of
from tui_chat.servers.client import Call, Client, Incoming, Judge, judge
from tui_chat.text.sanitize import clean_line

CONTINUE: Final = (
    "Continue exactly where you stopped, in the middle of a word if need be. Do not repeat anything, "
    "do not comment on it: write only what comes next."
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One way to ask for a reply."""

    call: Call
    exact: bool | None = None
    """Whether the reply goes on exactly where the prefill ends; None without a prefill."""

    def without(self, field: str) -> Ask:
        """The same without a field of the body."""
        kept = {name: value for name, value in (self.call.body or {}).items() if name != field}
        return replace(self, call=replace(self.call, body=kept))


@dataclass(frozen=True, slots=True)
class Return:
    """How to come back to a reply whose line has dropped, at a server that goes on without us."""

    call: Call
    """Gives what has not arrived yet."""
    stop: Call
    """Ends the reply, which to hang up does not."""
    grace: float
    """For how many seconds the server keeps it."""


class Decoder(ABC):
    """Reads the answer to one `Ask`, sans I/O."""

    done = False
    """Whether nothing more will come."""
    back: Return | None = None
    """How to come back to the reply, while there is something to come back to."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    @property
    def patience(self) -> float | None:
        """After how many seconds without a byte the line counts as dead; None is never."""
        return None

    def begin(self, incoming: Incoming) -> Iterator[Event]:  # noqa: ARG002
        """What a good status and its headers say."""
        if self.ask.exact is not None:
            yield Continued(self.ask.exact)
        yield Accepted()

    @abstractmethod
    def feed(self, chunk: bytes) -> Iterator[Event]:
        """What a chunk of bytes, cut anywhere, says.

        Raises:
            ReplyError: the server tells of an error, or sends what is not the protocol.
        """

    @abstractmethod
    def close(self, lost: Cut | None = None) -> Iterator[Event]:
        """What was held back, at the end of the answer; `lost` is how the connection broke, if it did.

        Raises:
            ReplyError: the reply is not whole.
        """


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a server is with a piece of work."""

    status: str
    """What it does, in its words, sanitised."""
    layer: str = ""
    """The digest of the file that it is about."""
    done: int | None = None
    total: int | None = None
    """Bytes; of `load`, thousandths."""


@dataclass(frozen=True, slots=True)
class Details:
    """All that a server tells of a model, for people. Texts are sanitised and may have lines."""

    model: Model
    parameters: str = ""
    template: str = ""
    system: str = ""
    licence: str = ""


async def give_up(_client: Client, _ask: Ask, refusal: ReplyError, _request: ChatRequest) -> Ask:
    """No other way to ask. Raises the refusal."""
    raise refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a kind of server is spoken to. A verb that it does not have is None. All raise `ReplyError`s."""

    models: Callable[[Client], Awaitable[Sequence[Model]]]
    """Those on offer."""
    loaded: Callable[[Client], Awaitable[Sequence[Model]]] | None = None
    """Those in memory, perhaps among others, where they change or `models` does not tell them."""
    describe: Callable[[Client, str], Awaitable[Model]] | None = None
    """One of them, where there is more to know than the list tells."""
    ask: Callable[[Client, ChatRequest], Awaitable[Ask]]
    """How to ask for a reply."""
    instead: Callable[[Client, Ask, ReplyError, ChatRequest], Awaitable[Ask]] = give_up
    """Another way to ask, after a refusal; raises that where there is none."""
    decoder: Callable[[Ask], Decoder]
    judge: Judge = judge
    details: Callable[[Client, str], Awaitable[Details]] | None = None
    pull: Callable[[Client, str], AsyncGenerator[Progress, None]] | None = None
    create: Callable[[Client, str, Mapping[str, object]], AsyncGenerator[Progress, None]] | None = None
    load: Callable[[Client, str], AsyncGenerator[Progress, None]] | None = None
    unload: Callable[[Client, str], Awaitable[None]] | None = None
    copy: Callable[[Client, str, str], Awaitable[None]] | None = None
    delete: Callable[[Client, str], Awaitable[None]] | None = None


def missing(model: str) -> NoSuchModel:
    """The server does not have a model of that name."""
    what = f"{clean_line(model, 80)} is not on this server."
    return NoSuchModel(what, "It may have been removed.", Remedy.CHOOSE_MODEL, status=404)


def trailing(request: ChatRequest) -> ChatRequest:
    """`request` with its prefill as the last message. Thinking is off: the answer has begun, so it is over."""
    partial = Message(Role.ASSISTANT, parts_of(request.prefill))
    return replace(request, messages=(*request.messages, partial), think=False, prefill="")


def in_words(request: ChatRequest) -> ChatRequest:
    """`request` with its prefill as a whole message, and a prompt to go on from there."""
    partial = trailing(request)
    return replace(partial, messages=(*partial.messages, Message(Role.USER, parts_of(CONTINUE))))
