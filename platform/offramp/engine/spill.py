"""The folder that an engine spills into: its own, removed at the end, swept by the next engine after a kill."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX = "spill-"


@contextmanager
def spill_folder(scratch: Path) -> Iterator[Path]:
    """Give a folder for one session.

    The folder is locked as long as its process lives; the kernel drops the lock when a process is killed, so an
    unlocked folder is one that nobody will remove. The scratch folder itself is locked while folders are made
    and swept, so that a new folder is never taken for a dead one.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    folder = scratch / f"{_PREFIX}{uuid.uuid4().hex}"
    scratch_lock = os.open(scratch, os.O_RDONLY)
    try:
        fcntl.flock(scratch_lock, fcntl.LOCK_EX)
        _sweep(scratch)
        folder.mkdir()
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        os.close(scratch_lock)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(scratch: Path) -> None:
    for folder in scratch.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # its session ended between the listing and here
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
