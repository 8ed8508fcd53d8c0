"""`OLLAMA_HOST`: the table of Ollama's own test of `envconfig.Host()`, with addresses that can be connected to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.servers.address import parse_ollama_host


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":1234", "http://127.0.0.1:1234"),
        ("1.2.3.4:1234", "http://1.2.3.4:1234"),
        ("example.com", "http://example.com:11434"),
        ("example.com:1234", "http://example.com:1234"),
        (":0", "http://127.0.0.1:11434"),  # any port, to listen on
        (":66000", "http://127.0.0.1:11434"),
        (":-1", "http://127.0.0.1:11434"),
        (":http", "http://127.0.0.1:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::]", "http://[::1]:11434"),
        ("::", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("fe80::1%eth0", "http://[fe80::1%eth0]:11434"),
        ("[::1]:1337", "http://[::1]:1337"),
        (" 1.2.3.4 ", "http://1.2.3.4:11434"),
        ('"1.2.3.4"', "http://1.2.3.4:11434"),
        (' " 1.2.3.4 " ', "http://1.2.3.4:11434"),
        ("'1.2.3.4'", "http://1.2.3.4:11434"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("http://1.2.3.4:4321", "http://1.2.3.4:4321"),
        ("https://1.2.3.4", "https://1.2.3.4:443"),
        ("https://1.2.3.4:4321", "https://1.2.3.4:4321"),
        ("https://1.2.3.4:99999", "https://1.2.3.4:443"),
        ("https://example.com/ollama", "https://example.com:443/ollama"),
        ("https://example.com/a/b/", "https://example.com:443/a/b"),
        ("http://example.com/", "http://example.com:80"),
        ("example.com/ollama", "http://example.com:11434/ollama"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0", "http://127.0.0.1:80"),
        ("[::]:8080", "http://[::1]:8080"),
        ("ollama.com", "https://ollama.com:443"),
        ("http://ollama.com", "http://ollama.com:80"),
        ("https://me:pw@example.com", "https://me:pw@example.com:443"),
        ("HTTPS://Example.com", "https://Example.com:443"),
    ],
)
def test_a_host_becomes_the_url_that_ollama_would_connect_to(value: str, url: str) -> None:
    assert parse_ollama_host(value) == url


@given(st.text(alphabet="a1.:/[]@% \"'é-", max_size=30))
def test_any_value_gives_some_url_without_a_slash_at_its_end(value: str) -> None:
    url = parse_ollama_host(value)
    assert "://" in url
    assert not url.endswith("/")
