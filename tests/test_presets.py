"""A preset is a file that one may write by hand: what is wrong in it is told with its place, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_chat.cli import main, parse, with_flags
from tui_chat.config import Config, load_config
from tui_chat.errors import ConfigError
from tui_chat.parameters import Parameters
from tui_chat.presets import Preset, preset_names, read_preset, save_preset
from tui_chat.servers.table import first_server
from tui_chat.text.sanitize import clean, clean_line

from tests.test_parameters import parameters

POET = Preset("poet", "tiny", "box", 'Rhyme.\n"Always."', Parameters(temperature=1.2, stop=("END",), think=False))


@given(
    st.builds(
        Preset,
        st.just("any"),
        st.text(max_size=20).map(clean_line),
        st.sampled_from(["", "box", "http://box:11434", "https://box/v1", "http+unix:/run/a.sock"]),
        st.text(max_size=60).map(clean),
        parameters,
    )
)
def test_what_is_saved_is_read_again(tmp_path_factory: pytest.TempPathFactory, preset: Preset) -> None:
    folder = tmp_path_factory.getbasetemp() / "presets"
    save_preset(folder, preset)
    assert read_preset(folder, "any", ["box"]) == preset


def test_a_preset_is_for_its_owner_alone_and_listed_by_its_name(tmp_path: Path) -> None:
    assert preset_names(tmp_path / "presets") == []
    path = save_preset(tmp_path / "presets", POET)
    assert path.stat().st_mode & 0o777 == 0o600
    (path.parent / "notes.txt").touch()
    (path.parent / ".hidden.toml").touch()
    assert preset_names(path.parent) == ["poet"]


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("seed = 1\ntempreature = 1", ", line 2: unknown setting 'tempreature'", "Did you mean 'temperature'?"),
        ("# hot\r\n\r\n  temperature = 5", ", line 3: temperature must be 0 to 2, not '5'", "Correct that line."),
        ('"model" = 5', ", line 1: model must be a string", "Put it in quotes."),
        ("seed = 1\nmodel = 5", ", line 2: model must be a string", "Put it in quotes."),
        ("seed = 1\nmodel = \n", "is not valid TOML: Invalid value (at line 2, column 9)", "Fix that line"),
        ('system = """\nseed = x\n"""\nseed = -1', ", line 4: seed must be a whole number", "Correct that line."),
        ('server = "bxo"', "there is no server 'bxo'", "Did you mean 'box'?"),
        ('think = "much"', "think must be off, on, low, medium, high, max, not 'much'", "Correct that line."),
        ("[parameters]\nseed = 1", "unknown setting 'parameters'", "Known:"),
        ('stop = ["a", 1]', "stop must be up to 16 words", "Correct that line."),
    ],
)
def test_a_mistake_is_told_with_its_file(tmp_path: Path, text: str, said: str, hint: str) -> None:
    (tmp_path / "poet.toml").write_text(text, newline="")
    with pytest.raises(ConfigError) as caught:
        read_preset(tmp_path, "poet", ["box"])
    assert str(caught.value).startswith(str(tmp_path / "poet.toml"))
    assert said in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", ["../poet", "a/b", "", ".", "..", "-x", "a" * 61, "a\x1b[2J", "a\nb"])
def test_a_name_that_is_none_for_a_file_is_refused(tmp_path: Path, name: str) -> None:
    for use in (lambda: read_preset(tmp_path, name), lambda: save_preset(tmp_path, Preset(name))):
        with pytest.raises(ConfigError) as caught:
            use()
        assert caught.value.told.isprintable()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_preset_is_told_with_the_nearest(tmp_path: Path) -> None:
    save_preset(tmp_path, POET)
    with pytest.raises(ConfigError, match="no preset 'poem'") as caught:
        read_preset(tmp_path, "poem")
    assert caught.value.hint == "Did you mean 'poet'?"


def loaded(tmp_path: Path, *words: str) -> Config:
    arguments = parse(["--config", str(tmp_path / "config.toml"), *words])
    return with_flags(
        load_config({"HOME": str(tmp_path)}, file=arguments.config, url=arguments.url, system=arguments.system),
        arguments,
    )


def test_a_start_takes_a_preset_and_flags_precede_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[[servers]]\nname = "box"\nurl = "http://box:1"\n')
    save_preset(tmp_path / "presets", POET)
    config = loaded(tmp_path, "--preset", "poet")
    assert (config.url, config.model, config.system, config.pinned) == ("box", "tiny", POET.system, True)
    assert first_server(config.url, config.servers).url == "http://box:1"
    assert config.parameters == POET.parameters
    config = loaded(
        tmp_path, "ask", "--preset", "poet", "--think", "high", "-m", "big", "-s", "", "--url", "http://a"
    )
    assert (config.url, config.model, config.system) == ("http://a", "big", "")
    assert config.parameters == Parameters(temperature=1.2, stop=("END",), think="high")


def test_a_wrong_preset_ends_a_start_with_the_code_for_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").touch()
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "poet.toml").write_text("temperature = 7")
    flags = ["--config", str(tmp_path / "config.toml"), "--data-dir", str(tmp_path)]
    assert main([*flags, "ask", "--preset", "poet", "hi"]) == 2
    assert "temperature must be 0 to 2, not '7'" in capsys.readouterr().err
