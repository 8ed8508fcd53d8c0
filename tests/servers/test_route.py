"""Which way a request takes."""

from __future__ import annotations

import pytest
from tui_chat.server import Secret, Server
from tui_chat.servers.route import can_connect, headers_for, is_loopback, proxy_for, shown_url

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "box.localhost",
        "localhost.",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "127.1",
        "2130706433",
        "::ffff:127.0.0.1",
        "localhost.localdomain",
    ],
)
def test_this_machine_is_known_by_all_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.com",
        "10.0.0.1",
        "::2",
        "0.0.0.0",
        "localhost.example.com",
        "127.0.0.1.nip.io",
        "10.1",
        "::ffff:10.0.0.1",
        "a\0b",
    ],
)
def test_no_other_machine_is_taken_for_this_one(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_counts_for_other_machines_only(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUEST_METHOD", raising=False)
    monkeypatch.setenv(variable, PROXY)
    assert proxy_for(Server("http://box.example:11434")) == PROXY
    for url in ("http://127.0.0.1:11434", "http://localhost:11434", "http://[::1]:11434"):
        assert proxy_for(Server(url)) == ""
    assert proxy_for(Server("http://box.example", uds="/run/box.sock")) == ""


def test_no_proxy_names_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "box.example,.lan")
    assert proxy_for(Server("http://box.example")) == ""
    assert proxy_for(Server("http://nas.lan:11434")) == ""
    assert proxy_for(Server("http://other.example")) == PROXY


def test_a_proxy_of_the_server_itself_counts_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://wrong.example")
    assert proxy_for(Server("http://127.0.0.1:11434", proxy=PROXY)) == PROXY


def test_a_key_goes_into_one_header_and_only_to_servers_that_the_user_named() -> None:
    named = dict(headers_for(Server("http://box", key=Secret("s3cret"))))
    assert named[b"authorization"] == b"Bearer s3cret"
    found = Server(
        "http://box", key=Secret("s3cret"), headers=(("api-key", "s3cret"), ("X-Team", "a")), named=False
    )
    assert b"s3cret" not in b"".join(value for _, value in headers_for(found))
    assert dict(headers_for(found))[b"x-team"] == b"a"


def test_an_empty_key_is_not_sent() -> None:
    assert b"authorization" not in dict(headers_for(Server("http://box", key=Secret(""))))


def test_headers_of_the_user_replace_ours() -> None:
    server = Server("http://box", key=Secret("s3cret"), headers=(("Authorization", "Basic abc"), ("X-Name", "é")))
    headers = headers_for(server)
    assert [value for name, value in headers if name == b"authorization"] == [b"Basic abc"]
    assert dict(headers)[b"x-name"] == "é".encode()
    assert dict(headers)[b"accept-encoding"] == b"identity"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:pw@box:11434/ollama?key=s#f", "http://box:11434/ollama"),
        ("http://[::1]:11434", "http://[::1]:11434"),
        ("http://me:pw@[::1", "[::1"),
        ("me:pw@box:1", "box:1"),
        ("/login?key=s", "/login"),
        ("http://box/\x1b[31m", "http://box/␛[31m"),
    ],
)
def test_a_shown_url_holds_no_secret_and_no_control(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize("url", ["http://box", "https://box:1/x", "http://[::1]:11434", "http://ü.example"])
def test_a_url_can_be_connected_to(url: str) -> None:
    assert can_connect(url)


@pytest.mark.parametrize(
    "url",
    ["", "box", "ftp://box", "http://", "http://box:0", "http://box:99999", "http://[::1", "http://" + "a" * 64],
)
def test_what_is_no_url_is_known_before_it_is_tried(url: str) -> None:
    assert not can_connect(url)
