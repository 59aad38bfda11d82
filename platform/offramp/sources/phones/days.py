"""The demo's files: one folder per day with the rows that arrived on it, made when first asked for.

A folder appears by one rename, so that two processes can make the same day: one wins, and both made the same bytes.
Beside a day's rows lie those that the same people's days made and that arrive later: the next day begins with them.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from offramp.domain.windows import midnight
from offramp.sources.phones.life import LIFE_VERSION, Life
from offramp.sources.phones.schema import RECEIVED, TABLES, UPLOADED

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGIN = -1


class Days:
    """The days of one life on disk."""

    def __init__(self, folder: Path, life: Life) -> None:
        self.life = life
        self.folder = folder / f"v{LIFE_VERSION}-seed{life.seed}-{life.start_on:%Y%m%d}-scale{life.scale:g}"
        self._lock = threading.Lock()

    def ensure(self, number: int) -> None:
        """Make all days up to one."""
        with self._lock:
            have = number
            while have >= BEGIN and not self._folder(have).exists():
                have -= 1
            for day in range(have + 1, number + 1):
                self._make(day)

    def files(self, table: str, first: int, last: int) -> list[Path]:
        """Return the files with what arrived from one day to another; every day has one."""
        return [self._folder(number) / f"{table}.parquet" for number in range(max(first, 0), last + 1)]

    def whole_file(self, table: str) -> Path:
        """Return the file of a table that no day adds to."""
        return self._folder(BEGIN) / f"{table}.parquet"

    def _folder(self, number: int) -> Path:
        return self.folder / ("begin" if number == BEGIN else self.life.day(number).isoformat())

    def _make(self, number: int) -> None:
        rows: Mapping[str, pl.DataFrame] = self.life.begin() if number == BEGIN else self._arrived(number)
        self.folder.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=".making-", dir=self.folder))
        for name, frame in rows.items():
            # A fixed number of rows per group: the default follows the chunks in memory, which follow the threads.
            frame.rechunk().write_parquet(hidden / f"{name}.parquet", compression="zstd", row_group_size=100_000)
        _appear(hidden, self._folder(number))

    def _arrived(self, number: int) -> dict[str, pl.DataFrame]:
        """Return the rows of each table that arrive on a day, and under ``later.`` those that arrive after it."""
        ends = midnight(self.life.day(number) + timedelta(days=1)).replace(tzinfo=None)
        made = self.life.live(number)
        result = {}
        for name in UPLOADED:
            every = [made.pop(name)]
            if number > 0:
                every.append(pl.read_parquet(self._folder(number - 1) / f"later.{name}.parquet"))
            rows = pl.concat(every)
            key = ("app_id", *TABLES[name].key, RECEIVED)
            is_here = pl.col(RECEIVED) < ends
            result[name] = rows.filter(is_here).sort(key)
            result[f"later.{name}"] = rows.filter(~is_here).sort(key)
        return result


def _appear(hidden: Path, final: Path) -> None:
    """Give a finished folder its name; another process that was faster has made the same one."""
    hidden.chmod(0o755)
    try:
        hidden.rename(final)
    except OSError:
        if not final.exists():
            raise
        shutil.rmtree(hidden)
