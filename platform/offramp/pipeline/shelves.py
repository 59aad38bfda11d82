"""Where a receiver's files stand, for reading alone: a folder of this machine, or a place at a server or in a store."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from offramp.domain.errors import DestinationChanged, WrongUse
from offramp.settings.destinations import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from offramp.domain.ports import Destination


class Missing(Exception):
    """No file of that name is there."""


class Shelf(Protocol):
    """Files by their names, which are relative and have ``/`` between their parts."""

    @property
    def shown(self) -> str:
        """Where it is, for people."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all files, sorted, those of unfinished uploads too where they can be seen."""

    def path_of(self, name: str) -> str:
        """Return where a file stands, for people."""

    def small(self, name: str) -> bytes:
        """Return a small file. Raises Missing, OSError or OfframpError."""

    def fetched(self, name: str) -> AbstractContextManager[Path]:
        """Give a file's content under a path of this machine while it is needed. Raises as ``small`` does."""


class FolderShelf:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def shown(self) -> str:
        """The folder."""
        return str(self._folder)

    def names(self) -> tuple[str, ...]:
        """Return the names of all files below the folder. Raises WrongUse where there is no such folder."""
        if not self._folder.is_dir():
            todo = "give the folder that deliveries arrive in, or a URL such as s3://bucket/prefix"
            raise WrongUse("there is no such folder", where=str(self._folder), todo=todo)
        found = (path for path in self._folder.rglob("*") if path.is_file())
        return tuple(sorted(path.relative_to(self._folder).as_posix() for path in found))

    def path_of(self, name: str) -> str:
        """Return the path of a file."""
        return str(self._folder / name)

    def small(self, name: str) -> bytes:
        """Read a small file."""
        with self.fetched(name) as path:
            return path.read_bytes()

    @contextmanager
    def fetched(self, name: str) -> Iterator[Path]:
        """Give the file itself. A link that leads out of the folder is no file of it."""
        path = self._folder / name
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise OSError(0, "its name leads out of the folder")
        if not path.is_file():
            raise Missing(name)
        yield path


class RemoteShelf:
    """A place at a server or in a store. Files are copied into a temporary folder while they are read."""

    def __init__(self, destination: Destination, shown: str) -> None:
        self._destination = destination
        self._shown = shown

    @property
    def shown(self) -> str:
        """The place's URL."""
        return self._shown

    def names(self) -> tuple[str, ...]:
        """Return the names of all files of the place."""
        return self._destination.list("")

    def path_of(self, name: str) -> str:
        """Return the URL of a file."""
        return f"{self._shown}/{quoted(name)}"

    def small(self, name: str) -> bytes:
        """Read a small file."""
        return b"".join(self._blocks(name))

    @contextmanager
    def fetched(self, name: str) -> Iterator[Path]:
        """Copy the file here, and remove the copy."""
        folder = tempfile.mkdtemp(prefix="offramp-verify-")
        try:
            path = Path(folder, "file")
            with path.open("wb") as copy:
                for block in self._blocks(name):
                    copy.write(block)
            yield path
        finally:
            shutil.rmtree(folder)

    def _blocks(self, name: str) -> Iterator[bytes]:
        try:
            yield from self._destination.read(name)
        except DestinationChanged as error:
            raise Missing(name) from error
