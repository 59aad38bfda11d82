"""What only DuckDB has to prove: bounded memory, spilling, repeatable files."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offramp.domain.errors import OfframpError, PermanentError
from offramp.engine.duckdb_engine import DuckDBEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

MIXED = (
    "select hash(i) as h, i as id, case when i % 3 = 0 then null else 'user ' || i end as name, "
    "md5(i::varchar) as url, (i % 100000)::decimal(12,3) as price from range({rows}) t(i)"
)
STREAM_IN_BOUNDS = """
import resource, sys
from pathlib import Path
from offramp.engine.duckdb_engine import DuckDBEngine
engine = DuckDBEngine(Path(sys.argv[1]), memory_bytes=80_000_000, threads=2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with engine.open([]) as session:
    rows = sum(batch.num_rows for batch in session.stream(sys.argv[2], batch_rows=20_000))
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
HOLD_A_SPILL_FOLDER = """
import signal, sys
from pathlib import Path
from offramp.engine.duckdb_engine import DuckDBEngine
with DuckDBEngine(Path(sys.argv[1]), memory_bytes=120_000_000, threads=1).open([]):
    print("open", flush=True)
    signal.pause()
"""

LEAVE_AN_IDLE_INSTANCE = """
import sys
from pathlib import Path
from offramp.engine.duckdb_engine import DuckDBEngine
engine = DuckDBEngine(Path(sys.argv[1]), memory_bytes=120_000_000, threads=2)
with engine.open([]) as session:
    session.rows("select 1")
assert list(Path(sys.argv[1]).iterdir())
"""
FORK_WITH_AN_IDLE_INSTANCE = """
import os, sys
from pathlib import Path
from offramp.engine.duckdb_engine import DuckDBEngine
scratch = Path(sys.argv[1])
engine = DuckDBEngine(scratch, memory_bytes=120_000_000, threads=2)
def ask():
    with engine.open([]) as session:
        print(*session.rows("select 1"), flush=True)
with engine.open([]) as session:
    session.rows("select 1")
child = os.fork()
print(len(list(scratch.iterdir())), flush=True) if child == 0 else os.waitpid(child, 0)
if child:
    print(len(list(scratch.iterdir())), flush=True)
ask()
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


@pytest.fixture
def holder(scratch: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_A_SPILL_FOLDER, str(scratch)],
        cwd=Path(__file__).parents[2] / "platform",
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.send_signal(signal.SIGKILL)


def test_a_sort_larger_than_memory_streams_within_bounds(scratch: Path) -> None:
    sql = f"{MIXED.format(rows=1_500_000)} order by h, id"

    result = subprocess.run(
        [sys.executable, "-c", STREAM_IN_BOUNDS, str(scratch), sql],
        cwd=Path(__file__).parents[2] / "platform",
        capture_output=True,
        text=True,
        check=True,
    )

    rows, grown_megabytes = map(int, result.stdout.split())
    assert rows == 1_500_000
    assert grown_megabytes < 200


def test_a_query_that_cannot_fit_says_what_to_raise(scratch: Path) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=20_000_000, threads=2)

    with engine.open([]) as session, pytest.raises(PermanentError, match="raise limits: memory_bytes"):
        session.rows(f"select sum(len(hs)) from (select list(h) as hs from ({MIXED.format(rows=3_000_000)}))")


def test_a_stored_file_has_the_same_bytes_at_any_number_of_threads(scratch: Path) -> None:
    digests = set()
    for threads in (1, 2, 4, 4):
        path = scratch.parent / f"{threads}.parquet"
        with DuckDBEngine(scratch, memory_bytes=300_000_000, threads=threads).open([]) as session:
            session.store(f"{MIXED.format(rows=400_000)} order by h, id", path)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())

    assert len(digests) == 1


def test_an_error_in_the_middle_of_a_stream_is_one_of_ours(scratch: Path) -> None:
    sql = "select case when i = 300000 then error('boom') else i::varchar end as x from range(400000) t(i)"

    with DuckDBEngine(scratch, memory_bytes=200_000_000, threads=1).open([]) as session:
        stream = session.stream(sql, batch_rows=1_000)
        next(stream)
        with pytest.raises(OfframpError, match="boom"):
            list(stream)


def test_a_killed_session_leaves_nothing_for_long_and_a_live_one_is_left_alone(
    scratch: Path, holder: subprocess.Popen[str]
) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=200_000_000, threads=1)
    with engine.open([]):
        assert len(list(scratch.iterdir())) == 2

    holder.send_signal(signal.SIGKILL)
    holder.wait()
    engine.close()
    with DuckDBEngine(scratch, memory_bytes=200_000_000, threads=1).open([]):
        assert len(list(scratch.iterdir())) == 1


def _spill_folders(scratch: Path) -> set[str]:
    return {folder.name for folder in scratch.iterdir()}


def test_an_instance_is_used_again_after_a_session_that_ended_well(scratch: Path) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=200_000_000, threads=2)
    seen = []
    for _ in range(3):
        with engine.open([]) as session:
            session.rows("select 1")
            seen.append(_spill_folders(scratch))

    assert seen[0] == seen[1] == seen[2]
    engine.close()
    assert _spill_folders(scratch) == set()


@pytest.mark.parametrize("sql", ["select nothing", "select list(i) from range(30000000) t(i)"])
def test_an_instance_whose_session_failed_is_not_used_again(scratch: Path, sql: str) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=20_000_000, threads=2)
    with engine.open([]) as session:
        failed = _spill_folders(scratch)
        with pytest.raises(OfframpError):
            session.rows(sql)

    with engine.open([]) as session:
        assert session.rows("select current_setting('threads')") == [(2,)]
        assert not failed & _spill_folders(scratch)


def test_an_instance_that_an_error_of_the_caller_passed_is_not_used_again(scratch: Path) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=200_000_000, threads=2)
    with pytest.raises(KeyError), engine.open([]):
        raise KeyError

    assert _spill_folders(scratch) == set()


def test_an_instance_that_spilled_or_still_streams_is_not_used_again(scratch: Path) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=40_000_000, threads=1)
    with engine.open([]) as session:
        stream = session.stream(f"{MIXED.format(rows=600_000)} order by h, id", batch_rows=10_000)
        next(stream)
        assert any(any(folder.iterdir()) for folder in scratch.iterdir())
        list(stream)
    assert _spill_folders(scratch) == set()

    with engine.open([]) as session:
        stream = session.stream("select i from range(300000) t(i)", batch_rows=1_000)
        next(stream)
    assert _spill_folders(scratch) == set()
    stream.close()


def test_sessions_at_once_have_an_instance_each(scratch: Path) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=200_000_000, threads=1)

    with engine.open([]) as one, engine.open([]) as other:
        one.hold("select 1 as x", "mine")
        with pytest.raises(OfframpError, match="mine"):
            other.rows("select x from mine")
        assert len(_spill_folders(scratch)) == 2


def test_a_scratch_folder_that_was_emptied_between_sessions_is_made_again(scratch: Path) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=40_000_000, threads=1)
    with engine.open([]) as session:
        session.rows("select 1")
    shutil.rmtree(scratch)

    with engine.open([]) as session:
        assert sum(1 for _ in session.stream(f"{MIXED.format(rows=600_000)} order by h, id"))


def test_spill_folders_go_with_the_engine_and_with_its_process(scratch: Path) -> None:
    engine = DuckDBEngine(scratch, memory_bytes=200_000_000, threads=1)
    with engine.open([]):
        pass
    assert len(_spill_folders(scratch)) == 1
    del engine
    assert _spill_folders(scratch) == set()

    subprocess.run(
        [sys.executable, "-c", LEAVE_AN_IDLE_INSTANCE, str(scratch)],
        cwd=Path(__file__).parents[2] / "platform",
        check=True,
    )
    assert _spill_folders(scratch) == set()


def test_a_forked_process_shares_no_instance(scratch: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK_WITH_AN_IDLE_INSTANCE, str(scratch)],
        cwd=Path(__file__).parents[2] / "platform",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert result.stdout.split() == ["0", "(1,)", "0", "(1,)"]
    assert _spill_folders(scratch) == set()
