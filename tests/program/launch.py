"""Becomes another program, in the terminal on its standard input: `launch.py BYTES PROGRAM ARGUMENTS...`.

The terminal becomes the controlling one, so that hanging up sends SIGHUP. `BYTES`, if not 0, is the size beyond
which no file of the program can grow: a full disk, as far as a program can tell. Root loses its right to write
everywhere, so that permissions count for it as for anybody (capabilities(7), prctl(2): PR_CAPBSET_DROP).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import sys
import termios

if __name__ == "__main__":
    limit, program = int(sys.argv[1]), sys.argv[2]
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # inherited: writing fails with EFBIG instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    os.execv(program, [program, *sys.argv[3:]])
