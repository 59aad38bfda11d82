"""Layers and stored models, over a shop that counts its clicks day by day."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offramp.domain.errors import BuildMissing, ContractBroken, NotYetDue
from offramp.domain.exports import EntityKind, Export, FormatName, Mode
from offramp.domain.landings import Relation
from offramp.domain.layers import LayerTable
from offramp.domain.windows import DAY, Window, midnight
from offramp.lake.layers import LayerName
from offramp.pipeline import scan
from offramp.pipeline.deliver import deliver_day
from offramp.pipeline.land import land_source
from offramp.pipeline.layers import build_day, ensure_build, landing_of_day, layer_relation, missing_days
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.rooms import no_report
from offramp.pipeline.stored import store_day
from platform_tests.pipeline.history_source import HistorySource
from platform_tests.pipeline.house import Clock, House, ShopFeed, subscription

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offramp.domain.deliveries import Delivery
    from offramp.domain.exports import Model
    from offramp.domain.layers import Layer, LayerWork
    from offramp.domain.subscriptions import Subscription
    from offramp.lake.layers import BuildRecord

FIRST = date(2026, 3, 2)
NAME = LayerName("shop_layers", "counts", "1")
COUNTING = Path(__file__).parent / "counting"
COLUMNS = (("item_id", "BIGINT"), ("clicks", "BIGINT"), ("last_at", "TIMESTAMP"), ("tenant", "VARCHAR"))
DAILY = (("item_id", "BIGINT"), ("clicks", "BIGINT"), ("counted_at", "TIMESTAMP"), ("tenant", "VARCHAR"))


@dataclass(frozen=True)
class Counts:
    """Clicks by item: those of the day, and those of all days, for which the build of the day before is read."""

    built: list[date] = field(default_factory=list, compare=False)
    version: str = "1"
    name: str = "counts"
    description: str = "Clicks by item."
    source: str = "shop"
    reads: tuple[str, ...] = ("clicks",)
    after: tuple[str, ...] = ()
    is_carried: bool = True
    kept_days: int = 30

    @property
    def tables(self) -> Mapping[str, LayerTable]:
        key = ("tenant", "item_id")
        return {
            "totals": LayerTable("totals", "All days.", COLUMNS, key, tenant_column="tenant"),
            "daily": LayerTable("daily", "One day.", DAILY, key, days=self.kept_days, tenant_column="tenant"),
        }

    def build(self, work: LayerWork) -> None:
        self.built.append(work.day)
        since = "" if work.is_first else f"and ingested_at >= timestamp '{midnight(work.day):%Y-%m-%d %H:%M:%S}'"
        fresh = (
            'select item_id, count(*) as clicks, max(ingested_at) as last_at, tenant from "shop.clicks" '
            f"where ingested_at < timestamp '{work.until:%Y-%m-%d %H:%M:%S}' {since} group by item_id, tenant"
        )
        with work.open() as session:
            work.store("daily", session, f"select *, last_at as counted_at from ({fresh}) order by tenant, item_id")
            work.store(
                "totals",
                session,
                "select item_id, sum(clicks) as clicks, max(last_at) as last_at, tenant "
                f'from (select * from "before.totals" union all by name {fresh}) group by all order by tenant, item_id',
            )


@dataclass(frozen=True)
class CountingFeed(ShopFeed):
    """The shop's feed with its layer; offloads have a window of two days and a part for each item."""

    layer: Counts = field(default_factory=Counts)

    def layers(self) -> tuple[Layer, ...]:
        return (self.layer,)

    def exports(self, models: Iterable[Model]) -> tuple[Export, ...]:
        modes = {EntityKind.COMPUTED: Mode.OFFLOAD, EntityKind.EVENTS: Mode.DELTA}
        return tuple(
            Export("shop", modes[one.kind], one.entity, one, FormatName.CSV)
            for one in models
            if one.kind in modes and one.is_exported
        )

    def window(self, subscription: Subscription, export: Export, tick: datetime) -> Window:
        own = super().window(subscription, export, tick)
        end = midnight(tick.date())
        return Window(end - 2 * DAY, end) if export.mode is Mode.OFFLOAD else Window(end - DAY, end) if own else own

    def part_count(self, delivery: Delivery, rows: int, groups: int) -> int:
        return max(1, groups) if delivery.export.mode is Mode.OFFLOAD else super().part_count(delivery, rows, groups)

    def rows_name(self, delivery: Delivery, part: int, parts: int) -> str:
        return f"{delivery.export.entity}/{delivery.tick:%Y_%m_%d}/part-{part}-of-{parts}.csv"

    def marker_name(self, delivery: Delivery) -> str | None:
        return f"{delivery.export.entity}/{delivery.tick:%Y_%m_%d}/_SUCCESS"


def click(number: int, item: int, at: datetime, tenant: str = "a") -> dict[str, object]:
    naive = at.replace(tzinfo=None)
    return {"id": number, "item_id": item, "registered": naive, "ingested_at": naive, "tenant": tenant}


def house(folder: Path, *, can_read_as_of: bool = True, kept_days: int = 30, **facts: object) -> tuple[House, Counts]:
    clock = Clock(midnight(FIRST + 10 * DAY))
    layer = Counts(kept_days=kept_days)
    source = HistorySource(clock, can_read_as_of=can_read_as_of)
    source.clicks = [
        click(day * 10 + number, item=number % 2, at=midnight(FIRST + day * DAY) + timedelta(hours=number))
        for day in range(6)
        for number in range(1, day + 2)
    ]
    options = {"CRON_SCHEDULE_POPULAR": "30 1 * * *", "CRON_SCHEDULE_COUNTED": "30 1 * * *"}
    made = House(
        folder,
        source,
        clock,
        [subscription(options=options)],
        models=COUNTING,
        feed=CountingFeed(layer),
        **facts,  # type: ignore[arg-type]
    )
    return made, layer


def stored(one: House, record: BuildRecord) -> list[tuple[object, ...]]:
    path = one.rooms.lake.layers.path_for(NAME, record, "totals")
    with one.rooms.engine.open((Relation("t", (str(path),), COLUMNS),)) as session:
        return session.rows("select tenant, item_id, clicks from t order by all")


def totals(one: House, day: date) -> list[tuple[object, ...]]:
    landing = landing_of_day(one.rooms, "shop", day)
    with one.rooms.engine.open((layer_relation(one.rooms, "shop_layers", "totals", landing, "t"),)) as session:
        return session.rows("select tenant, item_id, clicks from t order by all")


def test_day_by_day_gives_what_one_build_over_all_days_gives(tmp_path: Path) -> None:
    daily, _ = house(tmp_path / "daily")
    once, layer = house(tmp_path / "once")
    for number in range(6):
        build_day(daily.rooms, "shop_layers", "counts", FIRST + number * DAY)

    build_day(once.rooms, "shop_layers", "counts", FIRST + 5 * DAY)

    assert layer.built == [FIRST + 5 * DAY]
    assert totals(daily, FIRST + 5 * DAY) == totals(once, FIRST + 5 * DAY) == [("a", 0, 9), ("a", 1, 12)]


def test_a_missing_day_before_names_the_first_day_to_build(tmp_path: Path) -> None:
    one, _ = house(tmp_path)
    build_day(one.rooms, "shop_layers", "counts", FIRST)

    with pytest.raises(BuildMissing) as refused:
        build_day(one.rooms, "shop_layers", "counts", FIRST + 3 * DAY)

    assert "the first to build is 2026-03-03" in str(refused.value)
    assert "offramp build shop --from 2026-03-03 --to 2026-03-04" in str(refused.value)
    assert missing_days(one.rooms, "shop_layers", FIRST + 3 * DAY) == tuple(FIRST + n * DAY for n in (1, 2, 3))


def test_a_build_is_made_once_and_again_only_of_another_landing(tmp_path: Path) -> None:
    one, layer = house(tmp_path)
    first = build_day(one.rooms, "shop_layers", "counts", FIRST)
    again = build_day(one.rooms, "shop_layers", "counts", FIRST)
    one.source.clicks.append(click(999, 0, midnight(FIRST) + timedelta(hours=3)))
    mended = land_source(one.rooms, one.source, as_of=midnight(FIRST + DAY) + timedelta(minutes=6), report=no_report)

    anew = ensure_build(one.rooms, "shop_layers", "counts", mended, day=FIRST)

    assert first == again
    assert anew.key != first.key
    assert layer.built == [FIRST, FIRST]
    assert stored(one, first) == [("a", 1, 1)]
    assert stored(one, anew) == [("a", 0, 1), ("a", 1, 1)]
    assert one.rooms.lake.layers.current(NAME, FIRST) == anew


def test_a_day_that_was_not_landed_in_time_is_built_of_what_had_arrived_by_its_end(tmp_path: Path) -> None:
    one, _ = house(tmp_path, can_read_as_of=False)
    reference, _ = house(tmp_path / "reference")

    for number in range(4):
        late = build_day(one.rooms, "shop_layers", "counts", FIRST + number * DAY)
        in_time = build_day(reference.rooms, "shop_layers", "counts", FIRST + number * DAY)

    assert [landing.data_as_of for landing in one.rooms.lake.landings.landings("shop")] == [one.clock.now]
    assert stored(one, late) == stored(reference, in_time) == [("a", 0, 4), ("a", 1, 6)]


def test_a_day_that_is_not_over_is_not_built(tmp_path: Path) -> None:
    one, _ = house(tmp_path)

    with pytest.raises(NotYetDue):
        build_day(one.rooms, "shop_layers", "counts", FIRST + 10 * DAY)


def test_a_stored_model_is_computed_once_for_a_landing(tmp_path: Path) -> None:
    steps: list[str] = []
    one, _ = house(tmp_path, at_step=steps.append)
    ranks = one.rooms.project.model("shop.ranks").model

    rows = [store_day(one.rooms, ranks, FIRST + 5 * DAY, no_report) for _ in range(2)]

    assert rows == [2, 2]
    assert steps.count("model") == 1


def test_an_offload_holds_its_window_in_parts_that_divide_no_group_and_ends_with_its_marker(tmp_path: Path) -> None:
    one, _ = house(tmp_path)
    day = FIRST + 5 * DAY

    report = one.deliver("shop/offload/popular", day)

    report.raise_if_incomplete()
    folder = one.outbox() / "popular" / f"{day + DAY:%Y_%m_%d}"
    assert sorted(path.name for path in folder.iterdir()) == ["_SUCCESS", "part-1-of-2.csv", "part-2-of-2.csv"]
    assert (folder / "_SUCCESS").read_bytes() == b""
    rows = [line for path in sorted(folder.glob("*.csv")) for line in path.read_text().splitlines()[1:]]
    assert sorted(rows) == ["0,9,item 0", "1,12,item 1"]
    assert (folder / "part-1-of-2.csv").read_text().startswith("item_id,clicks.all,title")


def test_rows_that_left_the_window_are_left_out_and_counted(tmp_path: Path) -> None:
    one, _ = house(tmp_path)

    report = one.deliver("shop/offload/popular", FIRST + 8 * DAY)

    (outcome,) = report.outcomes
    assert (outcome.staged.counts.read, outcome.staged.counts.rows, outcome.staged.counts.unchanged) == (2, 0, 2)


def test_every_row_of_an_appended_layer_goes_out_once_also_over_a_missed_day(tmp_path: Path) -> None:
    one, _ = house(tmp_path)
    sent: list[str] = []
    for number in range(6):
        build_day(one.rooms, "shop_layers", "counts", FIRST + number * DAY)
        if number == 2:
            continue
        day = FIRST + number * DAY
        one.deliver("shop/delta/counted", day).raise_if_incomplete()
        text = (one.outbox() / f"counted/{day + DAY:%Y_%m_%d}/part-1-of-1.csv").read_text()
        sent += [f"{line}" for line in text.splitlines()[1:]]

    assert sorted(sent) == sorted(["1,1", "0,1", "1,1", "0,1", "1,2", "0,2", "1,2", "0,2", "1,3", "0,3", "1,3"])


def _build_and_die(folder: Path, step: str) -> None:
    def at_step(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    one, _ = house(folder, at_step=at_step)
    build_day(one.rooms, "shop_layers", "counts", FIRST + 1 * DAY)


@pytest.mark.parametrize("step", ["layer.begin", "layer.finish"])
def test_a_build_killed_at_a_step_is_whole_or_absent_and_the_next_one_works(tmp_path: Path, step: str) -> None:
    one, _ = house(tmp_path)
    build_day(one.rooms, "shop_layers", "counts", FIRST)
    process = get_context("spawn").Process(target=_build_and_die, args=(tmp_path, step))
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    assert one.rooms.lake.layers.last_day(NAME, FIRST + 9 * DAY) == FIRST
    build_day(one.rooms, "shop_layers", "counts", FIRST + 1 * DAY)
    assert totals(one, FIRST + 1 * DAY) == [("a", 0, 1), ("a", 1, 2)]
    left = [path.name for path in (tmp_path / "lake" / "layers").rglob("*.tmp-*")]
    assert left == []


def test_a_correction_takes_the_marker_away_before_anything_else_changes(tmp_path: Path) -> None:
    steps: list[str] = []
    one, _ = house(tmp_path, at_step=steps.append)
    day = FIRST + 5 * DAY
    one.deliver("shop/offload/popular", day)
    steps.clear()

    one.deliver("shop/offload/popular", day, PlanOptions(correction="asked")).raise_if_incomplete()

    published = [
        step for step in steps if step.startswith("publish.") and step not in {"publish.put", "publish.commit"}
    ]
    assert published[0] == "publish.unmark"
    assert published.index("publish.manifest") < published.index("publish.marker")
    folder = one.outbox() / "popular" / f"{day + DAY:%Y_%m_%d}"
    assert (folder / "_SUCCESS").exists()


def test_a_key_that_went_out_for_another_day_is_refused_and_named(tmp_path: Path) -> None:
    one, _ = house(tmp_path)
    export = one.rooms.exports["shop/delta/counted"]
    once = replace(export, model=replace(export.model, is_delivered_once=True))  # items are clicked every day
    build_day(one.rooms, "shop_layers", "counts", FIRST)
    first = deliver_day(one.rooms, once, FIRST)

    build_day(one.rooms, "shop_layers", "counts", FIRST + DAY)
    second = deliver_day(one.rooms, once, FIRST + DAY)

    first.raise_if_incomplete()
    with pytest.raises(ContractBroken, match="rows were delivered before, for another data day"):
        second.raise_if_incomplete()
    assert "1 keys, the first (1,)" in str(second.broken[0])
    assert not (one.outbox() / f"counted/{FIRST + 2 * DAY:%Y_%m_%d}").exists()
    deliver_day(one.rooms, once, FIRST, PlanOptions(correction="its own keys are no obstacle")).raise_if_incomplete()


def test_a_folder_that_holds_a_finished_delivery_of_another_is_refused(tmp_path: Path) -> None:
    one, _ = house(tmp_path)
    day = FIRST + 5 * DAY
    folder = one.outbox() / "popular" / f"{day + DAY:%Y_%m_%d}"
    folder.mkdir(parents=True)
    (folder / "_SUCCESS").touch()
    (folder / "part-7-of-9.csv").write_text("somebody else's")

    report = one.deliver("shop/offload/popular", day)

    (failure,) = report.failures
    assert "the folder holds a finished delivery of another day or setting" in failure.error
    assert sorted(path.name for path in folder.iterdir()) == ["_SUCCESS", "part-7-of-9.csv"]


def test_wide_rows_are_sorted_in_pieces_and_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = house(tmp_path / "whole")
    parted, _ = house(tmp_path / "parted")
    day = FIRST + 5 * DAY
    monkeypatch.setattr(scan, "_HELD_ROWS", 0)

    whole.deliver("shop/offload/popular", day).raise_if_incomplete()
    monkeypatch.setattr(scan, "_PIECE_BYTES", 2)
    parted.deliver("shop/offload/popular", day).raise_if_incomplete()

    folders = [one.outbox() / "popular" / f"{day + DAY:%Y_%m_%d}" for one in (whole, parted)]
    files = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert files[0] == files[1]
    assert len(files[0]) == 3


def test_deliveries_go_on_when_the_first_builds_are_no_longer_at_hand(tmp_path: Path) -> None:
    one, _ = house(tmp_path, kept_days=2)
    for number in range(6):
        day = FIRST + number * DAY
        build_day(one.rooms, "shop_layers", "counts", day)
        if number != 3:
            one.deliver("shop/delta/counted", day).raise_if_incomplete()

    records = one.rooms.ledger.find(export="shop/delta/counted")
    assert [record.rows for record in records if record.covered_by is None] == [1, 2, 2, 4, 2]


def test_who_looks_at_an_older_build_moves_nothing_of_the_days_after_it(tmp_path: Path) -> None:
    one, _ = house(tmp_path)
    build_day(one.rooms, "shop_layers", "counts", FIRST)
    one.source.clicks.append(click(999, 0, midnight(FIRST) + timedelta(hours=3)))
    mended = land_source(one.rooms, one.source, as_of=midnight(FIRST + DAY) + timedelta(minutes=6), report=no_report)
    anew = ensure_build(one.rooms, "shop_layers", "counts", mended, day=FIRST)

    build_day(one.rooms, "shop_layers", "counts", FIRST)
    build_day(one.rooms, "shop_layers", "counts", FIRST + DAY)

    assert one.rooms.lake.layers.current(NAME, FIRST) == anew
    assert totals(one, FIRST + DAY) == [("a", 0, 2), ("a", 1, 2)]


def test_no_day_before_the_first_build_is_built(tmp_path: Path) -> None:
    one, _ = house(tmp_path)
    build_day(one.rooms, "shop_layers", "counts", FIRST + 2 * DAY)

    with pytest.raises(BuildMissing, match="begins with 2026-03-04"):
        build_day(one.rooms, "shop_layers", "counts", FIRST)
