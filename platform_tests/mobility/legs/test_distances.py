"""Distance and waypoints of legs, and the spikes that are left out of both."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.feeds.mobility.legs.describe import describe_legs
from platform_tests.mobility.legs.made_legs import BEGIN, events_frame, legs_frame, stops_frame

RADIUS = 6_371_000
NO_EVENTS, NO_STOPS = events_frame([]), stops_frame([])


def _described(points: list[tuple[float, float, float]]) -> tuple[int, list[tuple[datetime, float, float]]]:
    rows = [
        {
            "tracked_at": BEGIN + timedelta(seconds=seconds),
            "latitude": latitude,
            "longitude": longitude,
            "speed": None,
            "accuracy": 5.0,
        }
        for seconds, latitude, longitude in points
    ]
    ids = {"app_id": "a" * 24, "user_id": "b" * 24, "event_id": "c" * 64}
    leg = {**ids, "started_at": BEGIN, "ended_at": BEGIN + timedelta(days=1), "points": rows}
    found = describe_legs(legs_frame([leg]), NO_EVENTS, NO_STOPS)
    waypoints = [tuple(point.values()) for point in found.get_column("waypoints")[0].to_list()]
    return int(found.get_column("distance")[0]), waypoints


def _north(metres: float) -> float:
    return 50 + math.degrees(metres / RADIUS)


def test_distance_is_the_way_along_the_fixes_in_whole_metres() -> None:
    assert _described([(0, _north(0), 4.0), (60, _north(500.4), 4.0), (120, _north(100.2), 4.0)])[0] == 901


def test_distance_along_a_parallel_shrinks_with_its_cosine() -> None:
    one_degree = math.radians(1) * RADIUS
    metres, _ = _described([(0, 60.0, 10.0), (36_000, 60.0, 11.0)])
    assert abs(metres - one_degree * 0.5) < 10


def test_distance_across_the_180th_meridian_is_short() -> None:
    assert _described([(0, 0.0, 179.9995), (100, 0.0, -179.9995)])[0] == 111


def test_a_fix_far_off_the_track_is_left_out_of_distance_and_waypoints() -> None:
    track = [(float(s), _north(s * 10.0), 4.0) for s in range(0, 100, 10)]
    spike = (45.0, 51.0, 4.0)
    assert _described(sorted([*track, spike])) == _described(track)


def test_five_fixes_off_in_a_row_are_left_out_and_a_first_and_a_last_one_too() -> None:
    track = [(float(s), _north(s * 10.0), 4.0) for s in range(0, 200, 10)]
    off = [(50.0 + i, 51.0, 4.0) for i in range(1, 6)]
    assert _described(sorted([*track, *off, (-5.0, 53.0, 4.0), (195.0, 53.0, 4.0)])) == _described(track)


def test_a_flight_has_no_spikes() -> None:
    flight = [(s, 50 + s * 0.002, 4.0) for s in range(0, 3600, 60)]  # 800 km/h
    metres, waypoints = _described([(float(s), y, x) for s, y, x in flight])
    assert len(waypoints) == 60
    assert metres == round(math.radians(59 * 60 * 0.002) * RADIUS)


def test_fixes_off_the_globe_or_of_one_instant_are_left_out() -> None:
    track = [(0.0, 50.0, 4.0), (60.0, 50.001, 4.0)]
    odd = [(0.0, 50.0005, 4.0), (20.0, 95.0, 4.0), (30.0, float("nan"), 4.0), (40.0, 50.0, 181.0)]
    assert _described(sorted([*track, *odd])) == _described(track)


def test_waypoints_have_five_decimals() -> None:
    _, waypoints = _described([(0.0, 50.123456, 4.654321), (60.0, 50.123994, 4.654326)])
    assert waypoints == [(BEGIN, 50.12346, 4.65432), (BEGIN + timedelta(seconds=60), 50.12399, 4.65433)]


_POINT = st.tuples(
    st.integers(0, 7200).map(float), st.floats(-90, 90, allow_nan=False), st.floats(-180, 180, allow_nan=False)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_POINT, max_size=12))
def test_waypoints_are_some_of_the_fixes_in_order_and_distance_is_theirs(
    points: list[tuple[float, float, float]],
) -> None:
    metres, waypoints = _described(sorted(points))
    given_points = {(BEGIN + timedelta(seconds=s), round(y, 5), round(x, 5)) for s, y, x in points}
    assert all((at, round(y, 5), round(x, 5)) in given_points for at, y, x in waypoints)
    assert [at for at, _, _ in waypoints] == sorted({at for at, _, _ in waypoints})
    straight = pl.DataFrame(
        {"y": [math.radians(y) for _, y, _ in waypoints], "x": [math.radians(x) for _, _, x in waypoints]},
        schema={"y": pl.Float64, "x": pl.Float64},
    )
    y, x = pl.col("y"), pl.col("x")
    half = ((y - y.shift()) / 2).sin() ** 2 + y.cos() * y.shift().cos() * ((x - x.shift()) / 2).sin() ** 2
    way = straight.select((2 * RADIUS * half.clip(0, 1).sqrt().arcsin()).sum()).item()
    assert abs(metres - way) <= 1 + 2 * len(waypoints)
