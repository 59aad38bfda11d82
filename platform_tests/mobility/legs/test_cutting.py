"""Legs cut into parts in one mode: by what moves, by what waits, and by nothing else."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.feeds.mobility.legs import thresholds as at
from offramp.feeds.mobility.legs.cutting import cut_legs
from platform_tests.mobility.legs.made_legs import BEGIN, METRES_PER_DEGREE, legs_frame

WALK, WAIT, RIDE = 1.4, 0.0, 9.0


def _leg(*pieces: tuple[float, float], every: float = 20, speeds: bool = True, noise: float = 0.0) -> pl.DataFrame:
    """A leg of pieces of (metres per second, seconds), seen every so many seconds."""
    ends = np.cumsum([0.0, *(seconds for _, seconds in pieces)])
    ways = np.cumsum([0.0, *(speed * seconds for speed, seconds in pieces)])
    rng = np.random.default_rng(7)
    points = [
        {
            "tracked_at": BEGIN + timedelta(seconds=float(second)),
            "latitude": 50 + (np.interp(second, ends, ways) + rng.normal(0, noise)) / METRES_PER_DEGREE,
            "longitude": 4 + rng.normal(0, noise) / METRES_PER_DEGREE / math.cos(math.radians(50)),
            "speed": pieces[min(np.searchsorted(ends, second, side="right") - 1, len(pieces) - 1)][0]
            if speeds
            else None,
            "accuracy": 8.0,
        }
        for second in np.arange(0, ends[-1] + 1, every)
    ]
    ids = {"app_id": "a" * 24, "user_id": "b" * 24, "event_id": "c" * 64}
    spans = {"started_at": points[0]["tracked_at"], "ended_at": points[-1]["tracked_at"], "points": points}
    return legs_frame([{**ids, **spans}]).with_columns(pl.col("points").list.len().cast(pl.Int64).alias("fixes"))


def _cuts(leg: pl.DataFrame) -> list[float]:
    """The seconds at which a leg is cut."""
    parts = cut_legs(leg)
    assert parts["started_at"][0] == leg["started_at"][0]
    assert parts["ended_at"][-1] == leg["ended_at"][-1]
    assert parts["started_at"].to_list()[1:] == parts["ended_at"].to_list()[:-1]
    return [(moment - BEGIN).total_seconds() for moment in parts["started_at"].to_list()[1:]]


def test_a_ride_between_two_walks_is_cut_out() -> None:
    assert _cuts(_leg((WALK, 300), (RIDE, 400), (WALK, 200))) == [300, 700]
    assert _cuts(_leg((WALK, 300), (RIDE, 400), (WALK, 200), speeds=False)) == [300, 700]


def test_noise_of_ten_metres_moves_a_cut_by_half_a_minute_at_most() -> None:
    for every in (10, 20, 40):
        cuts = _cuts(_leg((WALK, 400), (RIDE, 800), (WALK, 400), every=every, noise=7.0, speeds=False))
        assert len(cuts) == 2
        assert abs(cuts[0] - 400) <= 30
        assert abs(cuts[1] - 1200) <= 30


def test_who_waits_for_the_bus_is_still_on_the_walk() -> None:
    assert _cuts(_leg((WALK, 300), (WAIT, 200), (RIDE, 400))) == [500]


def test_a_halt_at_lights_or_stops_ends_no_ride() -> None:
    assert _cuts(_leg((RIDE, 200), (WAIT, 90), (RIDE, 200), (WAIT, 200), (RIDE, 100))) == []


def test_a_vehicle_that_creeps_for_a_minute_is_ridden_on() -> None:
    assert _cuts(_leg((RIDE, 200), (WALK, 60), (RIDE, 200))) == []


def test_a_walk_from_one_line_to_the_next_parts_two_rides() -> None:
    assert _cuts(_leg((RIDE, 300), (WALK, 160), (WAIT, 100), (RIDE, 300))) == [300, 560]


def test_a_walk_to_the_car_of_less_than_a_minute_is_part_of_the_drive() -> None:
    assert _cuts(_leg((WALK, 40), (RIDE, 400))) == []


def test_a_runner_who_walks_home_is_cut_and_one_who_slows_down_is_not() -> None:
    assert _cuts(_leg((3.2, 900), (WALK, 300))) == [900]
    assert _cuts(_leg((3.2, 900), (2.4, 300), (3.2, 300))) == []


def test_one_fix_far_off_cuts_no_walk() -> None:
    walk = _leg((WALK, 600))
    off = pl.when(pl.element().struct.field("tracked_at") == BEGIN + timedelta(seconds=300))
    there = pl.element().struct.field("latitude") + off.then(0.004).otherwise(0.0)
    others = [pl.element().struct.field(name) for name in ("tracked_at", "longitude", "speed", "accuracy")]
    fields = pl.struct(others[0], there.alias("latitude"), *others[1:])
    assert _cuts(walk.with_columns(pl.col("points").list.eval(fields))) == []


def test_legs_without_points_or_with_one_or_two_stay_as_they_are() -> None:
    leg = _leg((RIDE, 20))
    none = leg.with_columns(points=pl.col("points").list.head(0), fixes=pl.lit(0, pl.Int64))
    one = leg.with_columns(points=pl.col("points").list.head(1), fixes=pl.lit(1, pl.Int64))
    for legs in (leg, pl.concat([none, one, leg]), leg.clear()):
        assert cut_legs(legs).equals(legs)


_PIECES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.4, 0.9, 1.4, 1.9, 2.1, 2.6, 4.0, 9.0, 30.0]), st.sampled_from([20, 40, 80, 300])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(pieces=_PIECES, every=st.sampled_from([5.0, 20.0, 50.0, 400.0]), speeds=st.booleans())
def test_parts_hold_all_points_in_order_and_are_long_enough(
    pieces: list[tuple[float, float]], every: float, *, speeds: bool
) -> None:
    leg = _leg(*pieces, every=every, speeds=speeds, noise=5.0)
    parts = cut_legs(leg)

    _cuts(leg)
    again = [point for points in parts["points"].to_list() for point in points[1:]]
    assert [leg["points"][0].to_list()[0], *again] == leg["points"][0].to_list()
    assert parts["fixes"].to_list() == parts["points"].list.len().to_list()
    assert parts.height <= at.MOST_PARTS
    if parts.height > 1:
        took = (parts["ended_at"] - parts["started_at"]).dt.total_seconds(fractional=True)
        assert (took >= at.LEAST_PART_SECONDS).all()
    # A leg is cut the same beside others.
    assert cut_legs(pl.concat([leg, leg]))[parts.height :].equals(parts)


def test_a_leg_of_endless_errands_has_64_parts_at_most() -> None:
    # Two changes go at once.
    assert cut_legs(_leg(*[(WALK, 200), (RIDE, 200)] * 50)).height in {at.MOST_PARTS - 1, at.MOST_PARTS}
