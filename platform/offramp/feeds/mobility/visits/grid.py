"""Distances on the globe, and joins of points with what is near to them by cells of an integer grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from offramp.feeds.mobility.timeline.rule import EARTH_RADIUS_METRES

# Cells of one band are numbered below this.
_BAND = 1 << 32

# Cells are this much wider than twice the radius, so that rounding never makes a radius reach over a third cell.
_SLACK = 1.0001


def metres_between(latitude: str, longitude: str, other_latitude: str, other_longitude: str) -> pl.Expr:
    """Return the great-circle distance of columns in degrees: by the sine of half the angle, exact at small ones."""
    latitudes = pl.col(latitude).radians(), pl.col(other_latitude).radians()
    over = ((latitudes[1] - latitudes[0]) / 2).sin()
    along = ((pl.col(other_longitude) - pl.col(longitude)).radians() / 2).sin()
    half = (over * over + latitudes[0].cos() * latitudes[1].cos() * along * along).clip(0.0, 1.0)
    return 2 * EARTH_RADIUS_METRES * half.sqrt().arcsin()


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells twice as high and at least twice as wide as a radius: what is within it lies in at most four of them.

    Bands follow latitude; each has as many cells as fit around its narrower edge, so that cells near the poles stay
    as wide in metres. Numbers around a band wrap at the date line.
    """

    radius_metres: float

    def cell(self, latitude: str, longitude: str) -> pl.Expr:
        """Return the number of the cell that a point in degrees lies in."""
        band = self._band(pl.col(latitude))
        return self._number(band, _turned(pl.col(longitude)))

    def with_cells_near(self, points: pl.DataFrame) -> pl.DataFrame:
        """Return points once for each ``cell`` that may hold something within the radius of them."""
        half = self._half_width(pl.col("latitude"))
        reach = self._size / (2 * _SLACK)
        bands = [self._band(pl.col("latitude") - reach), self._band(pl.col("latitude") + reach)]
        sides = [_turned(pl.col("longitude") - half), _turned(pl.col("longitude") + half)]
        corners = points.select(
            self._number(band, side).alias(f"{where}_{end}")
            for where, band in zip(("south", "north"), bands, strict=True)
            for end, side in zip(("west", "east"), sides, strict=True)
        )
        # list.unique() of the four would take ten times as long as the join.
        earlier: list[str] = []
        parts = []
        for corner in corners.columns:
            is_new = pl.all_horizontal(pl.lit(value=True), *(pl.col(corner) != pl.col(other) for other in earlier))
            parts.append(
                points.with_columns(corners.get_column(corner).alias("cell")).filter(corners.select(is_new).to_series())
            )
            earlier.append(corner)
        return pl.concat(parts)

    @property
    def _size(self) -> float:
        """The height of a band in degrees."""
        return math.degrees(2 * self.radius_metres / EARTH_RADIUS_METRES) * _SLACK

    def _band(self, latitude: pl.Expr) -> pl.Expr:
        return ((latitude.clip(-90.0, 90.0) + 90) / self._size).floor().cast(pl.Int64)

    def _cells_around(self, band: pl.Expr) -> pl.Expr:
        south = band * self._size - 90
        # One band further to the pole: from a neighbouring band a radius spans more degrees of longitude.
        edge = pl.max_horizontal(south.abs(), (south + self._size).abs()) + self._size
        fitting = (360 * edge.clip(0.0, 90.0).radians().cos() / self._size).floor().cast(pl.Int64)
        return fitting.clip(lower_bound=1)

    def _number(self, band: pl.Expr, turned: pl.Expr) -> pl.Expr:
        around = self._cells_around(band)
        along = (turned / 360 * around).floor().cast(pl.Int64)
        return band * _BAND + pl.min_horizontal(along, around - 1)

    def _half_width(self, latitude: pl.Expr) -> pl.Expr:
        """Return by how many degrees of longitude the radius reaches to either side; half the globe over a pole."""
        angle = self.radius_metres / EARTH_RADIUS_METRES
        ratio = math.sin(angle) / latitude.radians().cos()
        is_polar = latitude.abs().radians() + angle >= math.pi / 2
        return pl.when(is_polar | (ratio >= 1)).then(180.0).otherwise(ratio.clip(0.0, 1.0).arcsin().degrees())


def pairs_within(points: pl.DataFrame, targets: pl.DataFrame, grid: Grid) -> pl.DataFrame:
    """Return each point with each target within the grid's radius, and ``metres`` between them, in no order.

    Points have ``latitude`` and ``longitude``; targets have ``target_latitude``, ``target_longitude`` and the
    ``cell`` of the same grid. Other columns are kept, so their names must differ.
    """
    found = grid.with_cells_near(points).join(targets, on="cell", how="inner").drop("cell")
    metres = metres_between("latitude", "longitude", "target_latitude", "target_longitude")
    return found.with_columns(metres.alias("metres")).filter(pl.col("metres") <= grid.radius_metres)


def _turned(longitude: pl.Expr) -> pl.Expr:
    """Return degrees east of the date line, in [0, 360)."""
    east = longitude + 180
    return east - 360 * (east / 360).floor()
