"""Which process writes a reply, and whether it still lives.

A process id alone is reused, so it goes with the process's start time; both mean something only on one boot of
one host and in one process namespace. A process on another host (a home on NFS) cannot be asked: it counts as
living while it goes on writing.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SILENCE: Final = 120.0
"""Seconds without a checkpoint after which a process that cannot be asked counts as gone."""
MACHINE: Final = Path("/etc/machine-id")
_PID: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class ProcessId:
    """Identifies a process, also across reboots and where process ids are used again."""

    host: str
    """Its name and, after a slash, the machine's own id where that can be read: a name can be given to several."""
    boot: str
    """The kernel's boot and the process namespace: within one, process ids can be compared."""
    pid: int
    started: str
    """When it started, in the system's own words."""

    @classmethod
    def current(cls) -> ProcessId:
        """This process."""
        return cls(_host(), _boot(), os.getpid(), _started(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> ProcessId:
        """The owner whose `str` is `text`; one that never lived if it is not an owner's."""
        parts = text.split("\t")
        if len(parts) != 4 or not _PID.fullmatch(parts[2]):
            return cls("", "", 0, "")
        return cls(parts[0], parts[1], int(parts[2]), parts[3])

    @classmethod
    def living(cls, text: str | None, here: ProcessId, silent: float) -> ProcessId | None:
        """The owner whose `str` is `text`, if there is one and it is `alive`."""
        owner = cls.parse(text or "")
        return owner if owner.alive(here, silent) else None

    def __str__(self) -> str:
        return f"{self.host}\t{self.boot}\t{self.pid}\t{self.started}"

    def alive(self, here: ProcessId, silent: float) -> bool:
        """Whether the process lives, seen from the process `here`, `silent` seconds after it last wrote."""
        if self.pid <= 0:
            return False
        if self == here:
            return True
        if self.started and self.host == here.host and self.boot == here.boot:
            return _started(self.pid) == self.started
        same_machine = self.host == here.host and not here.host.endswith("/")
        if same_machine and self.boot.partition("/")[0] != here.boot.partition("/")[0]:
            return False  # it was started anew since
        return abs(silent) < SILENCE


def _host() -> str:
    try:
        machine = MACHINE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    return f"{socket.gethostname()}/{machine}"


def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """The start time by `/proc/PID/stat` (proc(5): field 22, after the name in brackets), else by `ps`."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]  # a zombie is not a living process
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    except OSError:
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
