"""Stays and legs of dense days: ours in the style of the oracle, and trackintel on the same file.

trackintel runs in an environment of its own, from pinned versions, so nothing of ours is imported above the cases.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyarrow.parquet import ParquetWriter

    from offramp.feeds.mobility.timeline.fold import Folded

USERS = 1_000
TIMES = 100  # how often the fixes are repeated for the large file: 280 million
FIXES_AT_ONCE = 200_000
PEERS = Path(__file__).parents[1] / "mobility" / "timeline" / "expected" / "peers.txt"
COLUMNS = ["app_id", "user_id", "tracked_at", "latitude", "longitude"]


def fixes_file(folder: Path, what: str = "sorted") -> Path:
    return folder / f"fixes_{what}.parquet"


def rows_file(folder: Path, who: str, name: str) -> Path:
    return folder / f"{who}_{name}.parquet"


def prepare(folder: Path, users: int = USERS) -> None:
    """Write the dense days sorted as landings are, and shuffled."""
    import polars as pl

    from platform_tests.benchmarks.mobility_data import write_dense

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = write_dense(fixes_file(folder), users=users)
    shuffled = pl.read_parquet(fixes_file(folder)).sample(fraction=1, shuffle=True, seed=1)
    shuffled.write_parquet(fixes_file(folder, "unsorted"), compression="zstd")
    print(f"{rows:,} fixes of {users:,} users")


def prepare_large(folder: Path, times: int = TIMES) -> None:
    """Write the same fixes many times, each time of other users: 13 bytes a fix, 3.6 GB for 280 million."""
    from platform_tests.benchmarks.mobility_data import write_repeated

    rows = write_repeated(fixes_file(folder), fixes_file(folder, "large"), times=times)
    print(f"{rows:,} fixes, {fixes_file(folder, 'large').stat().st_size / 1e9:.1f} GB")


def prepare_lifestyle(folder: Path, users: int = 10_000, days: int = 63) -> None:
    """Write the sparse days of a population, a file a day: 150 fixes for each user and day."""
    from platform_tests.benchmarks.mobility_data import write_lifestyle

    shutil.rmtree(folder / "lifestyle", ignore_errors=True)
    print(f"{write_lifestyle(folder / 'lifestyle', users=users, count=days):,} fixes")


def peers(folder: Path) -> Path:
    """Install trackintel into an environment of its own, where it is missing, and return its Python."""
    home = folder.parent / "trackintel"
    python = home / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or sys.exit("trackintel needs uv: make setup")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, home], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--compile-bytecode", "--python", home, "-r", PEERS], check=True)
    return python


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the command lines of the cases, to be run in turn."""
    own = [sys.executable, "-m", "platform_tests.benchmarks.mobility_cases"]
    peer = [str(peers(folder)), "-m", "platform_tests.benchmarks.mobility_cases"]
    return {name: [*(peer if name == "trackintel" else own), name, str(folder)] for name in CASES}


def offramp(folder: Path, what: str = "sorted") -> None:
    """Fold a file in batches, which stand by user and time, and write the rows of each batch as they come."""
    import polars as pl
    import pyarrow.parquet as pq

    from offramp.feeds.mobility.timeline.fold import fold_batches
    from offramp.feeds.mobility.timeline.rule import ORACLE

    # Read ahead, a file would be held as a whole in the end.
    batches = pq.ParquetFile(fixes_file(folder, what), pre_buffer=False).iter_batches(FIXES_AT_ONCE, columns=COLUMNS)
    frames = (pl.DataFrame(pl.from_arrow(batch)) for batch in batches)
    _write(folder, what, fold_batches(frames, ORACLE))


def unsorted(folder: Path) -> None:
    """Fold the shuffled file, which has to be sorted in memory."""
    import polars as pl

    from offramp.feeds.mobility.timeline.fold import fold
    from offramp.feeds.mobility.timeline.rule import ORACLE

    _write(folder, "unsorted", [fold(pl.read_parquet(fixes_file(folder, "unsorted"), columns=COLUMNS), ORACLE)])


def large(folder: Path) -> None:
    """Fold the fixes that were repeated."""
    offramp(folder, "large")


def _write(folder: Path, what: str, parts: Iterable[Folded]) -> None:
    from platform_tests.benchmarks.mobility_data import compact_writer

    with ExitStack() as stack:
        writers: list[ParquetWriter] = []
        for part in parts:
            tables = [part.stays.to_arrow(), part.legs.to_arrow()]
            if not writers:
                for name, table in zip(("stays", "legs"), tables, strict=True):
                    path = rows_file(folder, what, name)
                    writers.append(stack.enter_context(compact_writer(path, table.schema)))
            for writer, table in zip(writers, tables, strict=True):
                writer.write_table(table)


def trackintel(folder: Path) -> None:
    """Make staypoints and triplegs of the sorted file, and write their users, times and centres."""
    import pandas as pd  # type: ignore[import-untyped]

    from platform_tests.mobility.timeline.trackintel_record import stays_and_legs

    fixes = pd.read_parquet(fixes_file(folder), columns=COLUMNS[1:])
    for name, rows in zip(("stays", "legs"), stays_and_legs(fixes), strict=True):
        rows.to_parquet(rows_file(folder, "trackintel", name), compression="zstd", index=False)


def check(folder: Path) -> None:
    """Fail unless our last rows are trackintel's last: times and counts exactly, centres within their rounding."""
    import duckdb

    for what in ("sorted", "unsorted"):
        for name in ("stays", "legs"):
            ours, theirs = rows_file(folder, what, name), rows_file(folder, "trackintel", name)
            exact = [
                f"select user_id, started_at, {end}, fixes from '{path}'"
                for end, path in (("ended_at", ours), ("finished_at", theirs))
            ]
            different = f"(({exact[0]} except all {exact[1]}) union all ({exact[1]} except all {exact[0]}))"
            counts = f"select (select count(*) from '{ours}'), (select count(*) from {different})"
            rows, apart = duckdb.sql(counts).fetchall()[0]
            assert rows > 0
            assert apart == 0, f"{apart} {name} differ"
            print(f"{what}: {rows:,} {name} are those of trackintel")
        far = duckdb.sql(
            f"""select count(*) from '{rows_file(folder, what, "stays")}' as o
            join '{rows_file(folder, "trackintel", "stays")}' as t using (user_id, started_at)
            where abs(o.latitude - t.latitude) > 0.51e-7
                or abs((o.longitude - t.longitude + 540) % 360 - 180) > 0.51e-7"""
        ).fetchall()[0][0]
        assert far == 0, f"{far} centres differ"


CASES: dict[str, Callable[[Path], None]] = {"offramp": offramp, "offramp unsorted": unsorted, "trackintel": trackintel}
STEPS: dict[str, Callable[..., None]] = {
    "prepare": prepare,
    "prepare_large": prepare_large,
    "prepare_lifestyle": prepare_lifestyle,
    "large": large,
    "check": check,
}

if __name__ == "__main__":
    (CASES | STEPS)[sys.argv[1]](Path(sys.argv[2]), *map(int, sys.argv[3:]))
