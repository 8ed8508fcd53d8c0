"""Errors for servers that cannot be reached or are lost, which say what to check."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tui_chat.errors import Cut, Remedy, ReplyError, Unreachable
from tui_chat.server import Kind, Server
from tui_chat.servers.route import is_loopback, shown_url
from tui_chat.text.sanitize import clean_line


@dataclass(frozen=True, slots=True)
class Way:
    """The route to a server; makes its errors."""

    server: Server
    proxy: str = ""
    """The URL of the proxy, empty for none."""

    @property
    def is_tls(self) -> bool:
        """Whether the server is spoken to over TLS."""
        return self.server.url.lower().startswith("https:")

    @property
    def name(self) -> str:
        """The server's name in errors."""
        return clean_line(self.server.uds, 200) or shown_url(self.server.url)

    def no_url(self) -> Unreachable:
        """Its address is invalid."""
        return Unreachable(f"{self.name or 'Nothing'} is not a URL.", "It should look like http://host:11434.")

    def bad_proxy(self, what: str) -> Unreachable:
        """The proxy fails, for the reason `what`."""
        return Unreachable(
            f"The proxy {shown_url(self.proxy)} does not reach {self.name}: {what}.",
            "Correct HTTP_PROXY or ALL_PROXY, or name the server's host in NO_PROXY.",
        )

    def no_certificates(self, verify: bool | str, error: OSError) -> Unreachable:
        """The certificates to check the server by cannot be read."""
        if isinstance(verify, str):
            what = f"Cannot read the CA file {clean_line(verify, 200)} of this server."
            return Unreachable(what, "Give the path of a file with certificates in PEM format.")
        return Unreachable(
            f"Cannot read the certificates to check {self.name}: {error.strerror or error}.",
            "Correct or unset the variables SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE.",
        )

    def timed_out(self, seconds: float) -> Unreachable:
        """No connection was made in time."""
        what = f"{self.name} did not answer within {seconds:g} seconds."
        return Unreachable(what, "Is the machine on, and the port open in its firewall?")

    def too_slow(self, seconds: float | None) -> Cut:
        """An answer took too long."""
        doubt = " Or it does not speak TLS: try http://." if self.is_tls else ""
        what = f"{self.name} did not answer within {seconds:g} seconds."
        return Cut(what, f"It may be busy loading a model.{doubt}", Remedy.RETRY)

    def closed(self, *, before_answering: bool) -> Cut:
        """The connection broke."""
        doubt = " Or it wants https://." if before_answering and not self.is_tls else ""
        hint = f"The server may have stopped: its log says why.{doubt}"
        return Cut(f"{self.name} closed the connection.", hint, Remedy.RETRY)

    def unreachable(self, error: Exception) -> ReplyError:
        """No connection could be made; the reason is among the causes of `error`."""
        if self.proxy:
            return self.bad_proxy("it cannot be reached, or cannot reach the server")
        for cause in _causes(error):
            match cause:
                case ssl.SSLCertVerificationError():
                    what = f"The certificate of {self.name} is not trusted: {cause.verify_message}."
                    hint = "If you trust the machine, set its CA file, or accept any certificate."
                    return Unreachable(what, hint, Remedy.TRUST)
                case ssl.SSLError():
                    hint = "Try the URL with http:// instead of https://."
                    return Unreachable(f"{self.name} does not speak TLS.", hint)
                case socket.gaierror():
                    hint = "Check the spelling of the URL, and the network."
                    return Unreachable(f"The host of {self.name} was not found.", hint, Remedy.CHOOSE_SERVER)
                case PermissionError() | FileNotFoundError() if self.server.uds:
                    hint = "Check the path and its permissions, and that the server runs."
                    return Unreachable(f"The socket {self.name} cannot be opened.", hint)
        return Unreachable(f"Nothing answers at {self.name}.", self._start, Remedy.CHOOSE_SERVER)

    @property
    def _start(self) -> str:
        """How to start a server there."""
        if self.server.uds or self.server.kind is Kind.OPENAI:
            return "Start the server there."
        if not is_loopback(urlsplit(self.server.url).hostname or ""):
            return "Is it running, and open to other machines (Ollama: OLLAMA_HOST=0.0.0.0)? Is the port right?"
        return "Start Ollama there with `ollama serve`."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and its causes; the system's own error is the last of the chain."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    if (cause := error.__cause__ or error.__context__) is not None:
        yield from _causes(cause)
