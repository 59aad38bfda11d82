"""The phones' demo as a source: any past instant of its life can be landed."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from offramp.domain.errors import SourceRefused, nearest
from offramp.domain.quoting import identifier, literal
from offramp.domain.windows import midnight
from offramp.sources.phones.days import Days
from offramp.sources.phones.life import Life
from offramp.sources.phones.schema import LINKED, RECEIVED, TABLES
from offramp.sources.phones.truth import Truth, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from offramp.domain.landings import TableSpec
    from offramp.domain.ports import LandingWriter
    from offramp.sources.demo.table import DemoTable

# Some 100,000 rows, as many as DuckDB gives to one thread at a time.
_SMALL_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class PhonesSource:
    """The embedded demo of phones: a life that depends on ``seed``, ``start_on`` and ``scale`` alone.

    ``days`` freezes the life after so many days; None lets it go on. At scale 1 there are 60 people over two app ids.
    ``clock`` tells what now is. ``memory_bytes`` bounds a read.
    """

    name: str
    folder: Path
    seed: int
    start_on: date
    days: int | None
    scale: float
    clock: Callable[[], datetime]
    threads: int = 2
    memory_bytes: int = 1_000_000_000
    _days: Days = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Name the files of this life."""
        object.__setattr__(self, "_days", Days(self.folder, Life(self.seed, self.start_on, self.scale)))

    @property
    def can_read_as_of(self) -> bool:
        """True: every row keeps the instant at which it arrived."""
        return True

    def read_point(self) -> datetime:
        """Return the clock's instant: what has arrived is visible at once."""
        return self.clock().astimezone(UTC)

    def land(
        self,
        tables: Sequence[TableSpec],
        begin: Callable[[datetime], LandingWriter],
        *,
        as_of: datetime | None,
    ) -> datetime:
        """Write the tables as of an instant, rows in the order of their keys."""
        instant = self.read_point() if as_of is None else as_of.astimezone(UTC)
        for spec in tables:
            self._check(spec)
        self._days.ensure(self._last_day(instant))
        writer = begin(instant)
        with self.connect() as connection:
            for spec in tables:
                landed_at = writer.landed_at(spec)
                if landed_at is not None and not self._has_changed(spec.name, landed_at, instant):
                    writer.keep(spec)
                    continue
                since = writer.read_from(spec) if spec.increment else None
                path = writer.path(spec)
                query = self.select_as_of(spec.name, instant, since=since)
                connection.execute(f"set threads = {self._threads_for(self._paths(spec.name, instant, since))}")
                connection.execute(f"copy ({query}) to {literal(str(path))} (format parquet, compression zstd)")
                writer.add(spec)
        return instant

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open DuckDB with this source's bounds; what does not fit into memory goes below the demo's folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sorting-", dir=self.folder) as spill:
            settings: dict[str, str | bool | int | float | list[str]] = {
                "threads": self.threads,
                "memory_limit": f"{self.memory_bytes}B",
                "temp_directory": spill,
                "preserve_insertion_order": True,
            }
            with duckdb.connect(config=settings) as connection:
                connection.execute("set timezone = 'UTC'")
                yield connection

    def select_as_of(self, name: str, instant: datetime, *, since: datetime | None = None) -> str:
        """Return the SELECT of a table's rows as of an instant, by key; ``since`` leaves out what arrived before.

        Only what phones upload heeds ``since``. A row that was uploaded twice is there twice.
        """
        table = TABLES[name]
        self._days.ensure(self._last_day(instant))
        instant = self._at_most(instant)
        columns = ", ".join(
            f"cast({identifier(column)} as {kind}) as {identifier(column)}" for column, kind in table.columns
        )
        files = _files(self._paths(name, instant, since))
        if table.is_log:
            newer = f" and {RECEIVED} > {_timestamp(since)}" if since else ""
            where = f"where {RECEIVED} <= {_timestamp(instant)}{newer}"
            return f"select {columns} from {files} {where} order by {_order(table)}, {RECEIVED}"
        if table.change_column is None:
            return f"select {columns} from {files} order by {_order(table)}"
        key = _order(table)
        return (
            f"select {columns} from {files} where {LINKED} <= {_timestamp(instant)} "
            f"qualify row_number() over (partition by {key} order by {LINKED} desc) = 1 order by {key}"
        )

    def truth(self, first: date, last: date) -> Truth:
        """Return what really happened from one UTC day to another, both included: what tests look for."""
        return truth(self._days.life, first, last)

    def _paths(self, name: str, instant: datetime, since: datetime | None) -> list[Path]:
        """Return the files that hold what a table has as of an instant, from the day of ``since`` on."""
        if not TABLES[name].is_log:
            return [self._days.whole_file(name)]
        last = self._last_day(instant)
        first = 0 if since is None else min((since.astimezone(UTC).date() - self.start_on).days, last)
        return self._days.files(name, first, last)

    def _threads_for(self, paths: Sequence[Path]) -> int:
        """Return one thread for what is not worth a second: to hand it pieces costs a third more CPU."""
        return 1 if sum(path.stat().st_size for path in paths) < _SMALL_BYTES else self.threads

    def _has_changed(self, name: str, after: datetime, until: datetime) -> bool:
        """Say whether anything of the table became visible in (after, until]."""
        table = TABLES[name]
        if table.change_column is None:
            return False
        first, last = (self._at_most(one).replace(tzinfo=None) for one in (after, until))
        return any(
            pl.read_parquet(path, columns=[table.change_column])
            .get_column(table.change_column)
            .is_between(first, last, closed="right")
            .any()
            for path in self._paths(name, until, after)
        )

    def _at_most(self, instant: datetime) -> datetime:
        """Return an instant in UTC, the end of the life where it is frozen before."""
        if self.days is None:
            return instant.astimezone(UTC)
        return min(instant.astimezone(UTC), midnight(self.start_on + timedelta(days=self.days)))

    def _last_day(self, instant: datetime) -> int:
        begins = midnight(self.start_on)
        if instant < begins:
            raise SourceRefused(
                f"the demo '{self.name}' has no past before its first day",
                expected=f"an instant at or after {begins:%Y-%m-%dT%H:%M:%SZ}",
                found=f"{instant:%Y-%m-%dT%H:%M:%SZ}",
                todo="ask for a later instant, or set start_on of the demo earlier",
            )
        number = (instant - begins) // timedelta(days=1)
        return number if self.days is None else min(number, self.days - 1)

    def _check(self, spec: TableSpec) -> None:
        if spec.name not in TABLES:
            raise SourceRefused(f"the demo '{self.name}' has no table '{spec.name}'", todo=nearest(spec.name, TABLES))
        table: DemoTable = TABLES[spec.name]
        names = [column for column, _ in table.columns]
        increment = spec.increment.column if spec.increment else None
        for wanted in (*spec.key, spec.tenant_column, spec.change_column, increment):
            if wanted is not None and wanted not in names:
                raise SourceRefused(
                    f"the table '{spec.name}' of the demo '{self.name}' has no column '{wanted}'",
                    todo=nearest(wanted, names),
                )


def _files(paths: Sequence[Path]) -> str:
    return "read_parquet([" + ", ".join(literal(str(path)) for path in paths) + "])"


def _order(table: DemoTable) -> str:
    names = [name for name, _ in table.columns]
    return ", ".join(dict.fromkeys([*(["app_id"] if "app_id" in names else []), *table.key]))


def _timestamp(instant: datetime) -> str:
    return f"timestamp '{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
