"""A folder of this machine, or one that is mounted here: the outbox."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from offramp.destinations.names import check_name, deepest_folder, is_stale, is_temporary, temporary_name
from offramp.destinations.uploads import (
    TemporaryUpload,
    came_meanwhile,
    gone,
    other_bytes,
    shown,
    upload_gone,
)
from offramp.domain.contents import Content, Standing
from offramp.domain.errors import DestinationRefused, DestinationUnreachable
from offramp.domain.steps import around, no_step, nothing_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from offramp.domain.ports import PendingFile

_COPY_BYTES = 64 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}
_PATH = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}
# Where the kernel cannot copy between these two files: other file systems, old kernels, overlays.
_NO_KERNEL_COPY = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF}


STEPS = ("write", "fsync", "read_back", "rename", "fsync_dir", "delete")


class LocalDestination:
    """Files below a root folder; a reader of the folder sees each file whole or not at all.

    Prefixes are text that names begin with, as object stores have them: end one with ``/`` for a folder, and
    the empty one means everything. ``at_step`` is told "before ..." and "after ..." of every one of ``STEPS``, so
    that tests can end the process there.
    """

    def __init__(self, name: str, root: Path, *, at_step: Callable[[str], None] = no_step) -> None:
        self._name = name
        self._where = f"destination '{name}'"
        self._root = root.absolute()
        self._at_step = at_step

    def __repr__(self) -> str:
        return f"LocalDestination({self._name!r}, {str(self._root)!r})"

    @property
    def name(self) -> str:
        """The name in offramp.yaml."""
        return self._name

    @property
    def is_conditional(self) -> bool:
        """A rename cannot be held against what was seen."""
        return False

    @property
    def verified_by(self) -> str:
        """Every file is read back whole."""
        return "read_back"

    def stat(self, name: str) -> Standing | None:
        """Return the size of a file, or None if there is none."""
        check_name(name, destination=self._name)
        with self._errors("look at", name):
            try:
                found = (self._root / name).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Standing(name, found.st_size) if stat.S_ISREG(found.st_mode) else None

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises DestinationChanged if there is none (any more)."""
        check_name(name, destination=self._name)
        with self._errors("read back", name):
            try:
                file = (self._root / name).open("rb", buffering=0)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise gone(self._where, name) from error
            with file:
                while block := file.read(_READ_BYTES):
                    yield block

    def put(
        self, name: str, content: Content, *, token: int, sent: Callable[[int], None] = nothing_sent
    ) -> PendingFile:
        """Write a hidden file beside the final name, sync it and read it back from the disk.

        Raises DestinationRefused, DestinationUnreachable (also for a full disk) or VerificationFailed.
        """
        check_name(name, destination=self._name)
        temporary = temporary_name(name, token)
        path = self._root / temporary
        # The source is opened outside the fence: a part that is gone from the lake is no fault of the destination.
        if isinstance(content.source, bytes):
            self._write(name, path, content.source)
        else:
            with content.source.open("rb") as source:
                self._write(name, path, source)
        with self._errors("read back", name), around(self._at_step, "read_back"):
            size, sha256 = _read_back(path, sent)
        if (size, sha256) != (content.bytes, content.sha256):
            ask = "check the disk of the destination"
            raise other_bytes(self._where, name, content, found=shown(size, sha256), ask=ask)
        sent(content.bytes)
        return TemporaryUpload(name, content, temporary, sent)

    def commit(self, pending: PendingFile, *, over: Standing | None) -> None:
        """Rename over the final name and sync the folder. Doing it twice is no error.

        A folder knows no conditional rename, so only a file where none was before is noticed, and a moment remains.
        """
        if not isinstance(pending, TemporaryUpload):
            message = f"a pending file of another destination: {type(pending).__name__}"
            raise TypeError(message)
        final, temporary = self._root / pending.name, self._root / pending.temporary
        with self._errors("rename", pending.name):
            if over is None and final.exists() and temporary.exists() and not self._holds(pending):
                raise came_meanwhile(self._where, pending.name, expected="no file of this name")
            try:
                with around(self._at_step, "rename"):
                    temporary.replace(final)
            except FileNotFoundError as error:
                if not self._holds(pending):
                    raise upload_gone(self._where, pending.name, pending.content) from error
            with around(self._at_step, "fsync_dir"):
                _sync_folder(final.parent)

    def list(self, prefix: str) -> tuple[str, ...]:
        """Return the names that begin with a prefix, sorted, temporary ones left out."""
        names = (name for name in self._walk(prefix) if not is_temporary(name.rpartition("/")[2]))
        return tuple(sorted(name for name in names if name.startswith(prefix)))

    def delete(self, name: str) -> None:
        """Remove a file and sync its folder; one that is gone is no error."""
        check_name(name, destination=self._name)
        self._remove(name)

    def sweep(self, prefixes: Iterable[str], *, below_token: int) -> int:
        """Remove uploads of older tokens whose final names begin with one of the prefixes, and return how many."""
        wanted = tuple(prefixes)
        stale = {
            name
            for folder in {prefix.rpartition("/")[0] for prefix in wanted}
            for name in self._walk(f"{folder}/" if folder else "")
            if is_stale(name, wanted, below_token)
        }
        for name in stale:
            self._remove(name)
        return len(stale)

    def rights(self) -> str:
        """Return which rights this process's user needs."""
        return f"write, rename and delete files, and create folders, below {self._root}"

    def close(self) -> None:
        """Do nothing: a folder needs no connection."""

    def _write(self, name: str, path: Path, content: BinaryIO | bytes) -> None:
        with self._errors("write", name), _new_file(path) as target:
            with around(self._at_step, "write"):
                _copy(content, target)
            with around(self._at_step, "fsync"):
                os.fsync(target.fileno())

    def _remove(self, name: str) -> None:
        path = self._root / name
        with self._errors("delete", name):
            try:
                with around(self._at_step, "delete"):
                    path.unlink()
                with around(self._at_step, "fsync_dir"):
                    _sync_folder(path.parent)
            except (FileNotFoundError, NotADirectoryError):
                return

    def _holds(self, pending: TemporaryUpload) -> bool:
        try:
            found = _read_back(self._root / pending.name, pending.sent)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return found == (pending.content.bytes, pending.content.sha256)

    def _walk(self, prefix: str) -> Iterator[str]:
        """Yield the files of the deepest folder that holds every name with this prefix."""
        folder = deepest_folder(prefix, destination=self._name)
        with self._errors("list", prefix):
            for parent, _, files in os.walk(self._root / folder, onerror=_unless_gone):
                relative = os.path.relpath(parent, self._root)
                for file in files:
                    yield file if relative == "." else f"{relative}/{file}"

    @contextmanager
    def _errors(self, doing: str, name: str) -> Iterator[None]:
        """Turn what the operating system says into an error that says what to do."""
        try:
            yield
        except OSError as error:
            what = f"destination '{self._name}' cannot {doing} a file below {self._root}"
            found = error.strerror or type(error).__name__
            if error.errno in _FULL:
                todo = "free space or raise the quota, then run again; the parts stay staged"
                raise DestinationUnreachable(what, where=name, found=found, todo=todo) from error
            if error.errno in _RIGHTS:
                todo = "give this user the right to write, rename and delete there"
                raise DestinationRefused(what, where=name, found=found, todo=todo) from error
            if error.errno in _PATH:
                todo = "remove what stands in the way of the path"
                raise DestinationRefused(what, where=name, found=found, todo=todo) from error
            todo = "check that the folder is there and mounted, then run again; the parts stay staged"
            raise DestinationUnreachable(what, where=name, found=found, todo=todo) from error


def _unless_gone(error: OSError) -> None:
    """Let a folder vanish while it is listed: its files are gone like any other."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _new_file(path: Path) -> BinaryIO:
    """Open a new file in place of what an earlier try left, with the folders above it."""
    try:
        return path.open("xb")
    except FileNotFoundError:
        _make_folders(path.parent)
    except FileExistsError:
        path.unlink(missing_ok=True)
    return path.open("xb")


def _make_folders(folder: Path) -> None:
    """Create a folder and sync the folders above it, so that a power cut does not lose the new entries."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        _sync_folder(one.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems sync their folders by themselves and refuse to be asked.
        if error.errno not in {errno.EINVAL, errno.EOPNOTSUPP}:
            raise
    finally:
        os.close(descriptor)


def _copy(content: BinaryIO | bytes, target: BinaryIO) -> None:
    """Copy everything; in the kernel where it can."""
    if isinstance(content, bytes):
        target.write(content)
    elif _kernel_copy(content.fileno(), target.fileno()) is None:
        shutil.copyfileobj(content, target, _READ_BYTES)
    target.flush()


def _kernel_copy(source: int, target: int) -> int | None:
    """Copy between two files inside the kernel and return the bytes, or None where that is not possible."""
    if not hasattr(os, "copy_file_range"):
        return None
    copied = 0
    while True:
        try:
            count = os.copy_file_range(source, target, _COPY_BYTES)
        except OSError as error:
            if copied == 0 and error.errno in _NO_KERNEL_COPY:
                return None
            raise
        if count == 0:
            return copied
        copied += count


def _read_back(path: Path, sent: Callable[[int], None]) -> tuple[int, str]:
    """Return bytes and sha256 of a file, opened afresh; ``sent`` is told of every block, as of no bytes.

    The file was synced before; pages that the kernel still holds are not dropped first, since reading 800 MB cold
    costs over a second of CPU. What a disk loses later is found by ``offramp verify``.
    """
    digest = hashlib.sha256()
    size = 0
    with path.open("rb", buffering=0) as file:
        # Memory that is new to the process costs more than a small file.
        buffer = memoryview(bytearray(min(_READ_BYTES, os.fstat(file.fileno()).st_size + 1)))
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            size += count
            sent(0)
    return size, digest.hexdigest()
