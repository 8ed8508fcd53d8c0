"""URLs as they are pasted."""

from __future__ import annotations

import pytest
from tui_chat.errors import ConfigError
from tui_chat.servers.address import base_url


@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        ("http://box:8000", "http://box:8000"),
        ("http://box:8000/", "http://box:8000"),
        ("http://box:8000/v1", "http://box:8000"),
        ("http://box:8000/v1/", "http://box:8000"),
        ("http://box:8000/v1/chat/completions", "http://box:8000"),
        ("http://box:8000/v1/completions/", "http://box:8000"),
        ("http://box:8000/v1/models?x=1#y", "http://box:8000"),
        ("HTTP://box:8000/V1", "http://box:8000"),
        ("http://box:11434/api/", "http://box:11434/api"),
        ("http://box:11434/api/chat", "http://box:11434"),
        ("http://box:3000/api/chat/completions", "http://box:3000"),
        ("http://box:1234/api/v0/models", "http://box:1234"),
        ("https://box/llm/v1", "https://box/llm"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api"),
        ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api"),
        ("https://box/v1beta", "https://box/v1beta"),
        ("https://box/apis", "https://box/apis"),
        ("box", "http://box:11434"),
        ("box:8080/v1", "http://box:8080"),
        (" '192.168.1.5' ", "http://192.168.1.5:11434"),
        ("gpu.local/v1", "http://gpu.local:11434"),
        ("api.openai.com/v1", "https://api.openai.com"),
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("http://0.0.0.0:8080/v1", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("http://box//v1", "http://box"),
        ("http://box/llm//v1/models/", "http://box/llm"),
    ],
)
def test_a_pasted_url_is_cut_down_to_its_base(pasted: str, base: str) -> None:
    assert base_url(pasted) == base
    assert base_url(base) == base


@pytest.mark.parametrize(
    "pasted",
    [
        "ftp://box",
        "http://",
        "file:///etc/passwd",
        "http://box:99999/",
        "http://[::1",
        "://",
        "my box",
        "http://box/\x1b]0;x",
        "http://box/\u202e",
    ],
)
def test_what_is_no_url_says_so(pasted: str) -> None:
    with pytest.raises(ConfigError):
        base_url(pasted)


@pytest.mark.parametrize(
    ("pasted", "port"),
    [
        ("localhost:99999", "99999"),
        ("localhost:0", "0"),
        ("localhost:-1", "-1"),
        ("localhost:abc/v1", "abc"),
        ("[::1]:99999", "99999"),
        (":99999", "99999"),
        ("http://box:99999/", "99999"),
        ("http://me:pw@box:port?x=1", "port"),
        ("box:65536", "65536"),
        ("box:\u0661", "\u0661"),
    ],
)
def test_an_impossible_port_is_named(pasted: str, port: str) -> None:
    with pytest.raises(ConfigError) as caught:
        base_url(pasted)
    assert str(caught.value) == f"{port} is not a port."
    assert "65535" in caught.value.hint


@pytest.mark.parametrize(
    "pasted", ["box:", "box:65535", "::1", "fe80::1%eth0", "me:pw@box", "http://[::1]", "box/a:b"]
)
def test_what_only_looks_like_a_bad_port_is_none(pasted: str) -> None:
    assert base_url(pasted)


@pytest.mark.parametrize(
    "pasted",
    ["http://me:s3cret@box:99999", "http://me:s3c/r?t#@box:0", "ftp://me:s3c@ret@box", "ftp://box?key=s3cret"],
)
def test_what_is_no_url_is_told_without_its_secrets(pasted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        base_url(pasted)
    assert "s3c" not in f"{caught.value} {caught.value.hint}"
