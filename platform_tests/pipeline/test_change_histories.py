"""Whatever happens at the source, what a receiver has after each delta is the landing, row for row."""

from __future__ import annotations

import csv
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offramp.domain.subscriptions import Initial
from offramp.domain.windows import DAY, midnight
from platform_tests.pipeline.history_source import HistorySource
from platform_tests.pipeline.house import Clock, House, subscription

FIRST = date(2026, 3, 1)
DAYS = [FIRST + number * DAY for number in range(4)]
LAG = timedelta(minutes=5)
TENANTS = ("a", "b")
# Syncing each file to a disk would cost most of the time of hundreds of small deliveries.
MEMORY_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
EXAMPLES = int(os.environ.get("OFFRAMP_EXAMPLES", "12"))  # make test-all asks for more
SLOW = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def moments(first: date = FIRST, days: int = len(DAYS) + 1) -> st.SearchStrategy[datetime]:
    """Minutes of the days, most of them near a midnight, where windows end."""
    start = midnight(first)
    near = st.builds(
        lambda day, minutes: start + day * DAY + timedelta(minutes=minutes), st.integers(0, days), st.integers(-20, 20)
    )
    return st.one_of(near, st.integers(0, days * 1440).map(lambda minutes: start + timedelta(minutes=minutes)))


@dataclass(frozen=True)
class Version:
    key: int
    committed_at: datetime
    behind_minutes: int | None
    amount: int
    is_deleted: bool

    def row(self) -> dict[str, object]:
        tenant = TENANTS[self.key % 2]
        changed_at = None
        if self.behind_minutes is not None:
            changed_at = (self.committed_at - timedelta(minutes=self.behind_minutes)).replace(tzinfo=None)
        return {
            "id": self.key,
            "title": f"of {tenant}",
            "amount": self.amount,
            "last_updated": changed_at,
            "tenant": tenant,
        }


versions = st.builds(
    Version,
    key=st.integers(1, 8),
    committed_at=moments(),
    behind_minutes=st.one_of(st.none(), st.just(0), st.integers(-15, 15), st.integers(0, 2200)),
    amount=st.integers(0, 3),
    is_deleted=st.booleans(),
)


# A tenant without any row would be taken for a misspelt one.
KNOWN: list[dict[str, object]] = [
    {"id": number, "item_id": 1, "registered": datetime(2026, 2, 1), "ingested_at": datetime(2026, 2, 1), "tenant": one}  # noqa: DTZ001 - tables hold UTC without a zone
    for number, one in enumerate(TENANTS)
]


def records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def changed_at(row: dict[str, object]) -> datetime | None:
    found = row["last_updated"]
    return found.replace(tzinfo=UTC) if isinstance(found, datetime) else None


def shown(row: dict[str, object]) -> dict[str, str]:
    moment = changed_at(row)
    return {
        "id": str(row["id"]),
        "title": str(row["title"]),
        "amount": str(row["amount"]),
        "last_updated": moment.strftime("%Y-%m-%dT%H:%M:%S+0000") if moment else "",
    }


@SLOW
@given(
    history=st.lists(versions, min_size=1, max_size=40),
    missed=st.sets(st.sampled_from(DAYS[1:-1])),
    window_days=st.integers(1, 2),
    tenants=st.sampled_from([("a",), ("b",), ("a", "b")]),
)
def test_a_receiver_that_applies_every_delta_has_the_landing(
    history: list[Version], missed: set[date], window_days: int, tenants: tuple[str, ...]
) -> None:
    clock = Clock(midnight(FIRST))
    source = HistorySource(
        clock, items=[(one.committed_at, one.is_deleted, one.row()) for one in history], clicks=KNOWN
    )
    taken = subscription(tenants=tenants, options={"DATA_DELTA_DAYS": str(window_days)})
    with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER) as folder:
        house = House(Path(folder), source, clock, [taken])
        receiver: dict[str, dict[str, str]] = {}
        for day in (one for one in DAYS if one not in missed):
            until = midnight(day + DAY)
            report = house.deliver("shop/delta/items", day)
            (outcome,) = report.outcomes
            name = f"{until:%Y_%m_%d}.csv"
            for row in records(house.outbox() / f"items/items_{name}"):
                receiver[row["id"]] = row
            for row in records(house.outbox() / f"items_deletes/items_deletes_{name}"):
                receiver.pop(row["id"], None)
            landed = [row for row in source.items_as_of(until + LAG).iter_rows(named=True) if row["tenant"] in tenants]
            pending = {str(row["id"]) for row in landed if (moment := changed_at(row)) and moment >= until}
            expected = {str(row["id"]): shown(row) for row in landed if str(row["id"]) not in pending}
            assert {key: row for key, row in receiver.items() if key not in pending} == expected
            assert all(row["title"].removeprefix("of ") in tenants for row in receiver.values())
            counts = outcome.staged.counts
            is_first = day == DAYS[0]
            assert counts.adds_up is (None if is_first else True)
            assert (counts.late is None) is is_first
            assert counts.read == len(landed) == counts.rows + counts.pending + counts.unchanged
            if not is_first:
                assert counts.pending == len(pending)


@dataclass(frozen=True)
class Click:
    ingested_at: datetime
    behind_minutes: int
    tenant: str


clicks = st.builds(
    Click,
    ingested_at=moments(),
    behind_minutes=st.one_of(st.just(0), st.integers(-15, 15), st.integers(0, 5000)),
    tenant=st.sampled_from(TENANTS),
)


@SLOW
@given(
    history=st.lists(clicks, max_size=40), missed=st.sets(st.sampled_from(DAYS[1:-1])), window_days=st.integers(1, 3)
)
def test_every_event_goes_out_once_as_soon_as_its_window_has_closed(
    history: list[Click], missed: set[date], window_days: int
) -> None:
    clock = Clock(midnight(FIRST))
    rows: list[dict[str, object]] = [
        {
            "id": number,
            "item_id": 1,
            "registered": (one.ingested_at - timedelta(minutes=one.behind_minutes)).replace(tzinfo=None),
            "ingested_at": one.ingested_at.replace(tzinfo=None),
            "tenant": one.tenant,
        }
        for number, one in enumerate(history)
    ]
    item = Version(2, midnight(FIRST), 0, 1, is_deleted=False)
    source = HistorySource(clock, items=[(midnight(FIRST), False, item.row())], clicks=rows)
    with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER) as folder:
        house = House(Path(folder), source, clock, [subscription(options={"DATA_DELTA_DAYS": str(window_days)})])
        got: list[str] = []
        for day in (one for one in DAYS if one not in missed):
            until = midnight(day + DAY)
            (outcome,) = house.deliver("shop/delta/clicks", day).outcomes
            got += [row["id"] for row in records(house.outbox() / f"clicks/clicks_{until:%Y_%m_%d}.csv")]
            known = source.clicks_as_of(until + LAG, None).iter_rows(named=True)
            due = {
                str(row["id"])
                for row in known
                if row["tenant"] == "a" and row["registered"].replace(tzinfo=UTC) < until
            }
            assert len(got) == len(set(got)), "an event went out twice"
            assert set(got) == due
            assert outcome.staged.counts.adds_up is (None if day == DAYS[0] else True)


def test_without_a_baseline_the_first_delta_is_its_window_and_late_is_unknown(tmp_path: Path) -> None:
    clock = Clock(midnight(FIRST))
    old = Version(1, midnight(FIRST) + timedelta(hours=1), 0, 1, is_deleted=False)
    new = Version(3, midnight(FIRST + DAY) + timedelta(hours=1), 0, 1, is_deleted=False)
    source = HistorySource(clock, items=[(one.committed_at, False, one.row()) for one in (old, new)])
    house = House(tmp_path, source, clock, [subscription(tenants=("b",), initial=Initial.NONE)])

    (outcome,) = house.deliver("shop/delta/items", FIRST + DAY).outcomes

    assert [row["id"] for row in records(house.outbox() / "items/items_2026_03_03.csv")] == ["3"]
    assert outcome.staged.counts.late is None
    assert outcome.staged.counts.unchanged == 1


def test_a_missed_day_is_caught_up_and_the_ledger_says_by_what(tmp_path: Path) -> None:
    clock = Clock(midnight(FIRST))
    history = [
        Version(1, midnight(day) + timedelta(hours=9), 0, number, is_deleted=False) for number, day in enumerate(DAYS)
    ]
    history += [Version(5, midnight(DAYS[1]) + timedelta(hours=9), 0, 7, is_deleted=False)]
    source = HistorySource(clock, items=[(one.committed_at, False, one.row()) for one in history])
    house = House(tmp_path, source, clock, [subscription(tenants=("b",))])
    house.deliver("shop/delta/items", DAYS[0])

    (outcome,) = house.deliver("shop/delta/items", DAYS[2]).outcomes

    assert outcome.staged.counts.catch_up == 1
    assert outcome.staged.counts.in_window == 1
    missed = house.rooms.ledger.find(first_day=DAYS[1], last_day=DAYS[1])
    assert [record.covered_by for record in missed] == [outcome.staged.delivery.id]
    again = house.deliver("shop/delta/items", DAYS[1])
    assert not again.outcomes
    assert [skipped.reason.name for skipped in again.skipped] == ["COVERED"]
