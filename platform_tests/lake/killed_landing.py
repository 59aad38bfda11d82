"""Lands two tables and ends itself with SIGKILL at a step: run as a program with the lake's folder and the step."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from platform_tests.lake.shop import PLAYS, USERS, hour, land, plays, store_at, users


def main(root: Path, fatal: str) -> None:
    def at_step(step: str) -> None:
        if step == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    land(store_at(root, at_step), hour(2), (USERS, users((1, "b"))), (PLAYS, plays((1, 1), (2, 2))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
