"""Stored models: results that several readers share, such as the changes between two landings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from offramp.lake.durable import place, work_file, work_folder
from offramp.lake.names import relative, segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class ModelStore:
    """Results as ``<root>/models/<name>/<key>.parquet``. The key names all that the result depends on."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def path_for(self, name: str, key: str) -> Path:
        """Return where a result is kept, whether or not it is there. ``name`` may have several segments."""
        return self._root / "models" / relative(name) / f"{segment(key)}.parquet"

    def has(self, name: str, key: str) -> bool:
        """Tell whether a result is there."""
        return self.path_for(name, key).is_file()

    def scratch(self) -> AbstractContextManager[Path]:
        """Give a temporary folder on the same file system, removed afterwards."""
        return work_folder(self._root)

    def commit(self, temporary: Path, name: str, key: str) -> Path:
        """Move a finished file of :meth:`scratch` to its place in one step.

        Two that made the same result at once wrote equal bytes, so it does not matter whose stays.
        """
        final = self.path_for(name, key)
        place(temporary, final)
        return final

    @contextmanager
    def writing(self, name: str, key: str) -> Iterator[Path]:
        """Give the path of a file to write; it is committed unless the block raises."""
        with work_file(self._root) as temporary:
            yield temporary
            self.commit(temporary, name, key)
