"""HTTP to one server: whole answers, streams that close at once, and failures as errors of ours.

The only importer of httpx, and that late, because the import takes a tenth of a second. Reading a stream has no
timeout: a server may be silent for minutes while it loads a model, and a client that gives up aborts the load.
A connection is kept only shortly: servers close idle ones after five seconds, which would fail the next request.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui_chat.errors import Cut, Garbled, Refused, Remedy, ReplyError, Unreachable
from tui_chat.server import Server
from tui_chat.servers.faults import error_of, retry_after
from tui_chat.servers.route import (
    PROXY_SCHEMES,
    can_connect,
    headers_for,
    hidden,
    proxy_for,
    secrets_of,
    shown_url,
    socket_options,
)
from tui_chat.servers.unreachable import Way
from tui_chat.text.sanitize import clean_line
from tui_chat.untrusted import parsed

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS: Final = 5.0
WRITE_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 10.0
"""How long an answer may take that needs no model."""
ANSWER_BYTES: Final = 4 * 1024 * 1024
"""More than any list of models has. As objects it takes twenty times the memory."""
UNASKED_BYTES: Final = 1024 * 1024
"""The same for a server of this machine that nobody named."""
SMALL_BYTES: Final = 256 * 1024
"""More than a server says about itself, chat template included."""
IDLE_SECONDS: Final = 2.0
"""How long an idle connection is kept."""


async def warm_up() -> None:
    """Load httpx in a thread, so that the screen stays responsive. Requests do it themselves if need be."""
    if "httpx" not in sys.modules:
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # its own command line: click and Rich
        await asyncio.to_thread(importlib.import_module, "httpx")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as UTF-8, whatever its headers say. Not sanitised."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Mapping[str, object]:
        """The JSON object in the body. Strings in it are not sanitised.

        Raises:
            Garbled: it is something else.
        """
        value = parsed(self.body)
        if not isinstance(value, dict):
            raise Garbled("The server's answer is not a JSON object.", "Check the URL.")
        return value

    @property
    def told(self) -> Mapping[str, object]:
        """The JSON object in the body, else an empty one."""
        with suppress(Garbled):
            return self.json()
        return {}


@dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    path: str
    """Appended to the server's URL."""
    body: Mapping[str, object] | None = None
    """Sent as JSON."""
    method: str = ""
    """Empty means POST with a body, else GET."""
    headers: tuple[tuple[str, str], ...] = ()
    """Added to those of every request."""


class Incoming:
    """An answer that is still arriving. Valid inside of the `async with` that gave it."""

    def __init__(self, response: httpx.Response, lost: Callable[[httpx.HTTPError], ReplyError]) -> None:
        """`lost` turns an error of httpx into one of ours."""
        import httpx

        self._body = response.aiter_raw()
        self._lost = lost
        self._failure = httpx.HTTPError
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        """Names are in lower case."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case: `application/x-ndjson`. Empty if there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def next(self, within: float | None = None) -> bytes:
        """The next piece of the body, of any size, within so many seconds; empty at its end.

        Raises:
            Cut: the connection broke, closed before the announced end, or was silent for too long.
        """
        try:
            if within is None:
                return await anext(self._body, b"")
            async with asyncio.timeout(within):
                return await anext(self._body, b"")
        except TimeoutError:
            raise Cut("The server has stopped sending.", "What came is kept.", Remedy.CONTINUE) from None
        except self._failure as error:
            raise self._lost(error) from error

    async def whole(self, most: int = ANSWER_BYTES) -> Answer:
        """Wait for the rest of the body: for errors, and for answers that are not streams.

        Raises:
            Cut: as for `next`.
            Garbled: it is larger than `most` bytes.
        """
        body = bytearray()
        while chunk := await self.next():
            body += chunk
            if len(body) > most:
                raise Garbled("The server's answer is far too large.", "Check the URL.")
        return Answer(self.status, self.headers, bytes(body))


Judge = Callable[[Answer, str], ReplyError]
"""Turns a bad answer to a request about the named model into an error of ours."""


def judge(answer: Answer, model: str = "") -> ReplyError:
    """The error for a bad answer, by the rules of most servers; a good status makes it an error by its body."""
    wish = retry_after(answer.headers)
    return error_of(0 if answer.ok else answer.status, answer.text, model=model, retry_after=wish)


class Client:
    """A client for one server. Every method raises only `ReplyError`s, which show none of the server's secrets:

    `Unreachable` if no connection could be made, `Refused` for a redirect (which is never followed), `Cut` if the
    connection broke or time ran out, `Garbled` for what is not HTTP. To stop, cancel the task or leave the
    `async with`.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        """Detection adds to it; its address and its key stay."""
        self.judge: Judge = judge
        """Turns bad answers into errors."""
        self.refused: set[str] = set()
        """Fields of requests that the server refuses."""
        self.unloaded: set[str] = set()
        """Models that the server would load first, as far as it has told."""
        self.able: dict[str, bool] = {}
        """What the server was found to be able to do, or not."""
        self._httpx: httpx.AsyncClient | None = None
        self._way = Way(server)
        self._kept: dict[str, Answer] = {}

    async def ask(
        self, call: Call, *, model: str = "", within: float | None = ANSWER_SECONDS, most: int = ANSWER_BYTES
    ) -> Mapping[str, object]:
        """The JSON object of a good answer; `model` is the one that the request is about. See `fetch`.

        Raises:
            Garbled: it is not an object.
            ReplyError: the server says no, by the status or in the body.
        """
        answer = await self.fetch(call, within=within, most=most)
        value = answer.json() if answer.ok and answer.body.strip() else {}
        if not answer.ok or value.get("error"):
            raise self.error(answer, model)
        return value

    async def fetch(
        self, call: Call, *, within: float | None = ANSWER_SECONDS, most: int = ANSWER_BYTES
    ) -> Answer:
        """The whole answer, whatever its status, of `most` bytes at most, within so many seconds; None waits."""
        if kept := self._kept.pop(call.path, None):
            return kept
        try:
            async with asyncio.timeout(within), self.open(call) as incoming:
                return await incoming.whole(most)
        except TimeoutError:
            raise self._way.too_slow(within) from None

    def keep(self, path: str, answer: Answer) -> None:
        """Give this answer to the next request, if that is for `path`."""
        self._kept = {path: answer}

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[Incoming]:
        """Send a request; gives the answer once its headers are there, however long that takes.

        Leaving the block early closes the connection. Errors raised in it lose the server's secrets.
        """
        await warm_up()
        self._kept.clear()
        with self._failures():
            client = self._ready()
            response = await client.send(self._request(client, call), stream=True)
            async with aclosing(response):
                incoming = Incoming(response, self._reply_error)
                self._check_way(incoming)
                yield incoming

    async def aclose(self) -> None:
        """Close all connections. The object can be used again."""
        client, self._httpx = self._httpx, None
        if client is not None:
            await client.aclose()

    def error(self, answer: Answer, model: str = "") -> ReplyError:
        """The error for a bad answer, without secrets."""
        return self._hiding(self.judge(answer, model))

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turns errors of httpx into `ReplyError`s, and hides secrets in all `ReplyError`s of the block."""
        import httpx

        try:
            try:
                yield
            except httpx.LocalProtocolError:
                # its text quotes the header, which may be the key
                raise Unreachable(
                    "The key or a header of this server holds characters that HTTP forbids.",
                    "Correct it in the settings.",
                ) from None
            except httpx.HTTPError as error:
                raise self._reply_error(error) from error
        except ReplyError as error:
            self._hiding(error)
            raise

    def _hiding(self, error: ReplyError) -> ReplyError:
        """An error without the server's secrets."""
        secrets = secrets_of(self.server)
        error.args, error.hint = (hidden(str(error), secrets),), hidden(error.hint, secrets)
        return error

    def _request(self, client: httpx.AsyncClient, call: Call) -> httpx.Request:
        import httpx

        content = (
            None if call.body is None else json.dumps(call.body, ensure_ascii=False).encode("utf-8", "replace")
        )
        headers = dict(call.headers) | ({} if content is None else {"content-type": "application/json"})
        method = call.method or ("GET" if content is None else "POST")
        try:
            return client.build_request(method, self.server.url + call.path, content=content, headers=headers)
        except (httpx.InvalidURL, UnicodeError):
            raise self._way.no_url() from None

    def _check_way(self, incoming: Incoming) -> None:
        """Raise for redirects, answers of a proxy, and compressed answers: few bytes may become gigabytes."""
        if 300 <= incoming.status < 400:
            target = shown_url(incoming.headers.get("location", ""))
            raise Refused(
                f"{self._way.name} redirects to {target or 'nowhere'}.",
                "If you trust that address, set it as the URL: redirects are not followed.",
                status=incoming.status,
            )
        from_proxy = incoming.status in (502, 503, 504) and incoming.content_type != "application/json"
        if self._way.proxy and (incoming.status == 407 or from_proxy):
            raise self._way.bad_proxy(f"it answered with status {incoming.status}")
        coding = incoming.headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity"):
            raise Garbled(
                f"The server compressed its answer ({clean_line(coding, 40)}) without being asked to.",
                "Turn compression off at the server, or at the proxy in front of it.",
            )

    def _ready(self) -> httpx.AsyncClient:
        if not can_connect(self.server.url):
            raise self._way.no_url()
        if self._httpx is None:
            self._way = Way(self.server, proxy_for(self.server))
            if self._way.proxy and not can_connect(self._way.proxy, PROXY_SCHEMES):
                raise self._way.bad_proxy("that is not a proxy's URL")
            self._httpx = self._connected()
        return self._httpx

    def _connected(self) -> httpx.AsyncClient:
        import httpx

        uds = self.server.uds
        try:
            transport = httpx.AsyncHTTPTransport(
                verify=self._trust(),
                proxy=self._way.proxy or None,
                uds=uds or None,
                socket_options=None if uds else socket_options(),
                limits=httpx.Limits(max_connections=None, keepalive_expiry=IDLE_SECONDS),
            )
        except ImportError:
            raise Unreachable(
                f"The proxy {shown_url(self._way.proxy)} needs SOCKS support, which is not installed.",
                "Install it with `pip install 'tui-chat-llm[socks]'`, or unset ALL_PROXY.",
            ) from None
        return httpx.AsyncClient(
            transport=transport,
            headers=headers_for(self.server),
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS, write=WRITE_SECONDS),
            trust_env=False,  # `proxy_for` has asked the environment
        )

    def _trust(self) -> ssl.SSLContext | bool:
        import httpx

        verify = self.server.verify
        if not verify or not self._way.is_tls:
            return False  # loading certificates takes time
        try:
            if isinstance(verify, str):
                return ssl.create_default_context(cafile=verify)
            return httpx.create_ssl_context()
        except OSError as error:  # of which SSLError is one
            raise self._way.no_certificates(verify, error) from None

    def _reply_error(self, error: httpx.HTTPError) -> ReplyError:
        import httpx

        match error:
            case httpx.ConnectTimeout():
                return self._way.timed_out(CONNECT_SECONDS)
            case httpx.ProxyError():
                return self._way.bad_proxy("it refused to connect")
            case httpx.ConnectError():
                return self._way.unreachable(error)
            case httpx.UnsupportedProtocol():
                return self._way.no_url()
            case httpx.TimeoutException():
                return Cut(f"{self._way.name} stopped taking data.", "Check the network.", Remedy.RETRY)
            case httpx.RemoteProtocolError() if not _ended_early(error):
                return Garbled(f"{self._way.name} does not speak HTTP.", "Check the port, and http or https.")
        return self._way.closed(before_answering="without sending" in str(error))


def _ended_early(error: httpx.HTTPError) -> bool:
    """Whether a protocol error is an early end: "peer closed connection ..." or "Server disconnected ..."."""
    return any(word in str(error).lower() for word in ("closed", "disconnected"))
