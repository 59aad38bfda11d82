"""Write the seeded walks of which trackintel's rows are recorded: expected/README.md says how to repeat it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from platform_tests.mobility.timeline.independent_walks import KINDS, seeded

EXPECTED = Path(__file__).parent / "expected"
KEY = ["user_id", "tracked_at", "latitude", "longitude"]
# Latitude, longitude and seed: equator, both temperate halves, high north, and both sides of the date line.
PLACES = (
    (0.0, 9.4, 1), (51.05, 3.72, 2), (40.71, -74.0, 3), (-33.87, 151.2, 4), (60.0, 24.9, 5),
    (85.0, 20.0, 6), (-16.8, 179.999, 7), (65.0, -179.999, 8), (0.0, -180.0, 9), (85.0, 179.99, 10),
)  # fmt: skip


def fixes() -> pl.DataFrame:
    """Return two users at each place, and users of one and of two fixes, sorted by user, time, latitude, longitude."""
    walks = pl.concat(
        seeded(seed, users=2, episodes=26, latitude=latitude, longitude=longitude, kinds=KINDS).select(
            pl.concat_str(pl.lit(f"{seed:02x}"), pl.col("user_id").str.slice(2)).alias("user_id"),
            "tracked_at",
            pl.col("latitude", "longitude").round(6),
        )
        for latitude, longitude, seed in PLACES
    )
    # Phones with one fix, and with two, are where the ends of the rule are.
    few = [
        walks.group_by("user_id", maintain_order=True)
        .head(count)
        .select(pl.col("user_id").str.replace("^0", first), *KEY[1:])
        for count, first in ((1, "e"), (2, "f"))
    ]
    return pl.concat([walks, *few]).unique(maintain_order=True).sort(KEY)


if __name__ == "__main__":
    fixes().write_parquet(EXPECTED / "fixes.parquet", compression="zstd")
