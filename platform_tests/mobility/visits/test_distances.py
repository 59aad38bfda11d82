from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.feeds.mobility.visits.grid import Grid, metres_between, pairs_within

METRES_PER_DEGREE = math.pi * 6_371_000 / 180


def test_a_tenth_of_a_degree_is_as_long_as_on_the_globe_north_and_east_at_any_latitude() -> None:
    for latitude in (0.0, 60.0, 85.0):
        there = pl.DataFrame(
            {
                "latitude": [latitude, latitude],
                "longitude": [10.0, 10.0],
                "north": [latitude + 0.001, latitude],
                "east": [10.0, 10.001],
            }
        ).select(metres_between("latitude", "longitude", "north", "east"))
        north, east = there.to_series()
        assert north == pytest.approx(0.001 * METRES_PER_DEGREE, rel=1e-6)
        assert east == pytest.approx(0.001 * METRES_PER_DEGREE * math.cos(math.radians(latitude)), rel=1e-6)


def test_distances_cross_the_date_line() -> None:
    there = pl.DataFrame({"a": [0.0], "b": [179.9995], "c": [0.0], "d": [-179.9995]})
    assert there.select(metres_between("a", "b", "c", "d")).item() == pytest.approx(0.001 * METRES_PER_DEGREE, rel=1e-6)


@given(
    st.sampled_from([0.0, 30.0, 51.05, -60.0, 85.0, 89.9995, -89.9995, 90.0]),
    st.sampled_from([0.0, 3.72, 179.9999, -180.0, 180.0]),
    st.lists(st.tuples(st.floats(-1.3, 1.3), st.floats(-1.3, 1.3)), min_size=1, max_size=20),
    st.sampled_from([50.0, 1_500.0, 30_000.0]),
)
def test_the_grid_finds_exactly_what_is_within_the_radius(
    latitude: float, longitude: float, offsets: list[tuple[float, float]], radius: float
) -> None:
    degrees = radius / METRES_PER_DEGREE
    widened = degrees / max(math.cos(math.radians(latitude)), 0.01)
    grid = Grid(radius)
    targets = pl.DataFrame(
        {
            "target": range(len(offsets)),
            "target_latitude": [max(-90.0, min(90.0, latitude + north * degrees)) for north, _ in offsets],
            "target_longitude": [(longitude + east * widened + 180) % 360 - 180 for _, east in offsets],
        }
    ).with_columns(grid.cell("target_latitude", "target_longitude").alias("cell"))
    points = pl.DataFrame({"point": [0], "latitude": [latitude], "longitude": [longitude]})

    found = pairs_within(points, targets, grid).sort("target")

    every = points.join(targets, how="cross").with_columns(
        metres_between("latitude", "longitude", "target_latitude", "target_longitude").alias("metres")
    )
    expected = every.filter(pl.col("metres") <= radius).sort("target")
    assert found.get_column("target").to_list() == expected.get_column("target").to_list()
