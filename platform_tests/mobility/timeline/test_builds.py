"""Builds of the timeline day by day, over whatever arrives whenever."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.feeds.mobility.legs.cutting import cut_legs
from offramp.feeds.mobility.legs.describe import describe_legs
from offramp.feeds.mobility.timeline.fold import fold
from offramp.feeds.mobility.timeline.rule import PRODUCT
from platform_tests.mobility.timeline.arrivals import START, fixes, histories, journey, journeys, north, user
from platform_tests.mobility.timeline.house import APP, EVENTS, House

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = timedelta(days=1)
FIRST = START.date()
AWAY = 5_000
STOPS = {"kind": pl.String, "latitude": pl.Float64, "longitude": pl.Float64}
LEG = ["app_id", "user_id", "started_at", "ended_at", "fixes"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(tmp_path_factory.mktemp("scratch"), memory_bytes=200_000_000, threads=1)
    yield engine
    engine.close()


@pytest.fixture
def house(engine: DuckDBEngine, tmp_path: Path) -> House:
    return House(engine, tmp_path)


def arrived(history: pl.DataFrame, day: date) -> pl.DataFrame:
    """What counts for the build of a day."""
    until = datetime.combine(day + DAY, time())
    return history.filter(pl.col("received_at") < until, pl.col("tracked_at") < until)


def prove_as_one_fold(house: House, history: pl.DataFrame, day: date) -> None:
    """The newest rows as of a day, floats and waypoints too, are those of one fold over all that arrived."""
    whole = fold(arrived(history, day), PRODUCT)
    parts = cut_legs(whole.legs)
    assert_frame_equal(house.newest("stays").select(whole.stays.columns), whole.stays, check_exact=True)
    legs = house.newest("legs")
    assert_frame_equal(legs.select(LEG), parts.select(LEG), check_exact=True)
    named = parts.with_columns(legs["event_id"])
    told = describe_legs(named, pl.DataFrame(schema=EVENTS), pl.DataFrame(schema=STOPS))
    assert_frame_equal(legs.select("event_id", "mode", "distance", "waypoints"), told.drop("app_id", "user_id"))


@given(history=histories() | journeys(), skip=st.integers(0, 3), memory=st.sampled_from([1, 100_000_000]))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_day_by_day_is_as_one_fold_over_all_that_arrived(
    engine: DuckDBEngine, history: pl.DataFrame, skip: int, memory: int
) -> None:
    days = sorted({*history["received_at"].dt.date(), *history["tracked_at"].dt.date()})[skip:]
    told: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        house = House(engine, Path(folder), memory_bytes=memory)
        house.land("fixes", history)
        # Nothing arrives on the days between.
        for day in days:
            house.build(day)
            prove_as_one_fold(house, history, day)
            new = house.table(day, "legs").filter("is_new")
            processed = new["processed_at"].dt.date()
            assert (processed <= day).all() if day == days[0] else (processed == day).all()
            told += new["event_id"].to_list()
            newest = house.newest("legs")["event_id"]
            assert newest.is_unique().all()
            assert set(newest) <= set(told)
    assert len(told) == len(set(told)), "an event id was new twice"


def test_a_walk_a_ride_and_a_walk_are_three_legs_that_touch(house: House) -> None:
    house.land("fixes", journey((1.2, 8), (12, 16), (1.2, 8)))

    house.build(FIRST)

    legs = house.table(FIRST, "legs")
    assert legs["mode"].to_list() == ["walking", "car", "walking"]
    assert legs["started_at"].to_list()[1:] == legs["ended_at"].to_list()[:-1]
    assert legs["event_id"].is_unique().all()
    assert legs["is_new"].all()


def test_late_fixes_of_the_next_day_cut_a_leg_on_the_day_before(house: House) -> None:
    history = journey((0.9, 20), (5, 16), (0.9, 20), start=START + timedelta(hours=23, minutes=25))
    at = pl.col("tracked_at") - START
    is_late = (at > DAY - timedelta(minutes=10)) & (at < DAY + timedelta(minutes=15))
    later = pl.lit(START + 2 * DAY + timedelta(hours=1))
    history = history.with_columns(received_at=pl.when(is_late).then(later).otherwise("tracked_at"))
    house.land("fixes", history)

    house.build_days(FIRST, FIRST + DAY)
    assert house.newest("legs").height == 1
    house.build(FIRST + 2 * DAY)

    prove_as_one_fold(house, history, FIRST + 2 * DAY)
    legs = house.newest("legs")
    assert legs["ended_at"].dt.date().to_list() == [FIRST, FIRST + DAY, FIRST + DAY]
    assert house.table(FIRST + 2 * DAY, "legs")["is_new"].sum() == 2


def test_a_late_fix_reopens_its_user_alone_from_its_day_on(house: House) -> None:
    walk = [(0, 0), (10, 0), (20, 2_000), (30, 2_000), (1_500, 2_000), (1_510, 4_000), (1_520, 4_000), (3_000, 4_000)]
    history = pl.concat([north(*walk), north(*walk, who=1), north((1_515, 4_000), late=3_000)])
    house.land("fixes", history)

    house.build_days(FIRST, FIRST + 3 * DAY)

    third = house.table(FIRST + 3 * DAY, "rebuilds")
    assert third.select("user_id", "from_on").rows() == [(user(0), FIRST)]
    prove_as_one_fold(house, history, FIRST + 3 * DAY)
    assert house.table(FIRST + 3 * DAY, "legs")["is_new"].to_list() == [False, False]


def test_a_leg_that_late_fixes_lengthen_keeps_its_id_and_time_of_processing(house: House) -> None:
    walk = north((0, 0), (10, 0), (12, 1_000), (14, 2_000), (16, 3_000), (24, 3_000))
    late = north((9, 900), (15, 2_500), late=2_000)
    house.land("fixes", pl.concat([walk, late]))

    house.build_days(FIRST, FIRST + DAY)

    before, after = house.table(FIRST, "legs"), house.table(FIRST + DAY, "legs")
    assert before["ended_at"].to_list() == [START + timedelta(minutes=16)]
    assert after["event_id"].to_list() == before["event_id"].to_list()
    assert after["processed_at"].to_list() == before["processed_at"].to_list()
    assert (before["is_new"].to_list(), after["is_new"].to_list()) == ([True], [False])
    assert after["fixes"][0] > before["fixes"][0]
    assert house.newest("legs")["event_id"].to_list() == before["event_id"].to_list()


def test_of_a_leg_that_a_late_stay_splits_only_the_new_part_is_new(house: House) -> None:
    walk = north((0, 0), (10, 0), *((10 + m, 500.0 * m) for m in range(1, 13)), (35, 9_000), (45, 9_000))
    late = north((23, 6_000), (25, 6_000), (28, 6_000), late=2_000)
    house.land("fixes", pl.concat([walk, late]))

    house.build_days(FIRST, FIRST + DAY)

    first, second = house.table(FIRST, "legs"), house.table(FIRST + DAY, "legs")
    assert first["fixes"].to_list() == [14]
    assert second.select("fixes", "is_new").rows() == [(13, False), (2, True)]
    assert second["event_id"][0] == first["event_id"][0]
    assert second["processed_at"].dt.date().to_list() == [FIRST, FIRST + DAY]


def test_a_leg_that_was_split_and_is_whole_again_sends_nothing_anew(house: House) -> None:
    walk = north((0, 0), (10, 0), (12, 1_000), (14, 2_000), (16, 3_000), (40, 3_000))
    unsure = north((18, 3_050), late=1_440)
    house.land("fixes", pl.concat([walk, unsure]))
    house.land("fixes", north((11, 400), late=2_880))

    house.build_days(FIRST, FIRST + 2 * DAY)

    days = [house.table(FIRST + past * DAY, "legs") for past in range(3)]
    assert [day["is_new"].to_list() for day in days] == [[True], [False], [False]]
    assert len({day["event_id"][0] for day in days}) == 1


def test_a_leg_is_processed_when_its_last_fix_arrived_within_the_day_of_the_build(house: House) -> None:
    walk = north((0, 0), (10, 0), (12, 1_000), (14, 2_000), (20, 2_000), late=3)
    house.land("fixes", walk)

    house.build(FIRST)

    assert house.table(FIRST, "legs")["processed_at"].to_list() == [START + timedelta(minutes=23)]


def test_a_first_build_takes_all_that_had_arrived_and_processes_each_leg_when_it_arrived(house: House) -> None:
    walk = [(0, 0), (10, 0), (12, 1_000), (14, 2_000), (20, 2_000)]
    today = [(1_440 * 3 + minutes, 2_000 + metres) for minutes, metres in walk[1:]]
    house.land("fixes", pl.concat([north(*walk, late=7), north(*today, late=2)]))

    house.build(FIRST + 3 * DAY)

    legs = house.table(FIRST + 3 * DAY, "legs")
    assert legs["processed_at"].to_list() == [START + timedelta(minutes=27), START + 3 * DAY + timedelta(minutes=22)]
    assert legs["is_new"].to_list() == [True, True]


def test_a_leg_of_before_that_a_later_build_is_the_first_to_find_is_processed_on_its_day(house: House) -> None:
    house.land("fixes", north((0, 0), (10, 0), (12, 1_000), (14, 2_000)))
    house.land("fixes", north((1_450, 2_000)))

    house.build_days(FIRST, FIRST + DAY)

    assert house.table(FIRST + DAY, "legs")["processed_at"].to_list() == [START + timedelta(minutes=1_450)]


def test_a_user_without_new_fixes_is_carried_on_in_one_row(house: House) -> None:
    house.land("fixes", pl.concat([north((0, 0), (10, 0), (2_000, 5)), north((0, 0), who=1)]))

    house.build_days(FIRST, FIRST + 20 * DAY)

    states = house.table(FIRST + 20 * DAY, "open_stays")
    assert states.select("user_id", "day", "is_stay", "fixes").rows() == [
        (user(0), FIRST + DAY, True, 3),
        (user(1), FIRST, False, 1),
    ]
    assert "legs" not in house.builds[FIRST + 20 * DAY]


def test_an_idle_user_who_comes_back_ends_the_stay_of_then_and_nothing_is_new_twice(house: House) -> None:
    walk = [(0, 0), (10, 0), (12, 1_000), (14, 2_000), (30, 2_000)]
    back = [(1_440 * 80 + minutes, metres) for minutes, metres in ((0, AWAY), (10, AWAY))]
    history = north(*walk, *back)
    house.land("fixes", history)

    house.build_days(FIRST, FIRST + 80 * DAY)

    assert house.table(FIRST + 80 * DAY, "legs").is_empty()
    assert house.table(FIRST + 80 * DAY, "stays")["ended_at"].to_list() == [START + timedelta(minutes=30)]
    assert house.table(FIRST + 80 * DAY, "open_stays")["day"].to_list() == [FIRST, FIRST + 80 * DAY]


@pytest.mark.parametrize("back", [0, 2_000, 300_000])
def test_a_phone_that_was_off_for_days_ends_its_stay_where_it_was_last_seen(house: House, back: float) -> None:
    walk = [(0, 0), (10, 20), (10 + 11 * 1_440, back), (30 + 11 * 1_440, back), (40 + 11 * 1_440, back + AWAY)]
    history = north(*walk)
    house.land("fixes", history)

    house.build_days(FIRST, FIRST + 11 * DAY)

    prove_as_one_fold(house, history, FIRST + 11 * DAY)
    spans = house.newest("stays").select("started_at", "ended_at").rows()
    again = START + 11 * DAY
    minutes = [timedelta(minutes=past) for past in (10, 10, 30)]
    assert spans == [(START, START + minutes[0]), (again + minutes[1], again + minutes[2])]
    assert house.newest("legs").is_empty()


def test_a_phone_that_wakes_up_late_on_its_way_is_the_same_day_by_day(house: House) -> None:
    history = north((600, 0), (1_320, 20), (1_900, 3_020), (1_902, 6_000), (1_910, 6_000))
    house.land("fixes", history)

    house.build_days(FIRST, FIRST + DAY)

    prove_as_one_fold(house, history, FIRST + DAY)
    assert house.newest("stays")["ended_at"].to_list() == [START + timedelta(minutes=1_890)]
    assert house.newest("legs")["started_at"].to_list() == [START + timedelta(minutes=1_890)]


def test_a_user_who_goes_on_is_not_told_again(house: House) -> None:
    walk = [(0, 0), (10, 0), (12, 1_000), (14, 2_000), (1_500, 2_000), (1_510, 4_000), (1_520, 4_000)]
    history = north(*walk)
    house.land("fixes", history)

    house.build_days(FIRST, FIRST + DAY)

    assert house.table(FIRST + DAY, "rebuilds")["from_on"].to_list() == [FIRST + DAY]
    assert house.table(FIRST + DAY, "stays").height == 1
    prove_as_one_fold(house, history, FIRST + DAY)


def test_a_user_with_bad_fixes_alone_is_not_there(house: House) -> None:
    house.land("fixes", fixes([(0, 0, 4.0), (10, 0, 4.0)], accuracy=900.0))

    house.build_days(FIRST, FIRST + DAY)

    assert set(house.builds[FIRST]) == {"left_out"}
    assert house.builds[FIRST + DAY] == {}


def test_a_fix_at_midnight_belongs_to_the_day_that_begins(house: House) -> None:
    history = north((0, 0), (1_440, 10), (1_445, AWAY), (1_460, AWAY))
    house.land("fixes", history)

    house.build(FIRST)
    assert house.table(FIRST, "open_stays").select("day", "fixes").rows() == [(FIRST, 1)]
    house.build(FIRST + DAY)

    prove_as_one_fold(house, history, FIRST + DAY)
    assert house.newest("stays")["ended_at"].to_list() == [START + DAY]


def test_a_fix_of_tomorrow_waits_for_the_build_of_tomorrow(house: House) -> None:
    history = pl.concat([north((0, 0), (10, 0)), north((1_445, AWAY), (1_455, AWAY), late=-30)])
    house.land("fixes", history)

    house.build(FIRST)
    assert "stays" not in house.builds[FIRST]
    house.build(FIRST + DAY)

    prove_as_one_fold(house, history, FIRST + DAY)
    assert house.newest("stays").height == 1


def test_rows_that_arrived_later_do_not_change_the_bytes_of_a_build(
    house: House, engine: DuckDBEngine, tmp_path: Path
) -> None:
    walk = north((0, 0), (10, 0), (12, 1_000), (14, 2_000), (20, 2_000))
    house.land("fixes", walk)
    house.build(FIRST)
    (tmp_path / "other").mkdir()
    other = House(engine, tmp_path / "other")
    other.land("fixes", pl.concat([walk, north((13, 1_500), late=1_440), north((5, 0), who=2, late=1_440)]))
    other.build(FIRST)

    for table, path in house.builds[FIRST].items():
        assert Path(path).read_bytes() == Path(other.builds[FIRST][table]).read_bytes()


def test_what_phones_say_and_where_stops_are_reaches_the_mode(house: House) -> None:
    house.land("fixes", north((0, 0), (10, 0), *((10 + m, 400.0 * m) for m in range(1, 11)), (30, 4_000)))
    said = [
        {"app_id": APP, "user_id": user(0), "event_id": str(m), "occurred_at": START + timedelta(minutes=10 + m)}
        | {"kind": "activity", "activity": "cycling", "confidence": 1.0, "received_at": START + timedelta(minutes=31)}
        for m in range(1, 11)
    ]
    house.land(
        "sdk_events", pl.DataFrame(said, schema={name: EVENTS[name] for name in said[0]}).with_columns(battery=None)
    )

    house.build(FIRST)

    assert house.table(FIRST, "legs")["mode"].to_list() == ["biking"]
