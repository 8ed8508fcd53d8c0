"""Marks for terminals whose fonts lack some: the Linux console has 512 glyphs at most, and shows blots for others.

What `LINUX` gives is in the kernel's own font (drivers/tty/vt/cp437.uni) and in Debian's (Uni2-Fixed16,
Lat15-Fixed16). All are one cell wide, so that nothing moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LINUX: Final[Mapping[int, int]] = str.maketrans(
    "❯●○◌◦▪▸▾★✎✓✗☐☑↻↗↪…‥‘’‚“”„‹›⟨⟩‐‑–—―┃┊┆╌━▌▎▍▏▀╭╮╰╯╴╶╵╷⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    '>•oo·■▶▼*~+xox*^».:\'\',"""<><>-----│││──││││■┌┐└┘──││|/-\\|/-\\|/',
)
