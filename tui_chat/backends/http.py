"""HTTP as the backends need it: whole answers, streams that close at once, and every failure as an error of ours.

The only importer of httpx, and that late: the import costs a tenth of a second, which a start need not pay.
Reading a stream has no timeout, since a server may be silent for minutes while it loads a model, and a client that
gives up keeps it from ever loading one. No connection is kept for another request: a stale one would make that
fail, and chatting is slower than any server's patience with idle connections.
"""

from __future__ import annotations

import asyncio
import errno
import importlib
import json
import os
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tui_chat.backends.route import (
    PROXY_SCHEMES,
    can_connect,
    headers_for,
    is_loopback,
    proxy_for,
    shown_url,
    socket_options,
)
from tui_chat.errors import Cut, Garbled, Refused, ReplyError, Unreachable
from tui_chat.server import Kind, Server
from tui_chat.text.sanitize import clean_line

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS: Final = 5.0
WRITE_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 10.0
"""How long a whole answer may take that needs no model."""
ANSWER_BYTES: Final = 4 * 1024 * 1024
"""More than any list of models; a body beyond it is no answer. As objects it takes twenty times the memory."""
UNASKED_BYTES: Final = 1024 * 1024
"""More than any list of models of a server on this machine that nobody named."""
SMALL_BYTES: Final = 256 * 1024
"""More than what a server says of itself, the template of its model included."""
PROMPT_BYTES: Final = 32 * 1024 * 1024
"""More than any prompt that was rendered."""


async def warm_up() -> None:
    """Load httpx in a thread, so that the screen stays alive meanwhile. Requests do it themselves if need be."""
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
        """The body as UTF-8, whatever the headers claim. Not sanitised."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        """The body as JSON. Strings in it are not sanitised.

        Raises:
            Garbled: it is something else.
        """
        try:
            value: object = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Garbled("The server's answer is not JSON.", "Is the URL right?") from None
        return value


class Incoming:
    """An answer that is still coming in. Valid inside of the `async with` that gave it."""

    def __init__(self, http: Http, response: httpx.Response) -> None:
        self._http = http
        self._response = response
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

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives, in pieces of any size. Ends without an error where the server says it ends.

        Raises:
            Cut: the connection broke, or closed before the announced end.
            Garbled: it is compressed, which nobody asked for: a few bytes may become gigabytes.
        """
        coding = self.headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity"):
            raise Garbled(
                f"The server's answer is compressed ({clean_line(coding, 40)}), though it was not asked to be.",
                "Turn that off at the server, or at the proxy before it.",
            )
        with self._http.failures():
            async for chunk in self._response.aiter_raw():
                yield chunk

    async def whole(self, most: int = ANSWER_BYTES) -> Answer:
        """The rest of the body, waited for: for errors, and for answers that are no streams.

        Raises:
            Cut: as for `chunks`.
            Garbled: as for `chunks`, or it is larger than `most` bytes.
        """
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > most:
                raise Garbled("The server's answer is far too large.", "Is the URL right?")
        return Answer(self.status, self.headers, bytes(body))


class Http:
    """A client for one server. Every method raises only `ReplyError`s, with texts that are safe to show:

    `Unreachable` if no connection could be made, `Refused` for a redirect (which is never followed), `Cut` if the
    connection broke or time ran out, `Garbled` for what is not HTTP. Any other status is the caller's to judge.
    Paths are appended to the server's URL. To stop, cancel the task or leave the `async with`.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._client: httpx.AsyncClient | None = None
        self._proxy = ""

    async def get_json(
        self, path: str, *, within: float | None = ANSWER_SECONDS, most: int = ANSWER_BYTES
    ) -> Answer:
        """The whole answer to a GET, of `most` bytes at most, within so many seconds; None waits for ever."""
        return await self._whole("GET", path, None, within, most)

    async def post_json(
        self, path: str, body: object, *, within: float | None = ANSWER_SECONDS, most: int = ANSWER_BYTES
    ) -> Answer:
        """The whole answer to a POST of `body` as JSON; see `get_json`."""
        return await self._whole("POST", path, body, within, most)

    @asynccontextmanager
    async def stream(self, path: str, body: object) -> AsyncIterator[Incoming]:
        """POST `body` as JSON and hand out the answer as soon as its headers are there, however long that takes.

        Leaving the block closes the connection, read to the end or not.
        """
        async with self._open("POST", path, body) as incoming:
            yield incoming

    async def aclose(self) -> None:
        """Close all connections. The object can be used again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turns what httpx raises inside of the block into `ReplyError`s."""
        import httpx

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

    async def _whole(
        self, method: str, path: str, body: object, within: float | None, most: int = ANSWER_BYTES
    ) -> Answer:
        try:
            async with asyncio.timeout(within), self._open(method, path, body) as incoming:
                return await incoming.whole(most)
        except TimeoutError:
            doubt = " Or it does not speak TLS: try http://." if self._is_tls else ""
            raise Cut(
                f"{self._name} did not answer within {within:g} seconds.",
                f"It may be busy loading a model: try again.{doubt}",
            ) from None

    @asynccontextmanager
    async def _open(self, method: str, path: str, body: object) -> AsyncIterator[Incoming]:
        await warm_up()
        client = self._ready()
        request = self._request(client, method, path, body)
        with self.failures():
            response = await client.send(request, stream=True)
            async with aclosing(response):
                incoming = Incoming(self, response)
                self._check_way(incoming)
                yield incoming

    def _request(self, client: httpx.AsyncClient, method: str, path: str, body: object) -> httpx.Request:
        import httpx

        content = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = {} if body is None else {"content-type": "application/json"}
        try:
            return client.build_request(method, self.server.url + path, content=content, headers=headers)
        except (httpx.InvalidURL, UnicodeError):
            raise self._no_url() from None

    def _check_way(self, incoming: Incoming) -> None:
        """Raise for answers that come from something on the way to the server."""
        if 300 <= incoming.status < 400:
            target = shown_url(incoming.headers.get("location", ""))
            raise Refused(
                f"{self._name} redirects to {target or 'nowhere'}.",
                "If you trust that address, set it as the URL: redirects are not followed.",
                status=incoming.status,
            )
        from_proxy = incoming.status in (502, 503, 504) and incoming.content_type != "application/json"
        if self._proxy and (incoming.status == 407 or from_proxy):
            raise self._proxy_error(f"it answered with status {incoming.status}")

    def _ready(self) -> httpx.AsyncClient:
        if not can_connect(self.server.url):
            raise self._no_url()
        if self._client is None:
            self._proxy = proxy_for(self.server)
            if self._proxy and not can_connect(self._proxy, PROXY_SCHEMES):
                raise self._proxy_error("that is not a URL of a proxy")
            self._client = self._connected()
        return self._client

    def _connected(self) -> httpx.AsyncClient:
        import httpx

        uds = self.server.uds
        try:
            transport = httpx.AsyncHTTPTransport(
                verify=self._trust(),
                proxy=self._proxy or None,
                uds=uds or None,
                socket_options=None if uds else socket_options(),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )
        except ImportError:
            raise Unreachable(
                f"The proxy {shown_url(self._proxy)} speaks SOCKS, for which a package is missing.",
                "Install it with `pip install 'tui-chat[socks]'`, or unset ALL_PROXY.",
            ) from None
        return httpx.AsyncClient(
            transport=transport,
            headers=headers_for(self.server),
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS, write=WRITE_SECONDS),
            trust_env=False,  # `proxy_for` has asked the environment
        )

    def _trust(self) -> ssl.SSLContext | bool:
        verify = self.server.verify
        if not verify or not self._is_tls:
            return False  # loading certificates takes time
        try:
            return ssl.create_default_context(cafile=verify) if isinstance(verify, str) else _usual_trust()
        except OSError as error:  # of which SSLError is one
            if isinstance(verify, str):
                raise Unreachable(
                    f"The CA file {clean_line(verify, 200)} of this server cannot be read.",
                    "Give the path of a file with certificates in PEM format.",
                ) from None
            raise Unreachable(
                f"The certificates to check {self._name} by cannot be read: {error.strerror or error}.",
                "Correct or unset the variables SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE.",
            ) from None

    @property
    def _is_tls(self) -> bool:
        return self.server.url.lower().startswith("https:")

    @property
    def _name(self) -> str:
        return clean_line(self.server.uds, 200) or shown_url(self.server.url)

    def _reply_error(self, error: httpx.HTTPError) -> ReplyError:
        import httpx

        match error:
            case httpx.ConnectTimeout():
                return Unreachable(
                    f"{self._name} did not answer within {CONNECT_SECONDS:g} seconds.",
                    "Is the machine on, and the port open in its firewall?",
                )
            case httpx.ProxyError():
                return self._proxy_error("it refused to connect")
            case httpx.ConnectError():
                return self._connect_error(error)
            case httpx.UnsupportedProtocol():
                return self._no_url()
            case httpx.TimeoutException():
                return Cut(f"{self._name} takes no more data.", "Check the network, then try again.")
            case httpx.RemoteProtocolError() if not _ended_early(error):
                return Garbled(f"{self._name} does not speak HTTP.", "Check the port, and http or https.")
        doubt = " Or it wants https://." if not self._is_tls and "without sending" in str(error) else ""
        return Cut(
            f"{self._name} closed the connection.",
            f"The server may have stopped: its log says why. Then try again.{doubt}",
        )

    def _connect_error(self, error: httpx.HTTPError) -> ReplyError:
        if self._proxy:
            return self._proxy_error("no connection to it, or none from there")
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLError):
                return self._tls_error(cause)
            if isinstance(cause, socket.gaierror):
                return Unreachable(
                    f"The host of {self._name} is not known.",
                    "Check the spelling of the URL, and the network. F3 chooses another server.",
                )
            if isinstance(cause, (PermissionError, FileNotFoundError)) and self.server.uds:
                return Unreachable(
                    f"The socket {self._name} cannot be opened.",
                    "Check the path, and that the server runs and lets you in.",
                )
        return Unreachable(
            f"Nothing answers at {self._name}.", f"{self._start} F3 chooses another server, and so does --url."
        )

    @property
    def _start(self) -> str:
        """How there may come to be a server where none is."""
        if self.server.uds or self.server.kind is Kind.OPENAI:
            return "Start the server there."
        if not is_loopback(urlsplit(self.server.url).hostname or ""):
            return "Is it running, and open to other machines (Ollama: OLLAMA_HOST=0.0.0.0)? Is the port right?"
        return "Start Ollama there with `ollama serve`."

    def _tls_error(self, cause: ssl.SSLError) -> ReplyError:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                f"The certificate of {self._name} is not trusted: {cause.verify_message}.",
                "F3, then ^R sets its CA file, or `off` for it if you know the machine.",
            )
        return Unreachable(f"{self._name} does not speak TLS.", "Try the URL with http:// instead of https://.")

    def _no_url(self) -> ReplyError:
        return Unreachable(f"{self._name or 'Nothing'} is not a URL.", "It should look like http://host:11434.")

    def _proxy_error(self, what: str) -> ReplyError:
        return Unreachable(
            f"The proxy {shown_url(self._proxy)} does not lead to {self._name}: {what}.",
            "Correct HTTP_PROXY or ALL_PROXY, or name the server's host in NO_PROXY.",
        )


def _usual_trust() -> ssl.SSLContext:
    """The certificates that httpx trusts: those that variables name, else those that come with it.

    Raises:
        OSError: there are none.
    """
    import httpx

    folders = os.environ.get("SSL_CERT_DIR", "")
    if folders and not any(map(os.path.isdir, folders.split(os.pathsep))):  # OpenSSL itself says nothing
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    return httpx.create_ssl_context()


def _ended_early(error: httpx.HTTPError) -> bool:
    """Whether a protocol error is only an early end: "peer closed connection ..." or "Server disconnected ..."."""
    return any(word in str(error).lower() for word in ("closed", "disconnected"))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and all that led to it; httpx keeps the system's own error at the end of the chain."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    if (cause := error.__cause__ or error.__context__) is not None:
        yield from _causes(cause)
