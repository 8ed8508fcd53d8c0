"""Settings: flags over environment over config file over defaults, and what is wrong with them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tui_chat import key_command
from tui_chat.config import (
    Config,
    config_path,
    default_data_dir,
    load_config,
)
from tui_chat.errors import ConfigError
from tui_chat.server import Kind, Secret
from tui_chat.servers.table import DEFAULT_URL, first_server, read_key
from tui_chat.typed import near, nearest, user_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def load(file: Path, text: str, environ: dict[str, str] | None = None, **flags: str | bool) -> Config:
    file.write_text(text)
    file.chmod(0o600)
    return load_config(environ or {}, file=file, **flags)  # type: ignore[arg-type]


def test_without_anything_there_are_defaults() -> None:
    config = load_config({"HOME": "/home/me"})
    assert not config.url
    assert first_server(config.url, config.servers).url == DEFAULT_URL
    assert not first_server(config.url, config.servers).named
    assert config.database == Path("/home/me/.local/share/tui-chat/chats.db")


def test_a_flag_goes_before_a_variable_and_that_before_the_file(file: Path) -> None:
    text = 'url = "http://file:1"\nmodel = "file"\nsystem = "file"'
    environ = {"TUI_CHAT_URL": "http://variable:1", "TUI_CHAT_MODEL": "variable", "OLLAMA_HOST": "ollama:1"}
    by_flag = load(file, text, environ, url="http://flag:1", model="flag", system="")
    assert (by_flag.url, by_flag.model, by_flag.system) == ("http://flag:1", "flag", "")
    by_variable = load(file, text, environ)
    assert (by_variable.url, by_variable.model) == ("http://variable:1", "variable")
    by_file = load(file, text, {"OLLAMA_HOST": "ollama:1"})
    assert (by_file.url, by_file.model, by_file.system) == ("http://file:1", "file", "file")
    assert load(file, "", {"OLLAMA_HOST": "ollama:1"}).url == "http://ollama:1"


def test_the_data_folder_is_the_flags_else_the_variables_else_the_files_else_xdgs(
    file: Path, tmp_path: Path
) -> None:
    environ = {"XDG_DATA_HOME": "/xdg", "HOME": "/home/me"}
    text = 'data_dir = "/from-file"'
    assert load(file, "", environ).data_dir == Path("/xdg/tui-chat")
    assert load(file, text, environ).data_dir == Path("/from-file")
    assert load(file, text, {**environ, "TUI_CHAT_DATA_DIR": "/variable"}).data_dir == Path("/variable")
    assert load_config(environ, data_dir=tmp_path).data_dir == tmp_path
    assert load_config({**environ, "TUI_CHAT_DATA_DIR": "."}).data_dir == Path()


def test_xdg_folders_that_are_not_absolute_do_not_count() -> None:
    environ = {"HOME": "/home/me", "XDG_CONFIG_HOME": "relative", "XDG_DATA_HOME": ""}
    assert config_path(environ) == Path("/home/me/.config/tui-chat/config.toml")
    assert default_data_dir(environ) == Path("/home/me/.local/share/tui-chat")


def test_all_settings_are_read(file: Path) -> None:
    config = load(
        file,
        """
        think = "low"
        theme = "nord"
        hang_up_minutes = 1.5
        options = { temperature = 0.5, num_ctx = 4096 }
        keys = { new-chat = "f9" }
        """,
    )
    assert (config.think, config.theme, config.hang_up_minutes) == ("low", "nord", 1.5)
    assert config.options == {"temperature": 0.5, "num_ctx": 4096}
    assert config.keys == {"new-chat": "f9"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("url = ]", ["not valid TOML", "line 1"]),
        ("modle = 1", ["unknown setting 'modle'", "Did you mean 'model'?"]),
        ("model = 1", ["model must be a string"]),
        ("think = 3", ["think must be true or false or a string"]),
        ("hang_up_minutes = true", ["hang_up_minutes must be a number, not True"]),
        ("keys = { send = 3 }", ["keys.send must be a string"]),
        ("options = 3", ["options must be a table"]),
        ("servers = 3", ["servers must be a list"]),
        ("servers = [3]", ["server 1 must be a table"]),
        ("[[servers]]\nurll = 'x'", ["unknown setting 'urll'", "Did you mean 'url'?"]),
        ("[[servers]]\nname = 'x'", ["server 1 has no url"]),
        ("[[servers]]\nurl = 'http://a'\nkind = 'olama'", ["unknown kind 'olama'", "Did you mean 'ollama'?"]),
        ("[[servers]]\nurl = 'http://a'\nheaders = 3", ["headers must be a table"]),
        ("[[servers]]\nurl = 'http://a'\nverify = 'false'", ["verify must be true or false"]),
        ("[[servers]]\nurl = 'http://a'\nheaders = { 'naïve' = 'v' }", ["'naïve' cannot be set"]),
        ("[[servers]]\nurl = 'http://a'\nheaders = { 'a b' = 'v' }", ["'a b' cannot be set"]),
        ("[[servers]]\nurl = 'http://a'\nheaders = { Content-Length = '3' }", ["'Content-Length' cannot be set"]),
        ("[[servers]]\nurl = 'http://a'\nheaders = { X = \"a\\nEvil: 1\" }", ["header X holds characters"]),
        ("url = 'ftp://a'", ["ftp"]),
        ("hang_up_minutes = " + "9" * 5000, ["not valid TOML", "digits"]),
        ("options = " + "[" * 5000, ["not valid TOML"]),
        ("options = { stop = 1979-05-27 }", ["options cannot be sent", "date"]),
        ("options = { temperature = inf }", ["options cannot be sent"]),
        ("hang_up_minutes = -1", ["hang_up_minutes must be 0 or more"]),
        ("hang_up_minutes = nan", ["hang_up_minutes must be 0 or more"]),
        ("data_dir = '~nobody-here/x'", ["~nobody-here/x", "no such home"]),
        ('data_dir = "a\\u0000b"', ["is not a valid file name"]),
        ("[[servers]]\nurl = 'https://a'\nca_file = '~nobody-here/x'", ["~nobody-here/x"]),
        ("[[servers]]\nsocket = '~nobody-here/x'", ["~nobody-here/x"]),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(file: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file, text)
    said = f"{caught.value} {caught.value.hint}"
    assert all(word in said for word in words), said
    assert caught.value.hint


def test_a_config_that_is_named_must_be_there_and_the_usual_one_need_not(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no config file"):
        load_config({}, file=tmp_path / "nowhere.toml")
    assert load_config({"HOME": str(tmp_path)}).servers == ()


def test_servers_are_read_and_the_url_may_name_one(file: Path) -> None:
    text = """
    url = "box"
    [[servers]]
    name = "box"
    url = "http://192.168.0.7:8080"
    kind = "openai"
    key = "secret"
    headers = { "X-Team" = "blue" }
    verify = false
    [[servers]]
    name = "local"
    socket = "/run/llama.sock"
    """
    config = load(file, text)
    box, local = config.servers
    assert first_server(config.url, config.servers) is box
    assert (box.url, box.kind, box.verify) == ("http://192.168.0.7:8080", Kind.OPENAI, False)
    assert box.headers == (("X-Team", "blue"),)
    assert "secret" not in repr(config)
    assert local.uds == "/run/llama.sock"
    assert first_server("http://192.168.0.7:8080", config.servers) is box


def test_a_key_in_a_file_that_others_can_read_is_warned_of(file: Path) -> None:
    text = '[[servers]]\nurl = "http://box:1"\nkey = "secret"'
    assert load(file, text).warnings == ()
    file.chmod(0o644)
    (warning,) = load_config({}, file=file).warnings
    assert "chmod 600" in warning
    assert "secret" not in warning


def test_a_key_comes_from_a_variable_a_file_or_a_command(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")

    def key(**table: str) -> str:
        secret = read_key("here", table, {"KEY": "from-variable", "PATH": "/usr/bin:/bin"})
        assert secret is not None
        return secret.reveal()

    assert key(key="direct") == "direct"
    assert key(key_env="KEY") == "from-variable"
    assert key(key_file=str(tmp_path / "key")) == "from-file"
    assert key(key_command="printf 'from-command\\nmore'") == "from-command"
    (tmp_path / "key").write_text("first\ncomment\n")
    assert key(key_file=str(tmp_path / "key")) == "first"
    (tmp_path / "key").write_text("\n")
    files = [
        {"key_file": str(tmp_path / "key")},
        {"key_file": str(tmp_path / "nope")},
        {"key_file": "~nobody-here/key"},
    ]
    commands = [{"key_command": "exit 3"}, {"key_command": "true"}]
    for table in (*files, *commands, {"key": "two\nlines"}, {"key": "\udce9"}):
        with pytest.raises(ConfigError):
            key(**table)
    assert read_key("here", {}, {}) is None


def test_what_a_key_command_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    command = f"sleep 600 & echo $! > {tmp_path}/pid; echo the-key"
    secret = read_key("here", {"key_command": command}, {"PATH": "/usr/bin:/bin"})
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # it still runs
    assert secret == Secret("the-key")


def test_a_key_command_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_command, "SECONDS", 0.1)
    with pytest.raises(ConfigError, match="did not end"):
        read_key("here", {"key_command": "exec sleep 600"}, {"PATH": "/usr/bin:/bin"})


def test_one_server_whose_key_file_cannot_be_does_not_keep_the_others(file: Path) -> None:
    config = load(
        file, "[[servers]]\nurl = 'http://a'\nkey_file = '~nobody-here/k'\n[[servers]]\nurl = 'http://b'"
    )
    assert [server.url for server in config.servers if server not in config.troubles] == ["http://b"]


@pytest.mark.parametrize("minutes", ["inf", "9" * 400])
def test_waiting_for_ever_after_a_hang_up_is_a_time_that_the_clock_can_hold(file: Path, minutes: str) -> None:
    assert load(file, f"hang_up_minutes = {minutes}").hang_up_minutes == 1e6


def test_paths_are_taken_as_a_person_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert user_path("~/chats") == Path("/home/me/chats")
    assert user_path("chats") == Path("chats")
    with pytest.raises(ConfigError, match=r"~nobody-here: no such home folder"):
        user_path("~nobody-here")


def test_the_nearest_name_is_offered_or_else_all() -> None:
    assert nearest("modle", ["model", "url"]) == "Did you mean 'model'?"
    assert nearest("mod", ["model", "url"]) == "Did you mean 'model'?"
    assert nearest("--bogus", ["--cloud", "--url"]) == "Known: --cloud, --url."
    assert near("/bogus", ["/mouse", "/new"]) == ""
    assert near("/nwe", ["/mouse", "/new"]) == "/new"
    assert nearest("zzz", ["model", "url"]) == "Known: model, url."


@pytest.mark.parametrize(
    ("text", "said"),
    [('think = "maybe"', "think cannot be"), ('[options]\ntemperature = "hot"', "must be a number")],
)
def test_what_the_server_would_refuse_later_is_said_at_the_start(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load_config({}, file=file)


def test_an_option_that_no_server_knows_is_told_of_and_left(file: Path) -> None:
    config = load(file, "[options]\ntemprature = 0.5\nseed = 1\nuse_mmap = true\nstop = ['x']")
    (warning,) = config.warnings
    assert "options.temprature is unknown to servers" in warning
    assert warning.endswith("Did you mean 'temperature'?")
    assert config.options["temprature"] == 0.5


def test_a_key_that_cannot_be_read_is_the_servers_trouble_and_need_not_be_read(file: Path) -> None:
    text = "[[servers]]\nurl = 'http://a'\nkey_env = 'NO_SUCH'\n[[servers]]\nurl = 'http://b'\nkey = 'k'"
    config = load(file, text)
    keyless, keyed = config.servers
    assert "NO_SUCH is not set" in str(config.troubles[keyless])
    assert (keyless.key, keyed.key) == (None, Secret("k"))
    config = load(file, text, keys=False)
    assert ([server.key for server in config.servers], config.troubles) == ([None, None], {})


def test_a_tilde_is_the_home_also_before_a_ca_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    (server,) = load(file, "[[servers]]\nurl = 'https://a'\nca_file = '~/ca.pem'").servers
    assert server.verify == "/home/me/ca.pem"
