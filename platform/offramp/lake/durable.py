"""Writing files so that a kill or a power cut leaves the old state or the new one."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import finalize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MARK = ".tmp-"


def flush(path: Path) -> None:
    """Make a file's bytes, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def place(temporary: Path, final: Path) -> None:
    """Give a finished file its final name in one step, over an earlier file of that name."""
    flush(temporary)
    try:
        temporary.replace(final)
    except FileNotFoundError:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(final)
    flush(final.parent)


def place_once(temporary: Path, final: Path) -> bool:
    """Give a finished file its final name unless that is taken; return whether it was free."""
    final.parent.mkdir(parents=True, exist_ok=True)
    flush(temporary)
    try:
        os.link(temporary, final)
    except FileExistsError:
        return False
    flush(final.parent)
    return True


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock against other threads and processes; the kernel drops it when a process is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class WorkFolder:
    """A temporary folder beside the final place, locked as long as its owner lives.

    Make one while the parent's lock is held, so that a new folder is never taken for a dead one.
    """

    def __init__(self, parent: Path, stem: str) -> None:
        self.path = parent / f"{stem}{_MARK}{uuid.uuid4().hex}"
        self.path.mkdir(parents=True)
        descriptor = os.open(self.path, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._unlock = finalize(self, os.close, descriptor)

    def release(self) -> None:
        """Drop the lock; the folder stays."""
        self._unlock()

    def remove(self) -> None:
        """Remove the folder with all in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._unlock()


def stem_of(folder: Path) -> str | None:
    """Return the stem of a work folder, or None for any other folder."""
    stem, mark, _ = folder.name.partition(_MARK)
    return stem if mark else None


def sweep(parent: Path) -> int:
    """Remove the work folders that killed processes left, and return how many. Hold the parent's lock."""
    removed = 0
    for folder in parent.glob(f"*{_MARK}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # its owner removed it since the listing
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
        finally:
            os.close(descriptor)
    return removed


@dataclass(slots=True)
class _Shared:
    folder: WorkFolder
    users: int = 0


_SHARED: dict[tuple[Path, int], _Shared] = {}
_SHARED_LOCK = threading.Lock()


@contextmanager
def work_folder(root: Path) -> Iterator[Path]:
    """Give a temporary folder on the lake's file system, removed afterwards; dead ones are swept before.

    Those that a process has open at once stand in one that is locked, so whoever needs many holds one around them:
    to lock and to sweep costs five times as much as a folder.
    """
    with _shared(root) as folder:
        path = folder / uuid.uuid4().hex
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def work_file(root: Path) -> Iterator[Path]:
    """Give the path of a temporary file on the lake's file system, as ``work_folder`` gives a folder."""
    with _shared(root) as folder:
        path = folder / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def _shared(root: Path) -> Iterator[Path]:
    key = (root / "scratch", os.getpid())
    with _SHARED_LOCK:
        if key not in _SHARED:
            with locked(key[0]):
                sweep(key[0])
                _SHARED[key] = _Shared(WorkFolder(key[0], "work"))
        shared = _SHARED[key]
        shared.users += 1
    try:
        yield shared.folder.path
    finally:
        with _SHARED_LOCK:
            shared.users -= 1
            is_last = shared.users == 0
            if is_last:
                del _SHARED[key]
        if is_last:
            shared.folder.remove()
