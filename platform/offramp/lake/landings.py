"""The landings of the lake, each a folder that appears at once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from offramp.domain.errors import LandingUnavailable, nearest
from offramp.domain.landings import Relation
from offramp.domain.steps import no_step
from offramp.lake.durable import WorkFolder, flush, locked, place, stem_of, sweep, work_folder
from offramp.lake.increments import difference
from offramp.lake.names import landing_order, landing_stamp, segment
from offramp.lake.queries import queries
from offramp.lake.records import LandingRecord, read_record
from offramp.lake.writer import Base, Desk, FolderLandingWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from offramp.domain.landings import Landing
    from offramp.domain.ports import LandingWriter
    from offramp.lake.records import TableRecord

# How many landings back a source may say that nothing was committed since. The last one of each source is what counts.
_OWN_LANDINGS = 64


class FolderLandingStore:
    """Landings as ``<root>/landings/<source>/<landing id>/<table>.parquet`` and ``landing.json``.

    ``at_step`` is called with the name of each step of a landing: a place to interrupt it.
    """

    def __init__(
        self, root: Path, memory_bytes: int, threads: int, *, at_step: Callable[[str], None] = no_step
    ) -> None:
        self._root = root.resolve()
        self._desk = Desk(self._root, memory_bytes, threads, at_step, self._base, self._is_own)
        self._own: deque[tuple[str, str]] = deque(maxlen=_OWN_LANDINGS)
        self._records: dict[tuple[str, str], LandingRecord] = {}
        self._landings: dict[tuple[str, str], Landing] = {}

    def begin(self, source: str, data_as_of: datetime) -> FolderLandingWriter:
        """Start a landing. What is left of a killed one is never seen, and is removed here."""
        folder = self._folder(source)
        with locked(folder):
            sweep(folder)
            landing_id = self._free_id(folder, data_as_of)
            work = WorkFolder(folder, landing_id)
        self._desk.at_step("begun")
        return FolderLandingWriter(self._desk, work, source=source, landing_id=landing_id, data_as_of=data_as_of)

    def exclusive(self, source: str) -> AbstractContextManager[None]:
        """Hold a source against other runs, from looking for a landing to committing one.

        A lock of its own: ``begin`` and ``commit`` take the folder's.
        """
        return locked(self._root / "locks" / segment(source))

    def commit(self, writer: LandingWriter) -> Landing:
        """Make the landing visible at once, with all its tables or not at all."""
        if not isinstance(writer, FolderLandingWriter):
            message = f"a landing is committed to the store that began it, found {type(writer).__name__}"
            raise TypeError(message)
        folder = self._folder(writer.source)
        with locked(folder):
            record = writer.finish()
            writer.work.path.rename(folder / record.id)
            self._desk.at_step("renamed")
            flush(folder)
        writer.work.release()
        self._own.append((writer.source, record.id))
        return record.as_landing()

    def landings(self, source: str) -> tuple[Landing, ...]:
        """Return all committed landings, oldest read point first."""
        return tuple(self._landing(record) for record in self._all(source))

    def get(self, source: str, landing_id: str) -> Landing:
        """Return one landing; LandingUnavailable if there is none."""
        return self._landing(self._record(source, landing_id))

    def relation(self, name: str, landing: Landing, table: str) -> Relation:
        """Return a table as of a landing as a relation under a name."""
        found = self._table(landing, table)
        return self._relation(name, found, [file.uri for file in found.files])

    def relation_since(self, name: str, landing: Landing, table: str, base: Landing | None) -> Relation:
        """Return only what of an incremental table landed after ``base``.

        A landing that does not build upon the base, because the two were made out of order, may hold rows of
        the base in other files: then the difference by key is written once and kept in the lake.
        """
        found = self._table(landing, table)
        known = self._record(base.source, base.id).table(table) if base is not None else None
        earlier = {file.uri for file in known.files} if known is not None else set()
        here = [file.uri for file in found.files if file.uri not in earlier]
        there = sorted(earlier - {file.uri for file in found.files})
        if base is None or not here or not there or not found.is_increment:
            return self._relation(name, found, here)
        return self._relation(name, found, [self._difference(landing, found, base, here=here, there=there)])

    def _difference(
        self, landing: Landing, table: TableRecord, base: Landing, *, here: list[str], there: list[str]
    ) -> str:
        uri = f"differences/{segment(landing.source)}/{segment(table.name)}/{base.id}__{landing.id}.parquet"
        if not (self._root / uri).exists():
            files, others = ([self._root / one for one in uris] for uris in (here, there))
            with (
                work_folder(self._root) as work,
                queries(self._desk.memory_bytes, self._desk.threads, work / "spill") as session,
            ):
                session.write(difference(files, others, table.key), work / "difference.parquet")
                place(work / "difference.parquet", self._root / uri)
        return uri

    def _relation(self, name: str, table: TableRecord, uris: list[str]) -> Relation:
        return Relation(name, tuple(str(self._root / uri) for uri in uris), table.columns)

    def _folder(self, source: str) -> Path:
        return self._root / "landings" / segment(source)

    def _free_id(self, folder: Path, data_as_of: datetime) -> str:
        taken = {stem_of(one) or one.name for one in folder.iterdir()}
        stamp = landing_stamp(data_as_of)
        if stamp not in taken:
            return stamp
        number = 2
        while f"{stamp}-{number}" in taken:
            number += 1
        return f"{stamp}-{number}"

    def _all(self, source: str) -> list[LandingRecord]:
        folder = self._folder(source)
        if not folder.exists():
            return []
        # What is known already is not looked at again: each plan asks, and there are two landings a day.
        ids = [
            one.name
            for one in folder.iterdir()
            if (source, one.name) in self._records or (stem_of(one) is None and one.is_dir())
        ]
        return [self._record(source, landing_id) for landing_id in sorted(ids, key=landing_order)]

    def _landing(self, record: LandingRecord) -> Landing:
        key = (record.source, record.id)
        known = self._landings.get(key)
        return known if known is not None else self._landings.setdefault(key, record.as_landing())

    def _record(self, source: str, landing_id: str) -> LandingRecord:
        known = self._records.get((source, landing_id))
        if known is not None:  # a committed landing never changes
            return known
        folder = self._folder(source) / segment(landing_id)
        if not folder.is_dir() or stem_of(folder) is not None:
            raise LandingUnavailable(
                f"source {source} has no landing {landing_id}",
                todo=nearest(landing_id, [landing.id for landing in self._all(source)]),
            )
        return self._records.setdefault((source, landing_id), read_record(folder))

    def _table(self, landing: Landing, table: str) -> TableRecord:
        record = self._record(landing.source, landing.id)
        found = record.table(table)
        if found is None:
            raise LandingUnavailable(
                f"landing {landing.id} of source {landing.source} has no table {table}",
                todo=nearest(table, [one.name for one in record.tables]),
            )
        return found

    def _is_own(self, source: str, landing_id: str) -> bool:
        return (source, landing_id) in self._own

    def _base(self, source: str, table: str, data_as_of: datetime) -> Base | None:
        for record in reversed(self._all(source)):
            found = record.table(table)
            if record.data_as_of <= data_as_of and found is not None:
                return Base(record.id, record.data_as_of, found)
        return None
