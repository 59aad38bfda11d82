"""Record what trackintel makes of expected/fixes.parquet: run by an environment that has it, see expected/README.md.

Nothing of the project is imported here, since that environment has nothing of it.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import geopandas as gpd  # type: ignore[import-untyped]
import pandas as pd  # type: ignore[import-untyped]
from trackintel import Positionfixes  # type: ignore[import-not-found]

EXPECTED = Path(__file__).parent / "expected"


def stays_and_legs(fixes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run trackintel with the numbers of the oracle over user_id, tracked_at (UTC), latitude and longitude.

    Returns staypoints (user_id, started_at, finished_at, latitude, longitude, fixes) and triplegs (the same without a
    place), sorted by user and time.
    """
    geometry = gpd.points_from_xy(fixes["longitude"], fixes["latitude"], crs="EPSG:4326")
    frame = gpd.GeoDataFrame(fixes[["user_id"]].copy(), geometry=geometry)
    frame["tracked_at"] = fixes["tracked_at"].dt.tz_localize("UTC")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of legs whose fixes are all at one point, which it leaves out
        known, stays = Positionfixes(frame).generate_staypoints(
            method="sliding", dist_threshold=100, time_threshold=5.0, gap_threshold=15.0, include_last=True
        )
        known, legs = known.generate_triplegs(stays, method="between_staypoints", gap_threshold=15)
    stays["latitude"], stays["longitude"] = stays.geometry.y, stays.geometry.x
    return _flat(stays, known.groupby("staypoint_id").size()), _flat(legs, known.groupby("tripleg_id").size())


def _flat(rows: gpd.GeoDataFrame, fixes: pd.Series) -> pd.DataFrame:
    order = ["user_id", "started_at", "finished_at"]
    places = [name for name in ("latitude", "longitude") if name in rows]
    flat = pd.DataFrame(rows[[*order, *places]]).assign(fixes=fixes.reindex(rows.index).to_numpy().astype("int64"))
    for name in order[1:]:
        flat[name] = flat[name].dt.tz_localize(None).astype("datetime64[us]")
    return flat.sort_values(order).reset_index(drop=True)


if __name__ == "__main__":
    found = stays_and_legs(pd.read_parquet(EXPECTED / "fixes.parquet"))
    for stem, table in zip(("staypoints", "triplegs"), found, strict=True):
        table.to_parquet(EXPECTED / f"{stem}.parquet", compression="zstd", index=False)
