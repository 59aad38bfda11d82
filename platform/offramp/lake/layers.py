"""Builds of layers: the tables that a feed computed for a data day, each build a folder that appears at once."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from offramp.lake.durable import WorkFolder, flush, locked, place, sweep, work_file
from offramp.lake.names import segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_RECORD = "layer.json"
_CURRENT = "current"


class BuildRecord(BaseModel):
    """A finished build. ``base`` is the key of the build of the day before that it went on from.

    ``rows`` are those of each table that has any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: date
    key: str
    base: str | None
    landing: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class LayerName:
    """A layer of a source in one version: builds of two versions never meet."""

    source: str
    layer: str
    version: str


class LayerStore:
    """Builds as ``<root>/layers/<source>/<layer>/<version>/<day>/<key>/<table>.parquet`` and ``layer.json``."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._records: dict[tuple[LayerName, date, str], BuildRecord] = {}

    def current(self, name: LayerName, day: date) -> BuildRecord | None:
        """Return the build of a day that was finished last, or None."""
        try:
            key = (self._folder(name, day) / _CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        return self.get(name, day, key)

    def get(self, name: LayerName, day: date, key: str) -> BuildRecord | None:
        """Return a build by its key, or None."""
        known = self._records.get((name, day, key))
        if known is None:
            try:
                text = (self._folder(name, day) / segment(key) / _RECORD).read_text(encoding="utf-8")
            except FileNotFoundError:
                return None
            known = self._records.setdefault((name, day, key), BuildRecord.model_validate_json(text))
        return known

    def choose(self, name: LayerName, record: BuildRecord) -> None:
        """Let a finished build be the one that the next day goes on from."""
        folder = self._folder(name, record.day)
        if self.current(name, record.day) != record:
            with work_file(self._root) as temporary:
                temporary.write_text(f"{record.key}\n", encoding="utf-8")
                place(temporary, folder / _CURRENT)

    def path_for(self, name: LayerName, record: BuildRecord, table: str) -> Path:
        """Return the file of a table that has rows."""
        return self._folder(name, record.day) / segment(record.key) / f"{segment(table)}.parquet"

    def last_day(self, name: LayerName, before: date) -> date | None:
        """Return the last day before another that has a build, or None."""
        return max((day for day in self._days(name) if day < before), default=None)

    def first_day(self, name: LayerName) -> date | None:
        """Return the first day that has a build, or None."""
        return min(self._days(name), default=None)

    def _days(self, name: LayerName) -> list[date]:
        folder = self._root / "layers" / segment(name.source) / segment(name.layer) / segment(name.version)
        if not folder.is_dir():
            return []
        return [date.fromisoformat(one.name) for one in folder.iterdir() if (one / _CURRENT).exists()]

    def exclusive(self, name: LayerName) -> AbstractContextManager[None]:
        """Hold a layer against other runs, from looking for a build to finishing one."""
        return locked(self._root / "locks" / f"{segment(name.source)}.{segment(name.layer)}")

    @contextmanager
    def building(self, name: LayerName, day: date, key: str) -> Iterator[Path]:
        """Give a folder to write tables into. It is seen only after ``finish``; what a killed build left is removed."""
        folder = self._folder(name, day)
        with locked(folder):
            sweep(folder)
            work = WorkFolder(folder, segment(key))
        try:
            yield work.path
        finally:
            work.remove()

    def finish(self, name: LayerName, record: BuildRecord, work: Path) -> None:
        """Make a build visible at once with all its tables, and let it be the day's."""
        folder = self._folder(name, record.day)
        (work / _RECORD).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for file in work.iterdir():
            flush(file)
        with locked(folder):
            final = folder / segment(record.key)
            if not final.exists():
                work.rename(final)
                flush(folder)
        self.choose(name, record)

    def _folder(self, name: LayerName, day: date) -> Path:
        parts = (name.source, name.layer, name.version, day.isoformat())
        return self._root.joinpath("layers", *map(segment, parts))
