"""A folder of tracks as a source: GPX and CSV files of positions, whoever puts them there."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from offramp.domain.errors import SourceRefused, nearest
from offramp.domain.quoting import identifier, literal
from offramp.sources.phones.schema import TABLES
from offramp.sources.tracks.dialect import CsvDialect
from offramp.sources.tracks.findings import damaged, refuse
from offramp.sources.tracks.folder import files_of, venues_of
from offramp.sources.tracks.landed import SELECTS, instant_text, latest_arrivals
from offramp.sources.tracks.reading import read_all
from offramp.sources.tracks.venues import select_venues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from offramp.domain.landings import TableSpec
    from offramp.domain.ports import LandingWriter
    from offramp.sources.tracks.folder import TrackFile

# Two clocks that differ by more than that are not two clocks that differ.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class TracksSource:
    """Files ``<user>/**/*.gpx`` and ``*.csv``, also with ``.gz``, and an optional ``venues.csv`` below ``folder``.

    A user is the first folder of a file, or the CSV's column of users; what is no id of 24 hex digits becomes the
    first 24 of its sha256. A fix is received when the CSV says so, else when its file was modified; a file that came
    after the last landing and says that it is older is received when it came, so that no landing leaves it out. Files
    are whole once their name stands there; names that are hidden or end in .tmp or .part are left out. Each file makes
    its users active by a payload ``trip`` for each day on which it was received; other raw tables have no rows.
    ``memory_bytes`` bounds a read.
    """

    name: str
    folder: Path
    app_id: str
    clock: Callable[[], datetime]
    dialect: CsvDialect = field(default_factory=CsvDialect)
    memory_bytes: int = 1_000_000_000

    @property
    def can_read_as_of(self) -> bool:
        """False: a folder forgets which files stood there."""
        return False

    def read_point(self) -> datetime:
        """Return the clock's instant: a file is whole once its name stands there."""
        return self.clock().astimezone(UTC)

    def land(
        self,
        tables: Sequence[TableSpec],
        begin: Callable[[datetime], LandingWriter],
        *,
        as_of: datetime | None,
    ) -> datetime:
        """Write the rows of all files that came since the last landing, or of all; the lake sorts them.

        Raises SourceRefused for the first damaged file, with its line: then nothing lands.
        """
        if as_of is not None:
            raise SourceRefused(
                f"source '{self.name}' cannot be read as of {instant_text(as_of)}",
                todo="land it without as_of: the folder is read as it is",
            )
        for spec in tables:
            self._check(spec)
        instant = self.read_point()
        writer = begin(instant)
        if not tables:
            return instant
        since = {spec.name: writer.read_from(spec) if spec.increment else None for spec in tables}
        with (
            tempfile.TemporaryDirectory(prefix=".tracks-", dir=writer.path(tables[0]).parent) as work,
            self._connect(Path(work)) as connection,
        ):
            self._read(connection, Path(work), instant, [since[name] for name in SELECTS if name in since])
            for spec in tables:
                select = self._select(connection, spec.name, instant, since[spec.name])
                target = literal(str(writer.path(spec)))
                connection.execute(f"copy ({select}) to {target} (format parquet, compression zstd)")
                writer.add(spec)
        return instant

    def _read(
        self, connection: duckdb.DuckDBPyConnection, work: Path, instant: datetime, since: Sequence[datetime | None]
    ) -> None:
        """Bring what may be new into the tables of ``Points``; ``since`` are the instants of tables made of points."""
        files = files_of(self.folder, instant, source=self.name)
        first = min((one for one in since if one is not None), default=None)
        if first is not None and None not in since:
            # What stood there before was read whole by an earlier landing.
            files = [file for file in files if file.stood_at >= first]
        findings = {number: fault for number, file in enumerate(files) if (fault := self._oddity(file, instant))}
        try:
            read_all(connection, files, work, dialect=self.dialect, findings=findings)
        except duckdb.OutOfMemoryException as full:
            raise SourceRefused(
                f"the files of source '{self.name}' need more memory",
                where=str(self.folder),
                found=str(full).partition("\n")[0],
                todo="raise limits.memory_bytes, or put fewer or smaller files there at once",
            ) from full
        for number, latest in latest_arrivals(connection):
            if latest > instant + _AHEAD:
                findings[number] = _ahead(files[number], instant_text(latest), instant)
        refuse(files, findings)

    def _oddity(self, file: TrackFile, instant: datetime) -> SourceRefused | None:
        """Return what is wrong with a file by its name and time alone."""
        if file.user is None and not (file.kind == "csv" and "user_id" in self.dialect.columns):
            todo = "move it into a folder that is named after its user, or name the column of users in the settings"
            return damaged(file, None, "nothing says whose the file is", expected="<user>/<file>", todo=todo)
        if file.arrived_at > instant + _AHEAD:
            return _ahead(file, instant_text(file.arrived_at), instant)
        return None

    def _select(
        self, connection: duckdb.DuckDBPyConnection, name: str, instant: datetime, since: datetime | None
    ) -> str:
        if name in SELECTS:
            return SELECTS[name](self.app_id, instant, since)
        venues = venues_of(self.folder, instant) if name == "venues" else None
        if venues is not None:
            return select_venues(connection, venues, separator=self.dialect.separator)
        columns = ", ".join(f"cast(null as {kind}) as {identifier(one)}" for one, kind in TABLES[name].columns)
        return f"select {columns} where false"

    @contextmanager
    def _connect(self, work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": 1,
            "memory_limit": f"{self.memory_bytes}B",
            "temp_directory": str(work / "spill"),
            "preserve_insertion_order": True,
        }
        with duckdb.connect(config=settings) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection

    def _check(self, spec: TableSpec) -> None:
        if spec.name not in TABLES:
            todo = nearest(spec.name, TABLES)
            raise SourceRefused(f"tracks such as those of '{self.name}' have no table '{spec.name}'", todo=todo)
        names = [column for column, _ in TABLES[spec.name].columns]
        increment = spec.increment.column if spec.increment else None
        for wanted in (*spec.key, spec.tenant_column, spec.change_column, increment):
            if wanted is not None and wanted not in names:
                what = f"the table '{spec.name}' of the tracks '{self.name}' has no column '{wanted}'"
                raise SourceRefused(what, todo=nearest(wanted, names))


def _ahead(file: TrackFile, found: str, instant: datetime) -> SourceRefused:
    return damaged(
        file,
        None,
        "the file was received in the future",
        expected=f"an instant up to {instant_text(instant)}",
        found=found,
        todo="correct the clock that wrote it or its column received_at, and touch the file",
    )
