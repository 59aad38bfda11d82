"""The demo's files: one folder per day with a log of row versions per table, made when first asked for.

A folder appears by one rename, so that two processes can make the same day: one wins, and both made the same bytes.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from offramp.sources.demo.life import LIFE_VERSION, Life
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import State, latest

if TYPE_CHECKING:
    from collections.abc import Mapping

# How many days a reader has to go back at most: every eighth day also holds the state that it ends with.
STATE_EVERY = 8
BEGIN = -1
_MOST_KEPT_BYTES = 64_000_000


class Days:
    """The days of one life on disk."""

    def __init__(self, folder: Path, life: Life) -> None:
        self.life = life
        self.folder = folder / f"v{LIFE_VERSION}-seed{life.seed}-{life.start_on:%Y%m%d}-scale{life.scale:g}"
        self._lock = threading.Lock()
        self._last: tuple[int, State] | None = None

    def ensure(self, number: int) -> None:
        """Make all days up to one."""
        with self._lock:
            have = number
            while have >= BEGIN and not self._folder(have).exists():
                have -= 1
            if have == number:
                return
            state = self._state(have) if have >= BEGIN else State()
            self._last = None  # the days to come change it in place, and one of them may fail
            for day in range(have + 1, number + 1):
                self._make(day, state)
            # A large state would stay beside the rows that are landed and staged next; it can be read again.
            self._last = (number, state) if state.bytes <= _MOST_KEPT_BYTES else None

    def log_files(self, table: str, first: int, last: int) -> list[Path]:
        """Return the logs of a table's days in their order; a day without versions has no file."""
        paths = (self._folder(number) / f"{table}.parquet" for number in range(max(first, 0), last + 1))
        return [path for path in paths if path.exists()]

    def version_files(self, table: str, last: int) -> list[Path]:
        """Return the latest state that ended before a day, and the logs from there up to that day."""
        base = last - 1
        while base > BEGIN and not _has_state(base):
            base -= 1
        return [self._state_file(base, table), *self.log_files(table, base + 1, last)]

    def _folder(self, number: int) -> Path:
        return self.folder / ("begin" if number == BEGIN else self.life.day(number).isoformat())

    def _state_file(self, number: int, table: str) -> Path:
        return self._folder(number) / f"state.{table}.parquet"

    def _state(self, number: int) -> State:
        """Return the state that a day ends with."""
        if self._last is not None and self._last[0] == number:
            return self._last[1]
        tables = {}
        for table in TABLES.values():
            if table.is_log:
                continue
            files = [self._state_file(number, table.name)] if _has_state(number) else None
            files = files or self.version_files(table.name, number)
            tables[table.name] = latest(table, [pl.read_parquet(file) for file in files])
        return State(tables)

    def _make(self, number: int, state: State) -> None:
        if number == BEGIN:
            state.tables.update(self.life.begin().tables)
            logs: Mapping[str, pl.DataFrame] = {}
        else:
            logs = self.life.live(number, state)
        self.folder.mkdir(parents=True, exist_ok=True)
        hidden = _hidden(self.folder)
        for name, rows in logs.items():
            _write(rows, hidden / f"{name}.parquet")
        if _has_state(number):
            for name, rows in state.tables.items():
                _write(rows, hidden / f"state.{name}.parquet")
        _appear(hidden, self._folder(number))


def _has_state(number: int) -> bool:
    return number == BEGIN or number % STATE_EVERY == STATE_EVERY - 1


def _hidden(folder: Path) -> Path:
    """Return a new folder that no reader looks at."""
    return Path(tempfile.mkdtemp(prefix=".making-", dir=folder))


def _write(rows: pl.DataFrame, path: Path) -> None:
    # A fixed number of rows per group: the default follows the chunks in memory, which follow the threads.
    rows.rechunk().write_parquet(path, compression="zstd", row_group_size=100_000)


def _appear(hidden: Path, final: Path) -> None:
    """Give a finished folder its name; another process that was faster has made the same one."""
    hidden.chmod(0o755)
    try:
        hidden.rename(final)
    except OSError:
        if not final.exists():
            raise
        shutil.rmtree(hidden)
