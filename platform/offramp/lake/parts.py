"""Finished parts of deliveries, kept by checksum."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from offramp.lake.durable import place, work_folder

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


class PartStore:
    """Files as ``<root>/parts/<first two digits>/<sha256>``. Equal content is kept once."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def scratch(self) -> AbstractContextManager[Path]:
        """Give a temporary folder on the same file system, removed afterwards."""
        return work_folder(self._root)

    def take(self, path: Path, sha256: str) -> Path:
        """Move a finished file of :meth:`scratch` into the store and return where it is kept.

        Content that is there already is replaced by its equal, which mends a damaged one.
        """
        final = self.path(sha256)
        place(path, final)
        return final

    def path(self, sha256: str) -> Path:
        """Return where a part is kept, whether or not it is there."""
        if not _SHA256.fullmatch(sha256):
            message = f"a sha256 has 64 lower-case hex digits, found '{sha256}'"
            raise ValueError(message)
        return self._root / "parts" / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Tell whether a part is there, without reading it."""
        return self.path(sha256).is_file()

    def verify(self, sha256: str) -> bool:
        """Tell whether a part is there and its bytes still have their checksum."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False
