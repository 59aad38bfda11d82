"""Wall time at a place: the zone of a coordinate, local times, and their texts with offset.

Zones are looked up in the outlines of tzfpy (the same release of the zone database for every platform), instants are
converted by Polars. Neither reads a table of the machine.
"""

from __future__ import annotations

import polars as pl
import tzfpy

# Zones are looked up at the middle of cells of 0.01 degrees: at most 0.8 km from the point, so that only places that
# near to a border may get the zone of the other side. tzfpy's simplified outlines are off by as much.
CELLS_PER_DEGREE = 100

# Where there is no zone: a coordinate that is missing, not a number, or off the globe.
NOWHERE = "Etc/GMT"

_SECONDS_PER_MINUTE = 60


def zones_of(latitude: pl.Series, longitude: pl.Series) -> pl.Series:
    """Return the IANA zone of each coordinate, in degrees.

    Each distinct cell of 0.01 degrees is looked up once. At sea and at the poles it is a zone such as ``Etc/GMT-3``.
    """
    points = pl.DataFrame({"latitude": latitude, "longitude": longitude}).select(
        _cell("latitude", 90), _cell("longitude", 180)
    )
    cells = points.unique().sort("latitude", "longitude").drop_nulls()
    middles = cells.select((pl.all() + 0.5) / CELLS_PER_DEGREE)
    names = [tzfpy.get_tz(x, y) or NOWHERE for y, x in middles.iter_rows()]
    named = cells.with_columns(pl.Series("zone", names, dtype=pl.String))
    found = points.join(named, on=["latitude", "longitude"], how="left", maintain_order="left")
    return found.get_column("zone").fill_null(NOWHERE)


def with_local_time(
    frame: pl.DataFrame, instant: str, zone: str, *, local: str, offset: str, text: str, has_milliseconds: bool = False
) -> pl.DataFrame:
    """Add the local time of an instant (UTC, without zone), its offset east of UTC in seconds, and its text.

    Texts are ISO 8601 with offset, ``2018-09-29T19:00:23+01:00``; an offset of zero is ``Z``
    (mobility_offloads.md, section 3, columns 3 and 4). Lifestyle files have whole seconds; the driving files have
    milliseconds, as the sample of 2022 (section 4). Smaller parts are cut off. An instant or zone that is missing
    gives none of the three. Offsets count in whole minutes: those before 1972 that had seconds are cut to them.
    """
    wanted = pl.DataFrame({"instant": frame.get_column(instant), "zone": frame.get_column(zone)})
    pieces = [
        piece.with_columns(_offset(name).alias("offset"))
        for (name,), piece in wanted.unique().sort("zone", "instant").partition_by("zone", as_dict=True).items()
        if name is not None
    ]
    empty = wanted.clear().with_columns(pl.lit(None, pl.Int32).alias("offset"))
    offsets = pl.concat([empty, *pieces])
    placed = wanted.join(offsets, on=["instant", "zone"], how="left", maintain_order="left")
    placed = placed.with_columns((pl.col("instant") + pl.duration(seconds="offset")).alias("local"))
    return frame.with_columns(
        placed.get_column("local").alias(local),
        placed.get_column("offset").alias(offset),
        placed.select(offset_text("local", "offset", has_milliseconds=has_milliseconds)).to_series().alias(text),
    )


def offset_text(local: str, offset: str, *, has_milliseconds: bool) -> pl.Expr:
    """Return the text of a column of local times with their offsets in seconds: ISO 8601, ``Z`` for zero."""
    minutes = pl.col(offset).abs() // _SECONDS_PER_MINUTE
    hours = (minutes // 60).cast(pl.String).str.zfill(2)
    rest = (minutes % 60).cast(pl.String).str.zfill(2)
    sign = pl.when(pl.col(offset) < 0).then(pl.lit("-")).otherwise(pl.lit("+"))
    suffix = pl.when(pl.col(offset) == 0).then(pl.lit("Z")).otherwise(sign + hours + ":" + rest)
    return pl.col(local).dt.strftime("%Y-%m-%dT%H:%M:%S%.3f" if has_milliseconds else "%Y-%m-%dT%H:%M:%S") + suffix


def _cell(name: str, most: int) -> pl.Expr:
    degrees = pl.col(name).cast(pl.Float64)
    cell = (degrees * CELLS_PER_DEGREE).floor().clip(-most * CELLS_PER_DEGREE, most * CELLS_PER_DEGREE - 1)
    return pl.when(degrees.is_nan() | (degrees.abs() > most)).then(None).otherwise(cell).cast(pl.Int32).alias(name)


def _offset(zone: object) -> pl.Expr:
    there = pl.col("instant").dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone)).dt.replace_time_zone(None)
    minutes = (there - pl.col("instant")).dt.total_minutes()
    return (minutes * _SECONDS_PER_MINUTE).cast(pl.Int32)
