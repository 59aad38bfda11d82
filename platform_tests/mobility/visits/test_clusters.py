from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.feeds.mobility.visits.clusters import centres, place_rows

METRES_PER_DEGREE = math.pi * 6_371_000 / 180


def clustered(points: list[tuple[float, float]], seconds: list[int] | None = None) -> list[int]:
    latitudes, longitudes = (np.array(one, np.float64) for one in zip(*points, strict=True))
    lengths = np.array(seconds or [3600] * len(points), np.int64)
    return [int(row) for row in place_rows(np.array([0, len(points)], np.int64), latitudes, longitudes, lengths)]


def moved(latitude: float, longitude: float, north: float, east: float) -> tuple[float, float]:
    turned = longitude + east / METRES_PER_DEGREE / math.cos(math.radians(latitude))
    return latitude + north / METRES_PER_DEGREE, (turned + 180) % 360 - 180


@pytest.mark.parametrize("longitude", [10.0, 179.99995, -180.0])
@pytest.mark.parametrize("latitude", [0.0, 60.0, 85.0, -33.0])
@pytest.mark.parametrize(("north", "east"), [(1, 0), (0, 1), (0, -1), (-1, 0)])
def test_stays_are_one_place_within_100_m_north_or_east_at_any_latitude(
    latitude: float, longitude: float, north: int, east: int
) -> None:
    here = (latitude, longitude)
    assert clustered([here, moved(*here, 95 * north, 95 * east)]) == [0, 0]
    assert clustered([here, moved(*here, 105 * north, 105 * east)]) == [0, 1]


def test_a_street_of_stays_is_not_chained_into_one_place() -> None:
    street = [moved(51.0, 3.7, 0, 40 * step) for step in range(50)]
    rows = clustered(street)
    assert len(set(rows)) >= 50 * 40 / 250
    for row in set(rows):
        along = [40 * step for step in range(50) if rows[step] == row]
        assert max(along) - min(along) <= 250


@given(
    st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400), st.integers(300, 40_000)), min_size=1, max_size=40)
)
def test_no_two_stays_of_a_place_are_more_than_250_m_apart_and_places_are_numbered_by_first_visit(
    offsets: list[tuple[float, float, int]],
) -> None:
    rows = clustered([moved(60.0, 10.0, north, east) for north, east, _ in offsets], [s for *_, s in offsets])
    firsts = [rows.index(row) for row in range(max(rows) + 1)]
    assert firsts == sorted(firsts)
    for one, (north, east, _) in enumerate(offsets):
        for other, (other_north, other_east, _) in enumerate(offsets):
            if rows[one] == rows[other]:
                assert math.hypot(north - other_north, east - other_east) <= 250.5


def test_users_do_not_share_places() -> None:
    latitudes, longitudes = np.full(4, 51.0), np.full(4, 3.7)
    rows = place_rows(np.array([0, 2, 4], np.int64), latitudes, longitudes, np.full(4, 600, np.int64))
    assert rows.tolist() == [0, 0, 1, 1]


def test_centres_are_means_by_time_and_cross_the_date_line() -> None:
    latitudes, longitudes = np.array([10.0, 10.0004]), np.array([179.9999, -179.9997])
    norths, easts = centres(np.zeros(2, np.int64), 1, latitudes, longitudes, np.array([3, 1], np.int64))
    assert norths[0] == pytest.approx(10.0001)
    assert easts[0] == pytest.approx(-180.0) or easts[0] == pytest.approx(180.0)


def test_nobody_has_no_places() -> None:
    none = np.zeros(0)
    assert place_rows(np.zeros(1, np.int64), none, none, np.zeros(0, np.int64)).size == 0
