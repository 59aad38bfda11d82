"""Run a command as a process of its own and read what it cost from the operating system."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Cost:
    """One finished process: wall and CPU (user and system) seconds, peak resident memory in MB."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


# A child's peak begins with that of the process that started it, so a small one starts what is measured.
_LAUNCHER = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
figures = (time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
os.write(int(sys.argv[1]), " ".join(map(str, (os.waitstatus_to_exitcode(status), *figures))).encode())
"""


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end. A failed one ends the measurement with what it printed."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    told, telling = os.pipe()
    with os.fdopen(told) as figures:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(telling), *command],
            env=variables | dict(environment or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=[telling], check=False,
        )  # fmt: skip
        os.close(telling)
        code, *found = figures.read().split() or ["nothing", "0", "0", "0"]
    if code != "0":
        sys.exit(f"{' '.join(command)} ended with {code}:\n{done.stdout.decode()}")
    return Cost(*map(float, found))


def in_turn(commands: Mapping[str, Sequence[str]], *, runs: int, warm_up: bool = True) -> dict[str, Cost]:
    """Run named commands in turn (A B A B ...), so that a drift of the machine meets all, and return medians."""
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(runs + warm_up):
        for name, command in commands.items():
            cost = run(command)
            if number or not warm_up:
                found[name].append(cost)
    return {name: medians(costs) for name, costs in found.items()}


def medians(costs: Sequence[Cost]) -> Cost:
    """Return the median times and the highest peak."""
    return Cost(
        median(cost.wall_seconds for cost in costs),
        median(cost.cpu_seconds for cost in costs),
        max(cost.peak_mb for cost in costs),
    )


def total(costs: Sequence[Cost]) -> Cost:
    """Return what several processes cost together, one after the other."""
    return Cost(
        sum(cost.wall_seconds for cost in costs),
        sum(cost.cpu_seconds for cost in costs),
        max(cost.peak_mb for cost in costs),
    )
