"""The same life out of a real PostgreSQL gives the same bytes as out of the demo."""

from __future__ import annotations

import re
import threading
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from offramp.domain.errors import LandingUnavailable
from offramp.domain.windows import DAY, midnight
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.verify import verify_folder
from offramp.sources.demo.load import load_demo
from platform_tests.scenarios.scene import LAG, Scene, contents, demo_of, manifests, subscription

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HOUR = timedelta(hours=1)
DAYS = [date(2026, 10, 23) + number * DAY for number in range(3)]
SUBSCRIPTIONS = [
    subscription("north", options={"CSV_MD5": "1"}, deletes=True, initial="full"),
    subscription(
        "fjord",
        ["borealis", "aurora"],
        deletes=True,
        initial="none",
        options={
            "CSV_FIELD_SEPARATOR": ";",
            "CSV_TEXT_ENCLOSURE": "'",
            "CSV_ESCAPE_CHAR": "\\",
            "CSV_TEXT_ROW_SEPARATOR": " | ",
            "CSV_DATE_FORMAT": "yyyy-MM-dd HH:mm:ssXXX",
            "DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "1",
            "DATA_DELTA_TIME_ZONE": "Europe/Oslo",
        },
    ),
]


def postgres_source(dsn: str) -> dict[str, Any]:
    return {"kind": "postgres", "url": dsn, "read_point_sql": "select as_of from demo_clock"}


def deliver_as_of(scene: Scene, dsn: str, demo: dict[str, Any], day: date, exports: Iterable[str]) -> None:
    """Land each instant that a subscription's window ends at, as the clock of a real night would."""
    names = list(exports)
    export, tick = scene.rooms.exports[names[0]], midnight(day + DAY) + timedelta(minutes=20)
    feed = scene.rooms.feed_of(export)
    ends = {feed.window(one, export, tick).end: one.recipient for one in scene.rooms.subscriptions}
    for end, recipient in sorted(ends.items()):
        load_demo(demo_of(demo), dsn, schema="public", as_of=end + LAG)
        scene.deliver(day, names, PlanOptions(recipients=(recipient,)), at=midnight(day + DAY) + HOUR)


def without_landings(folder: Path) -> dict[str, dict[str, Any]]:
    """The manifests without what tells how a lake numbers its landings."""
    found = manifests(folder)
    for one in found.values():
        one.pop("landing")
        if one["previous"]:
            one["previous"].pop("landing")
    return found


def test_a_subscription_over_postgresql_delivers_the_same_bytes_as_over_the_demo(
    tmp_path: Path, demo: dict[str, Any], postgres_dsn: str
) -> None:
    embedded = Scene(tmp_path / "demo", demo, SUBSCRIPTIONS, DAYS[0])
    served = Scene(tmp_path / "postgres", postgres_source(postgres_dsn), SUBSCRIPTIONS, DAYS[0])
    everything = sorted(embedded.rooms.exports)
    for day in DAYS:
        embedded.deliver(day, everything)
        deliver_as_of(served, postgres_dsn, demo, day, everything)

    for name in ("north", "fjord"):
        one, other = embedded.outbox(name), served.outbox(name)
        assert verify_folder(other).is_good
        assert without_landings(other) == without_landings(one)
        files, others = ({k: v for k, v in contents(box).items() if ".json" not in k} for box in (one, other))
        assert sorted(others) == sorted(files)
        assert [path for path in files if files[path] != others[path]] == []
    rows = sum(one["totals"]["rows"] for one in manifests(served.outbox("fjord"), "delta/**/*.json").values())
    assert rows > 500
    assert any(one["counts"]["deletes"] for one in manifests(served.outbox("fjord")).values()), "nothing was removed"


def test_a_past_day_of_postgresql_is_refused_with_the_reason(
    tmp_path: Path, demo: dict[str, Any], postgres_dsn: str
) -> None:
    scene = Scene(tmp_path, postgres_source(postgres_dsn), [subscription("north")], DAYS[0])
    load_demo(demo_of(demo), postgres_dsn, schema="public", as_of=midnight(DAYS[2] + DAY) + LAG)
    later = midnight(DAYS[2] + DAY) + HOUR

    for export in ("media/snapshot/users", "media/delta/users"):
        with pytest.raises(LandingUnavailable, match="cannot be read as of then") as refused:
            scene.deliver(DAYS[0], [export], at=later)
        assert "2026-10-24 00:05" in str(refused.value)
        assert ("--approximate" in str(refused.value)) is ("delta" in export)
    with pytest.raises(LandingUnavailable):
        scene.deliver(DAYS[0], ["media/snapshot/users"], PlanOptions(is_approximate=True), at=later)
    assert contents(scene.folder / "outbox") == {}
    assert scene.rooms.ledger.find() == ()


def test_an_approximate_backfill_is_marked_and_never_a_base(
    tmp_path: Path, demo: dict[str, Any], postgres_dsn: str
) -> None:
    scene = Scene(tmp_path, postgres_source(postgres_dsn), [subscription("north", initial="none")], DAYS[0])
    first, export = midnight(DAYS[1] + DAY) + LAG, "media/delta/users"
    load_demo(demo_of(demo), postgres_dsn, schema="public", as_of=first)
    scene.deliver(DAYS[1], [export])

    scene.deliver(DAYS[0], [export], PlanOptions(is_approximate=True))
    load_demo(demo_of(demo), postgres_dsn, schema="public", as_of=first + DAY)
    scene.deliver(DAYS[2], [export])

    found = manifests(scene.outbox("north"))
    past, regular, following = (found[f"delta/users/2026_10_{number}.r1.json"] for number in (24, 25, 26))
    assert (past["is_approximate"], past["kind"], past["previous"]) == (True, "backfill", None)
    assert (past["window"]["start"], past["window"]["end"]) == (
        "2026-10-23T00:00:00.000000Z",
        "2026-10-24T00:00:00.000000Z",
    )
    assert past["data_as_of"] == regular["data_as_of"], "cut from the nearest later landing"
    assert not regular["is_approximate"]
    assert following["previous"]["delivery_id"] == regular["delivery_id"]


def test_an_approximate_first_day_is_not_the_base_of_the_next(
    tmp_path: Path, demo: dict[str, Any], postgres_dsn: str
) -> None:
    scene = Scene(tmp_path, postgres_source(postgres_dsn), [subscription("north", initial="none")], DAYS[0])
    landed_at, export = midnight(DAYS[1] + DAY) + LAG, "media/delta/users"
    load_demo(demo_of(demo), postgres_dsn, schema="public", as_of=landed_at)
    scene.deliver(DAYS[0], [export], PlanOptions(is_approximate=True), at=landed_at + HOUR)

    [report] = scene.deliver(DAYS[1], [export])

    [outcome] = report.outcomes
    assert outcome.staged.delivery.previous is None
    assert outcome.staged.counts.late is None


class Writer(threading.Thread):
    """Adds a platform and renames an asset type in one transaction, so that both tables always tell the same number."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self._dsn = dsn
        self.stop = threading.Event()
        self.written = threading.Event()
        self.commits = 0

    def run(self) -> None:
        with psycopg.connect(self._dsn) as connection:
            while not self.stop.is_set():
                self.commits += 1
                now = datetime.now(UTC).replace(tzinfo=None)
                connection.execute(
                    "insert into platforms values (%s, %s, null, null, true, %s, %s)",
                    (1000 + self.commits, f"p{self.commits}", now, now),
                )
                connection.execute(
                    "update asset_types set name = %s, last_updated = %s where id = "
                    "(select min(id) from asset_types where tenant = 'aurora')",
                    (f"count {self.commits}", now),
                )
                connection.commit()
                if self.commits > 20:
                    self.written.set()


def test_snapshots_of_two_tables_agree_while_writers_run(
    tmp_path: Path, demo: dict[str, Any], postgres_dsn: str
) -> None:
    load_demo(demo_of(demo), postgres_dsn, schema="public", as_of=midnight(DAYS[0]))
    source = {"kind": "postgres", "url": postgres_dsn}
    today = datetime.now(UTC).date()
    exports = ["media/snapshot/asset_types", "media/snapshot/platforms"]
    writer = Writer(postgres_dsn)
    writer.start()
    try:
        assert writer.written.wait(30)
        for number in range(3):
            scene = Scene(tmp_path / str(number), source, [subscription("north")], today - 2 * DAY)
            before = writer.commits
            scene.deliver(today - DAY, exports, at=datetime.now(UTC))
            outbox = scene.outbox("north")
            assert verify_folder(outbox).is_good
            [names] = (
                [line.split(",")[1] for line in text.decode().split("\r\n") if ",count " in line]
                for path, text in contents(outbox).items()
                if path.startswith("asset_types_snapshot/")
            )
            [platforms] = (
                len(re.findall(r"(?m)^\d+,p\d+,", text.decode()))
                for path, text in contents(outbox).items()
                if path.startswith("platforms/")
            )
            assert names == [f"count {platforms}"]
            assert before - 1 <= platforms <= writer.commits
    finally:
        writer.stop.set()
        writer.join()
