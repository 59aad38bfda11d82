"""Rows that a test left out, each kept with its reason."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from offramp.lake.durable import place, work_file
from offramp.lake.names import relative, segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from pathlib import Path


class RejectStore:
    """Rows as ``<root>/rejects/<feed>/<mode>/<entity>/<data day>/<test>.parquet``."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def path_for(self, export: str, data_day: date, test: str) -> Path:
        """Return where the rows that a test left out are kept, whether or not there are any."""
        return self._root / "rejects" / relative(export) / data_day.isoformat() / f"{segment(test)}.parquet"

    @contextmanager
    def writing(self, export: str, data_day: date, test: str) -> Iterator[Path]:
        """Give the path of a file to write; it replaces that of an earlier run unless the block raises."""
        with work_file(self._root) as temporary:
            yield temporary
            place(temporary, self.path_for(export, data_day, test))

    def clear(self, export: str, data_day: date, tests: Iterable[str]) -> None:
        """Remove what an earlier run left, because these tests pass now."""
        # Mostly there is nothing: asked once, for the folder of the day.
        if self.path_for(export, data_day, "any").parent.is_dir():
            for test in tests:
                self.path_for(export, data_day, test).unlink(missing_ok=True)
