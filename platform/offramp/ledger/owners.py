"""Who holds a claim: a process, named so that another process of the same machine can tell whether it has ended.

The name is ``host:boot:pid namespace:pid:start``. Where the kernel tells no start (not Linux) no owner is ever known to
have ended, and its claim runs out by time.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

_START_FIELD = 19  # of the fields after the command's name in /proc/<pid>/stat, which is field 22 of all


def this_process() -> str:
    """Return the name of this process as an owner."""
    pid = os.getpid()
    return f"{_place()}:{pid}:{_start(pid) or 'unknown'}"


def has_ended(owner: str) -> bool:
    """Tell whether the process that an owner names is known to have ended. False where that cannot be known."""
    place, pid, start = owner.rsplit(":", 2) if owner.count(":") >= 3 else ("", "", "")
    if place != _place() or not pid.isdigit() or not start.isdigit():
        return False
    found = _start(int(pid))
    return found != start if found is not None else not _exists(int(pid))


def _exists(pid: int) -> bool:
    """Ask the kernel: /proc may hide the processes of other users."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _start(pid) is not None


def _place() -> str:
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        namespace = "unknown"
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = "unknown"
    return f"{socket.gethostname()}:{boot}:{namespace}"


def _start(pid: int) -> str | None:
    """Return when a process started, in ticks since the machine did, or None if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # A killed child that its parent has not reaped yet has ended all the same.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[_START_FIELD]
