from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.sources.phones.ground import distance_metres
from offramp.sources.phones.personas import PLANTED, RIDES, Mode
from offramp.sources.phones.schedule import Schedule
from offramp.sources.phones.venue_kinds import NUMBER
from platform_tests.sources.phones.landing import DAY, START

if TYPE_CHECKING:
    from offramp.sources.phones.source import PhonesSource
    from offramp.sources.phones.truth import Truth

LAST = (START + 19 * DAY).date()


@pytest.fixture(scope="module")
def told(lived_phones: PhonesSource) -> Truth:
    return lived_phones.truth(START.date(), LAST)


@pytest.fixture(scope="module")
def good_fixes(lived_phones: PhonesSource) -> pl.DataFrame:
    """Fixes that claim to be accurate, each once, of clocks that were right."""
    with lived_phones.connect() as connection:
        rows = connection.execute(lived_phones.select_as_of("fixes", START + 21 * DAY)).pl()
    rows = rows.filter(pl.col("tracked_at") <= pl.col("received_at"), pl.col("accuracy") < 20)
    rows = rows.filter(pl.col("latitude").is_finite(), pl.col("latitude").abs().is_between(0.5, 90))
    return rows.unique(["user_id", "tracked_at"], keep="first", maintain_order=True).sort("tracked_at")


def of(told: Truth, frame: pl.DataFrame, label: str) -> pl.DataFrame:
    user = told.people.filter(pl.col("label") == label)["user_id"][0]
    return frame.filter(pl.col("user_id") == user)


def metres(rows: pl.DataFrame, right: str = "_right") -> pl.Series:
    columns = [rows[name].to_numpy() for name in ("latitude", "longitude", f"latitude{right}", f"longitude{right}")]
    return pl.Series(distance_metres(*columns))


@given(
    seed=st.integers(0, 10**6),
    start_on=st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    number=st.integers(0, 60),
)
@settings(max_examples=10, deadline=None)
def test_days_of_any_life_join_without_a_gap_or_an_overlap(seed: int, start_on: date, number: int) -> None:
    schedule = Schedule(seed, start_on, 1.0)
    [today], [tomorrow] = list(schedule.legs(number)), list(schedule.legs(number + 1))
    order = np.lexsort((today.started, today.person))
    assert (order == np.arange(len(order))).all()
    same = np.diff(today.person) == 0
    assert (today.started[1:] > today.ended[:-1])[same].all()
    assert (today.start[1:] == today.end[:-1])[same].all()
    ends = np.append(~same, [True])
    assert (today.end[ends] == today.span.sleeps[today.person[ends]]).all()
    assert (today.span.sleeps == tomorrow.span.woke).all()
    assert (today.span.ends == tomorrow.span.begins).all()
    last = today.span.begins.copy()
    np.maximum.at(last, today.person, today.ended)
    first = tomorrow.span.ends.copy()
    np.minimum.at(first, tomorrow.person, tomorrow.started)
    assert (last < first).all()
    assert (today.span.begins // 86_400 == date.toordinal(start_on) - date(1970, 1, 1).toordinal() + number).all()


def test_stays_and_legs_take_turns_and_fill_all_time(told: Truth) -> None:
    spans = pl.concat(
        [
            told.stays.select("user_id", "started_at", "ended_at", what=pl.lit("stay")),
            told.legs.select("user_id", "started_at", "ended_at", what=pl.lit("leg")),
        ]
    ).sort("user_id", pl.col("started_at").fill_null(START.replace(tzinfo=None)))
    joined = spans.with_columns(pl.col("started_at", "what").shift(-1).over("user_id").name.prefix("next_"))
    inner = joined.filter(pl.col("next_started_at").is_not_null())
    assert inner.filter(pl.col("ended_at") != pl.col("next_started_at")).is_empty()
    assert inner.filter(pl.col("what") == pl.col("next_what")).is_empty()
    assert spans["user_id"].n_unique() == 60


def test_true_places_and_rides_exist(told: Truth, lived_phones: PhonesSource) -> None:
    with lived_phones.connect() as connection:
        venues = connection.execute(lived_phones.select_as_of("venues", START)).pl()
    at_venues = told.stays.filter(pl.col("venue_id").is_not_null())
    found = at_venues.join(venues, on="venue_id", suffix="_right")
    assert len(found) == len(at_venues) > 1_000
    assert metres(found).max() < 0.01
    schedule = Schedule(1, START.date(), 1.0)
    for legs in schedule.legs(2):
        for mode in RIDES:
            rides = legs.mode == mode
            ends = schedule.people.kind[np.append(legs.start[rides], legs.end[rides])]
            assert set(ends.tolist()) == {NUMBER[mode.name.lower()]}


def test_fixes_of_stays_lie_near_them(told: Truth, good_fixes: pl.DataFrame) -> None:
    stays = told.stays.filter(pl.col("started_at").is_not_null()).sort("started_at")
    met = good_fixes.join_asof(stays, left_on="tracked_at", right_on="started_at", by="user_id")
    met = met.filter(pl.col("started_at").is_not_null(), pl.col("tracked_at") <= pl.col("ended_at"))
    away = metres(met)
    assert len(met) > 30_000
    assert (away < 50).mean() > 0.99
    long = stays.filter(pl.col("ended_at") - pl.col("started_at") > pl.duration(minutes=8))
    seen = met.group_by("user_id", "started_at").len()
    present = told.people.filter(pl.col("silent_from").is_null(), pl.col("left_at").is_null())
    present = present.filter(pl.col("joined_at") == START.replace(tzinfo=None))
    noticed = long.join(present, on="user_id", how="semi").join(seen, on=["user_id", "started_at"], how="left")
    assert noticed["len"].is_not_null().mean() > 0.97


def test_fixes_of_legs_move_as_fast_as_their_mode_and_none_is_taken_in_flight(
    told: Truth, good_fixes: pl.DataFrame
) -> None:
    legs = told.legs.sort("started_at")
    met = good_fixes.join_asof(legs, left_on="tracked_at", right_on="started_at", by="user_id")
    met = met.filter(pl.col("tracked_at").is_between(pl.col("started_at"), pl.col("ended_at"), closed="both"))
    met = met.sort("user_id", "tracked_at").with_columns(
        pl.col("latitude", "longitude", "tracked_at", "started_at").shift(1).over("user_id").name.suffix("_before")
    )
    met = met.filter(pl.col("started_at") == pl.col("started_at_before"))
    seconds = (met["tracked_at"] - met["tracked_at_before"]).dt.total_milliseconds() / 1_000
    speed = met.select("mode", speed=metres(met, "_before") / seconds).filter(seconds > 5)
    medians = dict(speed.group_by("mode").agg(pl.col("speed").median()).iter_rows())
    bounds = {"walking": (0.9, 1.7), "running": (2, 3.4), "biking": (3, 6), "bus": (5, 11), "tram": (5, 11),
              "car": (6, 25), "train": (14, 38)}  # fmt: skip
    assert set(medians) == set(bounds)
    assert {mode: low < medians[mode] < high for mode, (low, high) in bounds.items()} == dict.fromkeys(bounds, True)
    assert speed["speed"].quantile(0.999) < 60


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        ("car_commuter", "car"),
        ("train_commuter", "train"),
        ("bike_commuter", "biking"),
        ("bus_commuter", "bus"),
        ("tram_commuter", "tram"),
        ("walking_commuter", "walking"),
        ("speeder", "car"),
        ("student", "bus"),
        ("night_worker", "car"),
    ],
)
def test_planted_commuters_come_to_work_their_way_on_most_working_days(told: Truth, label: str, mode: str) -> None:
    legs, work = of(told, told.legs, label), of(told, told.stays, label).filter(pl.col("kind") == "work")
    assert work["started_at"].dt.date().n_unique() >= 9
    days = legs.filter(pl.col("mode") == mode, pl.col("distance") > 300)["started_at"].dt.date().n_unique()
    assert days >= 9
    others = legs.filter(pl.col("to_kind") == "work", pl.col("from_kind") == "home", pl.col("mode") != mode)
    assert others.is_empty()


def test_planted_people_do_what_they_are_there_for(told: Truth) -> None:
    assert set(told.people["label"].drop_nulls()) == {persona.label for persona in PLANTED}
    dog = of(told, told.legs, "dog_owner").filter(
        pl.col("mode") == "walking", pl.col("to_kind").is_in(["park", "outdoors"])
    )
    assert len(dog) >= 30
    night = of(told, told.stays, "night_worker").filter(pl.col("kind") == "work")
    assert (night["started_at"].dt.hour().is_in([21, 22])).all()
    school = of(told, told.stays, "parent").filter(pl.col("kind") == "school")
    assert len(school) >= 12
    assert (school["ended_at"] - school["started_at"]).dt.total_minutes().is_between(5, 10).all()
    flights = of(told, told.legs, "frequent_flyer").filter(pl.col("mode") == "flight")
    assert len(flights) >= 4
    assert flights["distance"].min() > 300_000
    home = of(told, told.stays, "home_worker").filter(pl.col("kind") == "home")
    lasted = (home["ended_at"] - home["started_at"]).dt.total_hours().sum()
    assert lasted > 0.7 * 24 * 18
    fast = told.legs.filter(pl.col("mode") == Mode.CAR.name.lower(), pl.col("role").is_null())
    assert fast.is_empty()


def test_truth_of_some_days_is_part_of_the_truth_of_all(told: Truth, lived_phones: PhonesSource) -> None:
    day = (START + 7 * DAY).date()
    part = lived_phones.truth(day, day)
    assert part.legs.join(told.legs, on=part.legs.columns, how="anti", nulls_equal=True).is_empty()
    assert part.people.equals(told.people)
    key = ["user_id", "latitude", "longitude", "kind"]
    assert part.stays.join(told.stays, on=[*key, "started_at"], how="anti", nulls_equal=True).is_empty()
    assert len(part.stays) < len(told.stays) / 5
