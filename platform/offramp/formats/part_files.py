"""The file under every writer: hashed while it is written, on disk when its entry exists."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

from offramp.domain.deliveries import FileEntry

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


Content: TypeAlias = bytes | bytearray | memoryview


class Sink(Protocol):
    """Takes the bytes of one part in their order."""

    def write(self, content: Content) -> int:
        """Take bytes and return how many."""

    def finish(self, rows: int) -> FileEntry:
        """Write what is left, put the file on disk and return its entry."""


class PartFile:
    """A new file that counts and hashes its bytes in the pass that writes them."""

    def __init__(self, path: Path, *, md5: bool) -> None:
        self._file = path.open("wb")
        self._hashes = {"sha256": hashlib.sha256()}
        if md5:
            self._hashes["md5"] = hashlib.md5(usedforsecurity=False)
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def closed(self) -> bool:
        """True once the file is finished; pyarrow asks."""
        return self._file.closed

    def tell(self) -> int:
        """Return the bytes so far; pyarrow asks."""
        return self._bytes

    def write(self, content: Content) -> int:
        """Take bytes and return how many."""
        view = memoryview(content)
        for checksum in self._hashes.values():
            checksum.update(view)
        self._file.write(view)
        self._bytes += view.nbytes
        return view.nbytes

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        self._file.flush()

    def close(self) -> None:
        """Leave the file open until it is finished: pyarrow closes what it writes to before it is on disk."""

    def finish(self, rows: int) -> FileEntry:
        """Put the file on disk and return its entry."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        checksums = {name: checksum.hexdigest() for name, checksum in self._hashes.items()}
        return FileEntry(name="", rows=rows, bytes=self._bytes, checksums=checksums)
