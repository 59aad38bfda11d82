"""The folder that an engine spills into: its own, removed at the end, swept by the next instance after a kill."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX = "spill-"


class SpillFolder:
    """A folder for one DuckDB instance; folders that killed processes left are swept as it is made.

    The folder is locked as long as its process lives; the kernel drops the lock when a process is killed, so an
    unlocked folder is one that nobody will remove. The scratch folder itself is locked while folders are made
    and swept, so that a new folder is never taken for a dead one.
    """

    def __init__(self, scratch: Path) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self.path = scratch / f"{_PREFIX}{uuid.uuid4().hex}"
        scratch_lock = os.open(scratch, os.O_RDONLY)
        try:
            fcntl.flock(scratch_lock, fcntl.LOCK_EX)
            _sweep(scratch)
            self.path.mkdir()
            self._made_at = self.path.stat().st_mtime_ns
            self._lock = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            os.close(scratch_lock)

    @property
    def is_untouched(self) -> bool:
        """True where the folder is there and nothing was ever spilled into it."""
        try:
            return self.path.stat().st_mtime_ns == self._made_at
        except FileNotFoundError:
            return False

    def remove(self) -> None:
        """Remove the folder with all in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


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
