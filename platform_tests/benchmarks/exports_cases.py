"""All exports of the demo: one day in one run against a script that writes the same SELECTs, and a backfill."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from offramp.domain.exports import EntityKind, Mode
from offramp.domain.quoting import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offramp.domain.exports import Export
    from offramp.domain.subscriptions import Subscription
    from offramp.pipeline.rooms import Rooms

REPOSITORY = Path(__file__).parents[2]
BEGIN = date(2026, 1, 1)
# A month of life lies behind the first of the days, as in the demo that is shipped.
FIRST = BEGIN + timedelta(days=29)
DAYS = 30
_STATE = ("lake", "ledger.db", "scratch", "dagster")
_YAML_CHANGES = {
    "models: ./dbt_like_sql": f"models: {REPOSITORY / 'dbt_like_sql'}",
    "first_day: 2026-11-01": f"first_day: {BEGIN}",
    "start_on: null": f"start_on: {BEGIN}",
}


def prepare(folder: Path) -> None:
    """Write the shipped configuration and generate the demo's days; nothing is landed or delivered yet."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (REPOSITORY / "offramp.yaml").read_text(encoding="utf-8")
    for old, new in _YAML_CHANGES.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "offramp.yaml").write_text(text, encoding="utf-8")
    source = _rooms(folder).sources["media"]
    source.select_as_of("users", _instant(FIRST + timedelta(days=DAYS + 1)))  # type: ignore[attr-defined]  # the demo


def _rooms(folder: Path) -> Rooms:
    from offramp.settings.reading import load_settings
    from offramp.wiring import open_rooms

    return open_rooms(load_settings(folder / "offramp.yaml", environment={}))


def _instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 0, 5, tzinfo=UTC)


def forget(folder: Path) -> None:
    """Take away what runs made, so that the next one begins anew."""
    for name in _STATE:
        path = folder / ".offramp" / name
        if path.is_dir():
            shutil.rmtree(path)
    for path in (folder / ".offramp").glob("ledger.db*"):
        path.unlink()
    shutil.rmtree(folder / "outbox", ignore_errors=True)


def keep(folder: Path) -> None:
    """Keep the state after the day before, which the measured day builds upon."""
    forget(folder)
    _deliver(folder, "--date", str(FIRST - timedelta(days=1)))
    for name in (".offramp", "outbox"):
        shutil.rmtree(folder / f"kept{name}", ignore_errors=True)
        shutil.copytree(folder / name, folder / f"kept{name}", ignore=shutil.ignore_patterns("demo"))


def restore(folder: Path) -> None:
    """Bring back what ``keep`` kept."""
    forget(folder)
    for name in (".offramp", "outbox"):
        shutil.copytree(folder / f"kept{name}", folder / name, dirs_exist_ok=True)


def command(folder: Path, *arguments: str) -> list[str]:
    """Return the command line of a delivery of all exports."""
    offramp = [sys.executable, "-c", "from offramp.cli.main import run; run()"]
    return [*offramp, "--config", str(folder / "offramp.yaml"), "deliver", "media", "--quiet", *arguments]


def _deliver(folder: Path, *arguments: str) -> None:
    subprocess.run(command(folder, *arguments), check=True, stdout=subprocess.DEVNULL)


def due(rooms: Rooms) -> Iterator[tuple[Subscription, Export]]:
    """Yield what each subscription receives on a day."""
    for subscription in rooms.subscriptions:
        for export in rooms.exports.values():
            if rooms.feed_of(export).cron(subscription, export) is not None:
                yield subscription, export


def script(folder: Path) -> None:
    """Write what a hand-made script would: each export's SELECT over the source, filtered and sorted, to CSV."""
    rooms = _rooms(folder)
    source = rooms.sources["media"]
    end = _instant(FIRST + timedelta(days=1))
    out = folder / "script"
    shutil.rmtree(out, ignore_errors=True)
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("set timezone = 'UTC'")
        for subscription, export in due(rooms):
            rows = source.select_as_of(export.entity, end)  # type: ignore[attr-defined]  # the demo
            sql = rooms.project.compile(export.model.name, prefix="").sql
            (use,) = rooms.project.compile(export.model.name, prefix="").relations
            connection.execute(f"create or replace temp view {identifier(use.name)} as {rows}")
            target = out / subscription.id / export.mode / f"{export.entity}.csv"
            target.parent.mkdir(parents=True, exist_ok=True)
            columns = ", ".join(map(identifier, export.contract.names))
            connection.execute(
                f"copy (select {columns} from ({sql}) where {_chosen(subscription, export, end)} "
                f"order by {', '.join(map(identifier, export.contract.key))}) to {literal(str(target))} (header)"
            )


def _chosen(subscription: Subscription, export: Export, end: datetime) -> str:
    model = export.model
    tenants = ", ".join(map(literal, subscription.tenants))
    mine = f"{model.tenant_column} in ({tenants})" if model.tenant_column else "true"
    change = model.contract.change_column
    if export.mode is Mode.SNAPSHOT or change is None or model.kind is EntityKind.REFERENCE:
        return mine
    day = f"timestamptz '{end:%Y-%m-%d} 00:00:00+00'"
    return f"{mine} and {change} >= {day} - interval 1 day and {change} < {day}"


CASES: dict[str, Callable[[Path], None]] = {"script": script, "prepare": prepare, "keep": keep}

if __name__ == "__main__":
    CASES[sys.argv[1]](Path(sys.argv[2]))
