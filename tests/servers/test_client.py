"""The HTTP client against a server that does everything wrong, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tui_chat.errors import Cut, Garbled, Refused, ReplyError, Unreachable
from tui_chat.server import Kind, Secret, Server
from tui_chat.servers.client import Answer, Call, Client

from tests.loopback import Exchange
from tests.server import ScriptedServer, Step, answer, cut, end, head, raw, reset, stall, wait, wire

CHAT = "/api/chat"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def always(data: bytes) -> Connected:
    """A server that answers `data` to whatever it is sent."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(data)
        writer.close()

    return connected


@asynccontextmanager
async def answering(data: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that is `always(data)`."""
    async with await asyncio.start_server(always(data), "127.0.0.1", ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def http(server: ScriptedServer) -> AsyncIterator[Client]:
    client = Client(Server(server.url))
    yield client
    await client.aclose()


async def streamed(http: Client) -> bytes:
    async with http.open(Call(CHAT, {})) as incoming:
        return (await incoming.whole(2**30)).body


async def failure(server: Server, *, within: float = 5.0) -> ReplyError:
    client = Client(server)
    with pytest.raises(ReplyError) as caught:
        await client.fetch(Call("/api/tags"), within=within)
    await client.aclose()
    assert caught.value.hint
    return caught.value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_importing_it_does_not_import_httpx() -> None:
    code = "import sys, tui_chat.servers.dialects.ollama; print('httpx' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


async def test_a_whole_answer_has_status_headers_and_body(server: ScriptedServer, http: Client) -> None:
    server.script(answer(404, b'{"error":"\xc3\xa9"}', headers=[("X-What", "This")]), path="/thing")
    got = await http.fetch(Call("/thing"))
    assert (got.status, got.ok, got.headers["x-what"]) == (404, False, "This")
    assert got.json() == {"error": "é"}
    assert got.text == '{"error":"é"}'


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe{", b"[" * 100_000])
def test_a_body_that_is_not_json_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        Answer(200, {}, body).json()


async def test_a_post_sends_json_and_the_headers_of_the_server(server: ScriptedServer) -> None:
    client = Client(Server(server.url + "/prefix", key=Secret("s3cret"), headers=(("X-Team", "a"),)))
    await client.fetch(Call("/x", {"text": "é\ud800"}))
    await client.aclose()
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/prefix/x")
    assert request.json() == {"text": "é?"}
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["x-team"] == "a"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["content-type"] == "application/json"


async def test_a_stream_is_handed_out_as_it_comes(server: ScriptedServer, http: Client) -> None:
    gate = asyncio.Event()
    server.script(head(), raw(b"one"), wait(gate), raw(b"two"), end())
    async with http.open(Call(CHAT, {})) as incoming:
        assert (incoming.status, incoming.ok, incoming.content_type) == (200, True, "application/x-ndjson")
        assert await incoming.next() == b"one"
        gate.set()
        assert [await incoming.next(), await incoming.next()] == [b"two", b""]


async def test_leaving_a_stream_closes_the_socket(server: ScriptedServer, http: Client) -> None:
    server.script(head(), raw(b"one"), stall())
    async with http.open(Call(CHAT, {})) as incoming:
        await incoming.next()
        assert not server.disconnected.is_set()
    await asyncio.wait_for(server.disconnected.wait(), 2)


async def test_cancelling_while_the_server_is_silent_closes_the_socket(
    server: ScriptedServer, http: Client
) -> None:
    reached = asyncio.Event()

    async def silent(_: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    server.script(silent)
    task = asyncio.create_task(streamed(http))
    await asyncio.wait_for(reached.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.disconnected.wait(), 2)


@pytest.mark.parametrize(
    "steps",
    [
        [cut()],
        [reset()],
        [head(), cut()],
        [head(), raw(b"one"), cut()],
        [head(), raw(b"one"), reset()],
        [wire(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"), cut()],
        [wire(b"HTTP/1.1 200"), cut()],
    ],
)
async def test_a_broken_connection_is_a_cut(steps: list[Step], server: ScriptedServer, http: Client) -> None:
    server.script(*steps)
    with pytest.raises(Cut) as caught:
        await streamed(http)
    assert server.url in str(caught.value)
    assert caught.value.hint


async def test_an_end_by_closing_looks_whole_to_http(server: ScriptedServer, http: Client) -> None:
    server.script(head(chunked=False), raw(b"one"), cut())
    assert await streamed(http) == b"one"


async def test_after_a_broken_connection_the_next_request_works(server: ScriptedServer, http: Client) -> None:
    server.script(head(), raw(b"one"), reset())
    server.script(head(), raw(b"two"), end())
    with pytest.raises(Cut):
        await streamed(http)
    assert await streamed(http) == b"two"


async def ports_of(server: ScriptedServer, http: Client, *, between: float = 0) -> int:
    """How many connections three questions take."""
    ports = set()

    async def note(exchange: Exchange) -> None:
        ports.add(exchange.writer.get_extra_info("peername")[1])

    server.script(note, answer(200, {}), path="/x")
    for _ in range(3):
        assert (await http.fetch(Call("/x", {}))).ok
        await asyncio.sleep(between)
    return len(ports)


async def test_questions_in_a_row_share_a_connection(server: ScriptedServer, http: Client) -> None:
    assert await ports_of(server, http) == 1


async def test_a_connection_is_not_kept_until_it_may_be_stale(
    server: ScriptedServer, http: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_chat.servers.client.IDLE_SECONDS", 0.01)
    assert await ports_of(server, http, between=0.1) == 3


async def test_an_answer_that_takes_too_long_is_a_cut(server: ScriptedServer, http: Client) -> None:
    server.script(stall(), path="/slow")
    with pytest.raises(Cut, match=r"within 0\.5 seconds"):
        await http.fetch(Call("/slow"), within=0.5)
    await asyncio.wait_for(server.disconnected.wait(), 10)


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x16\x03\x01\x00\x02\x02\x28" * 4])
async def test_another_protocol_is_garbled(data: bytes, server: ScriptedServer, http: Client) -> None:
    server.script(wire(data + b"\r\n\r\n"), cut())
    with pytest.raises(Garbled, match="does not speak HTTP"):
        await streamed(http)


async def test_an_endless_body_is_garbled(server: ScriptedServer, http: Client) -> None:
    server.script(head(), *[raw(b"x" * 60)] * 2, stall(), path="/x")
    with pytest.raises(Garbled, match="too large"):
        await http.fetch(Call("/x"), most=100)


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "Deflate", "br"])
async def test_a_body_that_is_compressed_unasked_is_never_inflated(
    coding: str, server: ScriptedServer, http: Client
) -> None:
    bomb = gzip.compress(gzip.compress(bytes(1_000_000)))
    server.script(head(headers=[("Content-Encoding", coding)]), raw(bomb), end())
    with pytest.raises(Garbled, match="compressed"):
        await streamed(http)


async def test_a_body_that_says_it_is_as_it_is_is_read(server: ScriptedServer, http: Client) -> None:
    server.script(head(headers=[("Content-Encoding", "identity")]), raw(b"one"), end())
    assert await streamed(http) == b"one"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_told_and_not_followed(status: int, server: ScriptedServer, http: Client) -> None:
    server.script(answer(status, b"", headers=[("Location", "https://me:pw@other.example/api/chat")]))
    with pytest.raises(Refused, match=r"redirects to https://other\.example/api/chat\.") as caught:
        await streamed(http)
    assert caught.value.status == status
    assert len(server.requests) == 1


async def test_nobody_there_is_told_with_the_url_and_how_to_start_ollama() -> None:
    port = free_port()
    error = await failure(Server(f"http://me:s3cret@127.0.0.1:{port}"))
    assert type(error) is Unreachable
    assert f"http://127.0.0.1:{port}" in str(error)
    assert "ollama serve" in error.hint
    assert "s3cret" not in f"{error} {error.hint}"


async def test_how_to_start_a_server_that_is_no_ollama_is_not_told() -> None:
    error = await failure(Server(f"http://127.0.0.1:{free_port()}", kind=Kind.OPENAI))
    assert "ollama" not in error.hint.lower()


async def test_nobody_at_another_machine_is_told_why_that_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.servers.unreachable.is_loopback", lambda host: False)
    error = await failure(Server(f"http://127.0.0.1:{free_port()}"))
    assert "OLLAMA_HOST=0.0.0.0" in error.hint
    assert "ollama serve" not in error.hint


async def test_a_server_that_hangs_up_at_once_may_want_https(server: ScriptedServer, http: Client) -> None:
    server.script(cut())
    with pytest.raises(Cut) as caught:
        await streamed(http)
    assert "https://" in caught.value.hint


async def test_an_unknown_host_is_told_as_such() -> None:
    error = await failure(Server("http://no-such-host.invalid:11434"))
    assert type(error) is Unreachable
    assert "http://no-such-host.invalid:11434" in str(error)
    assert "spelling" in error.hint


@pytest.mark.parametrize(
    "url", ["", "box", "ftp://box", "http://127.0.0.1:99999", "http://xn--.invalid", "http://[::1"]
)
async def test_a_url_that_is_none_is_told_as_such(url: str) -> None:
    error = await failure(Server(url))
    assert type(error) is Unreachable
    assert "is not a URL" in str(error)


async def test_tls_to_a_plain_port_is_told_as_such() -> None:
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        error = await failure(Server(f"https://127.0.0.1:{port}"))
    assert type(error) is Unreachable
    assert "does not speak TLS" in str(error)
    assert "http://" in error.hint


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
async def test_a_certificate_is_checked_against_the_ca_file_or_not_at_all(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=box", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command = ["openssl", "req", *kind, *subject, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    async with answering(OK, context) as port:
        url = f"https://127.0.0.1:{port}"
        error = await failure(Server(url))
        assert type(error) is Unreachable
        assert "is not trusted" in str(error)
        assert "CA file" in error.hint
        for verify in (str(cert), False):
            client = Client(Server(url, verify=verify))
            assert (await client.fetch(Call("/"))).ok
            await client.aclose()


async def test_a_ca_file_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    error = await failure(Server("https://127.0.0.1", verify=str(tmp_path / "no.pem")))
    assert "no.pem" in str(error)


async def test_a_header_that_http_forbids_is_told_without_its_value(server: ScriptedServer) -> None:
    error = await failure(Server(server.url, key=Secret("s3cret\nx")))
    assert type(error) is Unreachable
    assert "s3cret" not in f"{error} {error.hint}"
    assert error.__cause__ is None
    assert server.requests == []


async def test_a_unix_socket_is_used(tmp_path: Path) -> None:
    path = str(tmp_path / "box.sock")

    async with await asyncio.start_unix_server(always(OK), path):
        client = Client(Server("http://localhost", uds=path))
        assert (await client.fetch(Call("/"))).json() == {}
        await client.aclose()


async def test_a_unix_socket_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    error = await failure(Server("http://localhost", uds=str(tmp_path / "no.sock")))
    assert "no.sock" in str(error)


async def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    server: ScriptedServer, http: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert (await http.fetch(Call("/api/tags"))).ok


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSLKEYLOGFILE"])
@pytest.mark.parametrize("value", ["nowhere/at/all", "no-certificates", "folder"])
async def test_variables_that_name_no_certificates_are_told_of(
    variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no-certificates").write_text("x")
    (tmp_path / "folder").mkdir()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / value))
    error = await failure(Server(f"https://127.0.0.1:{free_port()}"))
    assert type(error) is Unreachable
    if (variable, value) == ("SSLKEYLOGFILE", "no-certificates"):
        assert "Nothing answers" in str(error)
    else:
        assert "Cannot read" in str(error)
        assert variable in error.hint


async def test_a_proxy_is_asked_for_the_whole_url(server: ScriptedServer) -> None:
    client = Client(Server("http://box.invalid:11434", proxy=server.url))
    server.script(answer(200, {"via": "proxy"}), path="http://box.invalid:11434/x")
    assert (await client.fetch(Call("/x"))).json() == {"via": "proxy"}
    await client.aclose()


@pytest.mark.parametrize("status", [407, 502, 503, 504])
async def test_a_page_of_the_proxy_is_told_as_the_proxys(status: int, server: ScriptedServer) -> None:
    proxy = server.url.replace("http://", "http://me:s3cret@")
    server.script(answer(status, b"<html>Squid", "text/html"), path="http://box.invalid/api/tags")
    error = await failure(Server("http://box.invalid", proxy=proxy))
    assert type(error) is Unreachable
    assert f"The proxy {server.url} does not reach http://box.invalid" in str(error)
    assert str(status) in str(error)
    assert "NO_PROXY" in error.hint
    assert "s3cret" not in f"{error} {error.hint}"


async def test_an_error_of_the_server_behind_the_proxy_is_the_servers(server: ScriptedServer) -> None:
    client = Client(Server("http://box.invalid", proxy=server.url))
    server.script(answer(503, {"error": "busy"}), path="http://box.invalid/x")
    assert (await client.fetch(Call("/x"))).status == 503
    await client.aclose()


async def test_a_proxy_that_is_not_there_is_told_as_such() -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    error = await failure(Server("http://box.invalid", proxy=proxy))
    assert type(error) is Unreachable
    assert f"The proxy {proxy}" in str(error)


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1", "http://127.0.0.1:99999", "http://"])
async def test_a_proxy_that_is_no_url_is_told_as_such(proxy: str) -> None:
    error = await failure(Server("http://127.0.0.1:1", proxy=proxy))
    assert "not a proxy's URL" in str(error)


async def test_socks_without_its_package_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.delenv("NO_PROXY", raising=False)
    error = await failure(Server("http://box.invalid"))
    assert type(error) is Unreachable
    assert "SOCKS" in str(error)
    assert "tui-chat-llm[socks]" in error.hint


async def test_a_closed_client_can_be_used_again(server: ScriptedServer, http: Client) -> None:
    await http.aclose()
    assert (await http.fetch(Call("/api/tags"))).ok
