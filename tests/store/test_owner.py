"""A process is known again, and known to be gone."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tui_chat.store import owner
from tui_chat.store.owner import SILENCE, ProcessId


def test_this_process_lives_and_is_read_back() -> None:
    here = ProcessId.current()
    assert here.pid == os.getpid()
    assert ProcessId.parse(str(here)) == here
    assert here.alive(here, 1e9)


def test_another_process_lives_until_it_ends() -> None:
    here = ProcessId.current()
    program = "import sys; from tui_chat.store.owner import ProcessId; print(repr(str(ProcessId.current())), flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        other = ProcessId.parse(child.stdout.readline().strip().strip("'").replace("\\t", "\t"))
        assert other.pid == child.pid
        assert other.alive(here, 1e9)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not other.alive(here, 0), "a zombie does not write"
    assert not other.alive(here, 0)


@pytest.mark.parametrize(
    ("change", "silent", "alive"),
    [
        ({"started": "another time"}, 0.0, False),
        ({"boot": "another boot/x"}, 0.0, False),
        ({"host": "another"}, SILENCE - 1, True),
        ({"host": "another"}, SILENCE + 1, False),
    ],
)
def test_what_is_not_this_process_is_told_apart(
    change: dict[str, str], silent: float, alive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = tmp_path / "machine-id"  # containers and fresh systems have none
    machine.write_text("aaaa\n")
    monkeypatch.setattr(owner, "MACHINE", machine)
    here = ProcessId.current()
    assert dataclasses.replace(here, **change).alive(here, silent) is alive  # type: ignore[arg-type]


def test_two_machines_of_one_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = tmp_path / "machine-id"
    monkeypatch.setattr(owner, "MACHINE", machine)
    here = dataclasses.replace(ProcessId.current(), boot="boot/ns")
    unknown = dataclasses.replace(here, boot="another boot/ns")
    assert unknown.alive(here, 0), "without an id, another boot may be another machine's"
    assert not unknown.alive(here, SILENCE + 1)
    machine.write_text("aaaa\n")
    here = dataclasses.replace(ProcessId.current(), boot="boot/ns")
    machine.write_text("bbbb\n")
    other = dataclasses.replace(ProcessId.current(), boot="another boot/ns")
    assert other.alive(here, 0)
    assert not other.alive(here, SILENCE + 1)
    assert not dataclasses.replace(here, boot="another boot/ns").alive(here, 0), "started anew"


def test_another_container_on_this_machine_is_judged_by_its_silence() -> None:
    here = ProcessId.current()
    other = dataclasses.replace(here, boot=here.boot.partition("/")[0] + "/pid:[1]")
    assert other.alive(here, 0)
    assert not other.alive(here, SILENCE + 1)


@pytest.mark.parametrize("text", ["", "nonsense", "a\tb\tc\td", "a\tb\t-1\td", "a\tb\t²\td"])
def test_an_unreadable_owner_is_gone(text: str) -> None:
    here = ProcessId.current()
    assert not ProcessId.parse(text).alive(here, 0)
    assert ProcessId.living(f"{here.host}\t{here.boot}\t{1 << 70}\tx", here, 0) is None
