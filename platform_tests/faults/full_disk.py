"""A folder on a small file system that really fills up."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK_BYTES = 4096
_BALLAST = ".ballast"


@dataclass(frozen=True)
class FullDisk:
    """A file system of its own; every account may write in ``folder``."""

    folder: Path

    @property
    def free_bytes(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Take the room, but for so much of it, until ``free()``."""
        with (self.folder / _BALLAST).open("ab") as ballast:
            end = ballast.seek(0, os.SEEK_END)
            wanted = (self.free_bytes - leave_bytes) // _BLOCK_BYTES * _BLOCK_BYTES
            if wanted > 0:
                os.posix_fallocate(ballast.fileno(), end, wanted)

    def free(self) -> None:
        """Give back what ``fill`` took."""
        (self.folder / _BALLAST).unlink(missing_ok=True)


@contextmanager
def full_disk(megabytes: int) -> Iterator[FullDisk]:
    """Mount a tmpfs of so many MiB, and unmount it at the end even if somebody still holds a file there.

    It takes root, as in a container's CI job or under ``sudo``. Where mounting is not permitted the test fails and says
    so: it must not pass without its fault.
    """
    folder = Path(tempfile.mkdtemp(prefix="offramp-disk-"))
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=1777", "offramp-disk", folder],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if mounted.returncode != 0:
            pytest.fail(f"a full disk needs the right to mount a tmpfs: run as root. mount: {mounted.stderr.strip()}")
        try:
            yield FullDisk(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    finally:
        folder.rmdir()
