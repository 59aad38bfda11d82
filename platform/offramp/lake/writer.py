"""One landing under way: takes the files of a source and decides what of them is kept."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import finalize

from offramp.domain.errors import SourceRefused
from offramp.lake.comparison import are_same_bytes, fingerprint, is_current, may_be_equal
from offramp.lake.durable import flush, work_folder
from offramp.lake.increments import write_new_rows
from offramp.lake.names import landing_order, segment
from offramp.lake.queries import queries, scan
from offramp.lake.records import RECORD_NAME, FileRecord, LandingRecord, TableRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from offramp.domain.landings import Increment, LandedTable, TableSpec
    from offramp.lake.durable import WorkFolder
    from offramp.lake.queries import Queries


@dataclass(frozen=True, slots=True)
class Base:
    """A table as the last landing at or before this one's read point has it."""

    landing_id: str
    data_as_of: datetime
    table: TableRecord


@dataclass(frozen=True, slots=True)
class Desk:
    """What all landings of a lake work with. ``base_of`` finds a table's base for a source and read point.

    ``is_own`` tells whether this process made a landing of a source.
    """

    root: Path
    memory_bytes: int
    threads: int
    at_step: Callable[[str], None]
    base_of: Callable[[str, str, datetime], Base | None]
    is_own: Callable[[str, str], bool]


class FolderLandingWriter:
    """Writes a landing into a temporary folder; see ``LandingWriter`` in domain/ports.py."""

    def __init__(self, desk: Desk, work: WorkFolder, *, source: str, landing_id: str, data_as_of: datetime) -> None:
        self.source = source
        self.data_as_of = data_as_of
        self.work = work
        self._landing_id = landing_id
        self._desk = desk
        self._bases: dict[str, Base | None] = {}
        self._settled: dict[str, tuple[TableSpec, Base | None, TableRecord]] = {}
        self._session: Queries | None = None
        self._resources = ExitStack()
        # A landing that its source gives up is never finished.
        finalize(self, self._resources.close)

    @property
    def landing_id(self) -> str:
        """The id of the landing under way."""
        return self._landing_id

    def path(self, table: TableSpec) -> Path:
        """Return the path of the Parquet file to write for a table. For an increment it may hold known rows."""
        return self.work.path / f"{segment(table.name)}.parquet"

    def read_from(self, table: TableSpec) -> datetime | None:
        """Return from when an incremental table must be read again, or None to read it whole."""
        base = self._first_base(table)
        if base is None or table.increment is None or table.increment.column is None:
            return None
        return base.data_as_of - table.increment.overlap

    def add(self, table: TableSpec) -> LandedTable:
        """Take a finished file: drop rows that landed before, or refer to an equal earlier file."""
        if not self.path(table).exists():
            raise SourceRefused(
                f"no file was written for table {table.name}", where=self.source, expected=self.path(table).name
            )
        self._desk.at_step(f"written {table.name}")
        record = self._settle(table, self._first_base(table))
        self._settled[table.name] = (table, self._first_base(table), record)
        self._desk.at_step(f"added {table.name}")
        return record.as_table()

    def landed_at(self, table: TableSpec) -> datetime | None:
        """Return as of when this process landed the files that ``keep`` would refer to, or None where there are none.

        What another process landed may be of a source with other settings: then only the rows tell.
        """
        base = self._first_base(table)
        if base is None or not self._desk.is_own(self.source, base.landing_id):
            return None
        known = base.table
        if known.is_increment != (table.increment is not None) or known.key != _full_key(table):
            return None
        are_there = all((self._desk.root / file.uri).exists() for file in known.files)
        return base.data_as_of if are_there else None

    def keep(self, table: TableSpec) -> LandedTable:
        """Refer to the files of ``landed_at``: the source knows that nothing of the table was committed since."""
        base = self._first_base(table)
        if base is None or self.landed_at(table) is None:
            raise SourceRefused(f"there are no files of table {table.name} to keep", where=self.source)
        self._settled[table.name] = (table, base, base.table)
        self._desk.at_step(f"added {table.name}")
        return base.table.as_table()

    def finish(self) -> LandingRecord:
        """Write the record, make all of it durable and return it. Hold the source's lock.

        Where another landing was committed in between, this one is settled again upon it: else a row could
        land in both.
        """
        for name, (table, base, _) in list(self._settled.items()):
            newer = self._desk.base_of(self.source, name, self.data_as_of)
            if newer is not None and (base is None or newer.landing_id != base.landing_id):
                self._settled[name] = (table, newer, self._settle(table, newer))
        self._close()
        record = LandingRecord(
            id=self._landing_id,
            source=self.source,
            data_as_of=self.data_as_of,
            tables=tuple(record for _, _, record in self._settled.values()),
        )
        kept = {self.path(table) for table, _, _ in self._settled.values()}
        for file in self.work.path.iterdir():
            if file not in kept:
                file.unlink()
                continue
            flush(file)
        self._desk.at_step("flushed")
        path = self.work.path / RECORD_NAME
        path.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
        flush(path)
        flush(self.work.path)
        self._desk.at_step("recorded")
        return record

    def _queries(self) -> Queries:
        """Return the one connection of this landing: opening one for each table costs more than a small table."""
        if self._session is not None and self._session.is_narrowed:
            self._close()
        if self._session is None:
            spill = self._resources.enter_context(work_folder(self._desk.root))
            self._session = self._resources.enter_context(queries(self._desk.memory_bytes, self._desk.threads, spill))
        return self._session

    def _close(self) -> None:
        self._session = None
        self._resources.close()

    def _first_base(self, table: TableSpec) -> Base | None:
        if table.name not in self._bases:
            self._bases[table.name] = self._desk.base_of(self.source, table.name, self.data_as_of)
        return self._bases[table.name]

    def _settle(self, table: TableSpec, base: Base | None) -> TableRecord:
        path = self.path(table)
        if not path.exists():  # settled before, and nothing of it was new
            earlier = self._settled[table.name][2]
            files = base.table.files if base is not None and table.increment is not None else earlier.files
            return earlier.model_copy(update={"files": files})
        session = self._queries()
        try:
            session.prepare_for([path])
            columns = session.schema(path)
            if table.increment is None:
                files = (self._whole(session, table, base),)
            else:
                files = self._increased(session, table, table.increment, base)
        except BaseException:
            self._close()
            raise
        return TableRecord(
            name=table.name,
            is_increment=table.increment is not None,
            key=_full_key(table),
            columns=columns,
            files=files,
        )

    def _whole(self, session: Queries, table: TableSpec, base: Base | None) -> FileRecord:
        """Keep the new file, or refer to the base's if it holds the same rows."""
        path = self.path(table)
        rows = session.count(f"select count(*) from {scan([path])}")
        new = self._file(path, rows)
        if base is None or base.table.is_increment:
            return new
        [earlier] = base.table.files
        earlier_path = self._desk.root / earlier.uri
        if not earlier_path.exists() or not may_be_equal(path, earlier_path):
            return new
        if not are_same_bytes(path, earlier_path):
            columns = session.schema(path)
            known = earlier.fingerprint
            if known is None or not is_current(known):
                known = fingerprint(session, earlier_path, columns)
            found = fingerprint(session, path, columns)
            if found != known:
                return new.model_copy(update={"fingerprint": found})
            earlier = earlier.model_copy(update={"fingerprint": known})
        path.unlink()
        return earlier

    def _increased(
        self, session: Queries, table: TableSpec, increment: Increment, base: Base | None
    ) -> tuple[FileRecord, ...]:
        """Return the base's files and, if any row is new, the increment's."""
        path = self.path(table)
        earlier = base.table.files if base is not None else ()
        read_from = self.read_from(table)
        known = earlier
        if read_from is not None:
            since = min(read_from, self.data_as_of - increment.lookback)
            known = tuple(file for file in earlier if landing_order(file.landing_id)[0] >= since)
        files = [self._desk.root / file.uri for file in known]
        session.prepare_for([path, *(file for file in files if file.exists())])
        target = path.with_suffix(".new")
        rows = write_new_rows(
            session,
            path,
            target,
            key=_full_key(table),
            known=files,
            column=increment.column,
            read_from=read_from,
        )
        target.replace(path)
        # A first landing keeps even an empty file, so that the table has its columns.
        if rows == 0 and earlier:
            path.unlink()
            return earlier
        return (*earlier, self._file(path, rows))

    def _file(self, path: Path, rows: int) -> FileRecord:
        uri = f"landings/{segment(self.source)}/{self._landing_id}/{path.name}"
        return FileRecord(uri=uri, rows=rows, bytes=path.stat().st_size, landing_id=self._landing_id)


def _full_key(table: TableSpec) -> tuple[str, ...]:
    tenant = () if table.tenant_column is None else (table.tenant_column,)
    return tuple(dict.fromkeys((*tenant, *table.key)))
