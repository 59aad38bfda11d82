"""Runs of exports in this process, on the same Dagster instance that the UI shows."""

from __future__ import annotations

import fcntl
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import yaml

from offramp.domain.errors import NotYetDue, WrongUse
from offramp.domain.layers import layers_source
from offramp.domain.windows import DAY, midnight
from offramp.orchestration.code_location import build
from offramp.orchestration.days import ranges
from offramp.orchestration.event_log import OpenSqliteStorage
from offramp.orchestration.keys import deliveries_key, export_key, landing_key
from offramp.orchestration.layers import Steps
from offramp.pipeline.rooms import no_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from offramp.domain.exports import Export
    from offramp.pipeline.rooms import Report, Rooms
    from offramp.settings.values import Settings

_OURS = "# Written by offramp before each run. Without this line the file is yours and stays as it is.\n"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that failed: the export or last step by its asset key, the days of its run, and the reason."""

    name: str
    days: tuple[date, date]
    message: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of the runs, one per unbroken range of days."""

    run_ids: tuple[str, ...]
    failed: tuple[FailedStep, ...]

    @property
    def success(self) -> bool:
        """True where no step failed."""
        return not self.failed


def prepare_home(settings: Settings) -> Path:
    """Make the folder of the Dagster instance, with our settings unless it has others, and return it."""
    home = settings.dagster_home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    chosen, wanted = home / "dagster.yaml", _dagster_yaml(home)
    found = chosen.read_text(encoding="utf-8") if chosen.exists() else _OURS
    if found != wanted and found.startswith(_OURS):
        with tempfile.NamedTemporaryFile("w", dir=home, suffix=".yaml", delete=False, encoding="utf-8") as file:
            file.write(wanted)
        Path(file.name).replace(chosen)
    return home


def _dagster_yaml(home: Path) -> str:
    # Without `nux` a dialog about newsletters covers a fresh instance and takes every click.
    storage = {
        "module": OpenSqliteStorage.__module__,
        "class": OpenSqliteStorage.__name__,
        "config": {"base_dir": str(home)},
    }
    chosen = {"telemetry": {"enabled": False}, "nux": {"enabled": False}, "storage": {"custom": storage}}
    return _OURS + yaml.safe_dump(chosen, sort_keys=False)


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance that the UI shows."""
    home = prepare_home(settings)
    # Dagster creates its tables without asking whether somebody else is just doing so: two first runs would collide.
    with (home / ".opening").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        instance = dg.DagsterInstance.from_config(str(home))
    with instance:
        yield instance


def materialize_days(
    settings: Settings,
    rooms: Rooms,
    exports: Sequence[Export],
    days: Sequence[date],
    tags: Mapping[str, str] | None = None,
    *,
    report: Report = no_report,
) -> RunResult:
    """Run exports for data days, with their landings before and the feeds' last steps behind.

    An unbroken range of days is one run. ``tags`` are those of ``run_tags``. A failed step does not raise: it is in
    the result. Raises WrongUse or NotYetDue for a day without a partition.
    """
    return _run(settings, rooms, _asset_keys(rooms, exports), days, tags, report=report)


def build_days(
    settings: Settings, rooms: Rooms, feed: str, days: Sequence[date], *, report: Report = no_report
) -> RunResult:
    """Build the layers of a feed that go on from day to day; see ``materialize_days``."""
    source = layers_source(feed)
    carried = [name for name, layer in rooms.layers[source].items() if layer.is_carried]
    keys = Steps(rooms.project, rooms.layers).below(source, carried)
    return _run(settings, rooms, keys, days, None, report=report)


def _run(
    settings: Settings,
    rooms: Rooms,
    keys: Sequence[dg.AssetKey],
    days: Sequence[date],
    tags: Mapping[str, str] | None,
    *,
    report: Report,
) -> RunResult:
    _check_days(settings, days, rooms.clock())
    defs = build(settings, rooms=rooms, report=report)
    job = defs.resolve_implicit_global_asset_job_def()
    run_ids: list[str] = []
    failed: list[FailedStep] = []
    with open_instance(settings) as instance:
        for first, last in ranges(days):
            result = job.execute_in_process(
                instance=instance,
                asset_selection=list(keys),
                run_config=_QUIET,
                tags={**(tags or {}), **_partitions(first, last)},
                raise_on_error=False,
            )
            run_ids.append(result.run_id)
            failed += (FailedStep(name, (first, last), message) for name, message in _failures(result))
    return RunResult(tuple(run_ids), tuple(failed))


def _check_days(settings: Settings, days: Sequence[date], now: datetime) -> None:
    for day in sorted(days):
        if day < settings.first_day:
            raise WrongUse(
                f"{day} has no partition",
                where=str(settings.file),
                expected=f"a data day from first_day ({settings.first_day}) on",
                todo="choose a later day, or set an earlier first_day",
            )
        if now < midnight(day + DAY):
            raise NotYetDue(
                f"the data day {day} is not over", expected="a day that has ended in UTC", found=f"{now:%Y-%m-%d %H:%M}"
            )


def _asset_keys(rooms: Rooms, exports: Sequence[Export]) -> list[dg.AssetKey]:
    sources = sorted({rooms.source_of(export).name for export in exports})
    feeds = sorted({export.feed for export in exports})
    steps = Steps(rooms.project, rooms.layers)
    return [
        *(landing_key(source) for source in sources),
        *(key for key in steps.before(export.model for export in exports) if key.path[0] != "landing"),
        *(export_key(export) for export in exports),
        *(deliveries_key(feed) for feed in feeds),
    ]


def _partitions(first: date, last: date) -> dict[str, str]:
    if first == last:
        return {"dagster/partition": first.isoformat()}
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[tuple[str, str]]:
    steps = [event for event in result.all_events if event.is_step_failure]
    for event in steps:
        data = event.step_failure_data
        stated = data.user_failure_data
        if stated is not None and stated.description:
            message = stated.description
        else:
            error = data.error
            while error is not None and error.cause is not None:
                error = error.cause
            message = error.message.strip() if error else event.message or "no reason was given"
        yield (event.step_key or "").replace("__", "/"), message
    if not steps and not result.success:
        yield "run", next((event.message or "" for event in reversed(result.all_events) if event.is_failure), "failed")
