"""``make bench``: every figure of the README's table, medians of interleaved runs, each case a process of its own.

Usage: python -m platform_tests.benchmarks [--runs N] [--days N] [--only PART]; the parts are listed by --help
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from platform_tests.benchmarks import (
    csv_cases,
    exports_cases,
    landing_cases,
    lifestyle_cases,
    mobility_cases,
    s3_cases,
    sftp_cases,
)
from platform_tests.benchmarks.measure import Cost, in_turn, medians, run, total
from platform_tests.servers.postgres import run_postgres
from platform_tests.servers.seaweedfs import BUCKET
from platform_tests.servers.seaweedfs import run as run_seaweedfs
from platform_tests.servers.sshd import run as run_sshd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROWS = 5_000_000


def show(title: str, costs: Mapping[str, Cost], *, goal: str, peers: Sequence[str]) -> None:
    """Print a table of one measurement, and ours against the better peer by CPU and by wall time."""
    print(f"\n{title}")
    print(f"  {'case':22s} {'wall s':>8s} {'CPU s':>8s} {'peak MB':>8s}")
    for name, cost in costs.items():
        print(f"  {name:22s} {cost.wall_seconds:8.2f} {cost.cpu_seconds:8.2f} {cost.peak_mb:8.0f}")
    ours = costs["offramp"]
    cpu = ours.cpu_seconds / min(costs[name].cpu_seconds for name in peers)
    wall = ours.wall_seconds / min(costs[name].wall_seconds for name in peers)
    print(f"  offramp / better peer: CPU {cpu:.2f}, wall {wall:.2f}   goal: {goal}", flush=True)


def module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"platform_tests.benchmarks.{name}", *arguments]


def csv(folder: Path, runs: int) -> None:
    run(module("csv_cases", "prepare", str(folder), str(ROWS)))
    commands = {name: module("csv_cases", name, str(folder)) for name in csv_cases.CASES}
    costs = in_turn(commands, runs=runs)
    peers = ["duckdb copy", "polars sink_csv"]
    show(
        f"CSV of {ROWS:,} mixed rows, stage and publish", costs, goal="CPU at most 1.3, peak under 600 MB", peers=peers
    )


def mobility(folder: Path, runs: int) -> None:
    run(module("mobility_cases", "prepare", str(folder)))
    costs = in_turn(mobility_cases.commands(folder), runs=runs)
    run(module("mobility_cases", "check", str(folder)))
    goal = "CPU at most 0.05, peak under 1,000 MB"
    show("Stays and legs of 2,800,000 fixes", costs, goal=goal, peers=["trackintel"])


def mobility_large(folder: Path, _runs: int) -> None:
    print("\nPeak memory of stays and legs")
    run(module("mobility_cases", "prepare", str(folder)))
    run(module("mobility_cases", "prepare_large", str(folder), str(mobility_cases.TIMES)))
    for what, rows in (("offramp", 2_800_000), ("large", 2_800_000 * mobility_cases.TIMES)):
        cost = run(module("mobility_cases", what, str(folder)))
        figures = f"{cost.peak_mb:.0f} MB, {cost.cpu_seconds:.0f} CPU s"
        print(f"  {rows:>12,} fixes: {figures}   goal: flat, under 1,000 MB", flush=True)


def lifestyle(folder: Path, _runs: int) -> None:
    users, days = lifestyle_cases.USERS, lifestyle_cases.DAYS
    print(
        f"\nThe lifestyle offload of {users:,} users over {days} days; progress: {folder / 'lifestyle.txt'}", flush=True
    )
    run(module("lifestyle_cases", "prepare", str(folder), str(users), str(days)))
    cost = run(module("lifestyle_cases", "offramp", str(folder)))
    print((folder / "lifestyle.txt").read_text(), end="")
    print(f"  the process: {cost.wall_seconds:.1f} s, {cost.cpu_seconds:.1f} CPU s", flush=True)


def memory(folder: Path, _runs: int) -> None:
    print("\nPeak memory of stage and publish")
    for rows in (ROWS, 10 * ROWS):
        run(module("csv_cases", "prepare", str(folder), str(rows)))
        cost = run(module("csv_cases", "offramp", str(folder)))
        print(
            f"  {rows:>12,} rows: {cost.peak_mb:.0f} MB, {cost.cpu_seconds:.0f} CPU s   goal: flat, under 600 MB",
            flush=True,
        )


def load(_folder: Path, runs: int) -> None:
    commands = {
        "offramp": [sys.executable, "-c", "import offramp.definitions"],
        "import dagster": [sys.executable, "-c", "import dagster"],
    }
    show("Code location", in_turn(commands, runs=max(runs, 5)), goal="at most 1.5", peers=["import dagster"])


def landing(folder: Path, runs: int) -> None:
    run(module("csv_cases", "prepare", str(folder), str(ROWS)))
    with run_postgres() as server, server.database() as dsn:
        landing_cases.load(dsn, folder)
        commands = {name: module("landing_cases", name, dsn, str(folder)) for name in landing_cases.CASES}
        costs = in_turn(commands, runs=runs)
    show(f"Landing {ROWS:,} rows from PostgreSQL", costs, goal="at most 1.2", peers=["duckdb scan"])


def exports(folder: Path, runs: int) -> None:
    run(module("exports_cases", "prepare", str(folder)))
    run(module("exports_cases", "keep", str(folder)))
    found: dict[str, list[Cost]] = {"offramp": [], "script": []}
    for _ in range(runs + 1):
        exports_cases.restore(folder)
        found["offramp"].append(run(exports_cases.command(folder, "--date", str(exports_cases.FIRST))))
        found["script"].append(run(module("exports_cases", "script", str(folder))))
    costs = {name: medians(costs[1:]) for name, costs in found.items()}
    count = len(list((folder / "script").rglob("*.csv")))
    names = len({(one.parent.name, one.stem) for one in (folder / "script").rglob("*.csv")})
    show(f"All {names} exports of a demo day, {count} deliveries", costs, goal="see below", peers=["script"])
    overhead = costs["offramp"].cpu_seconds - costs["script"].cpu_seconds
    print(f"  overhead per export: {overhead / names:.3f} CPU s   goal: at most 0.1", flush=True)


def backfill(folder: Path, _runs: int) -> None:
    run(module("exports_cases", "prepare", str(folder)))
    days = [exports_cases.FIRST + timedelta(days=number) for number in range(chosen.days)]
    exports_cases.forget(folder)
    each = [run(exports_cases.command(folder, "--date", str(day))) for day in days]
    exports_cases.forget(folder)
    costs = {
        "offramp": run(exports_cases.command(folder, "--from", str(days[0]), "--to", str(days[-1]))),
        "a run per day": total(each),
    }
    show(f"Backfill of {len(days)} days as one run", costs, goal="at most 0.2", peers=["a run per day"])


def s3(folder: Path, runs: int) -> None:
    s3_cases.prepare(folder)
    aws = s3_cases.aws_cli(folder)
    peers = ["boto3", "aws cli", "obstore"]
    with run_seaweedfs() as server:
        large = in_turn(s3_cases.commands(folder, server, BUCKET, "large", aws), runs=runs)
        show("1 GiB to S3", large, goal="wall at most 1.1", peers=peers)
        small = in_turn(s3_cases.commands(folder, server, BUCKET, "small", aws), runs=runs)
        title = f"{s3_cases.SMALL_FILES:,} files of {s3_cases.SMALL_BYTES:,} bytes to S3"
        show(title, small, goal="wall no more than the AWS CLI's", peers=peers)


def sftp(folder: Path, runs: int) -> None:
    sftp_cases.prepare(folder)
    with run_sshd() as server:
        costs = in_turn(sftp_cases.commands(folder, server), runs=runs)
    show("512 MiB to sshd over SFTP", costs, goal="wall at most 1.1", peers=["openssh sftp"])


PARTS: dict[str, Callable[[Path, int], None]] = {
    "load": load,
    "csv": csv,
    "landing": landing,
    "memory": memory,
    "exports": exports,
    "backfill": backfill,
    "s3": s3,
    "sftp": sftp,
    "mobility": mobility,
    "mobility-large": mobility_large,
    "lifestyle": lifestyle,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--days", type=int, default=exports_cases.DAYS, choices=range(1, exports_cases.DAYS + 1))
    parser.add_argument("--only", choices=PARTS)
    chosen = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, CPython {platform.python_version()}")
    for name, part in PARTS.items():
        if chosen.only in {None, name}:
            with tempfile.TemporaryDirectory(prefix="offramp-bench-") as temporary:
                part(Path(temporary) / "bench", chosen.runs)
