"""What the layers found, compared with what really happened. All instants in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from platform_tests.scenarios.planted_house import SETTLED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.source import PhonesSource

_METRES_PER_DEGREE = 111_195.0
_NEAR_METRES = 50.0
_NEAR_SECONDS = 300


def metres(latitude: str, longitude: str, other_latitude: str, other_longitude: str) -> pl.Expr:
    """The way between two points of a row that are not far from each other."""
    north = pl.col(latitude) - pl.col(other_latitude)
    east = (pl.col(longitude) - pl.col(other_longitude)) * pl.col(latitude).radians().cos()
    return (north**2 + east**2).sqrt() * _METRES_PER_DEGREE


def observed_stays(source: PhonesSource, stays: pl.DataFrame) -> pl.DataFrame:
    """True stays of more than ten minutes, through which the phone was on and the app on it, numbered by ``n``."""
    chosen = stays.filter(
        pl.col("ended_at") - pl.col("started_at") > pl.duration(minutes=10), pl.col("ended_at") < SETTLED
    )
    return chosen.filter(pl.Series(_was_on(source, chosen))).with_row_index("n")


def _was_on(source: PhonesSource, stays: pl.DataFrame) -> NDArray[np.bool_]:
    life = source._days.life
    numbers = {user: number for number, user in enumerate(life.schedule.people.user_ids)}
    person = stays["user_id"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
    started, ended = (
        stays[name].dt.epoch("us").to_numpy().astype(np.float64) / 1e6 for name in ("started_at", "ended_at")
    )
    phones = life.phones
    is_on = (started >= phones.joined[person]) & (ended < phones.left[person])
    is_on &= ~((started < phones.silent_until[person]) & (ended > phones.silent_from[person]))
    first = (started // 86_400).astype(np.int64)
    for days in range(int((ended - started).max() // 86_400) + 2):
        off, on = phones.restart(person, first + days)
        is_on &= ~((off < ended) & (on > started))
    return np.asarray(is_on)


def found_stays(stays: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """The true stays with ``is_found``: by the visit of greatest overlap, at the same place from start to end."""
    seen = visits.select("user_id", v0="started_at", v1="until_at", vlat="latitude", vlon="longitude")
    pairs = stays.join(seen, on="user_id").filter(
        pl.col("v0") < pl.col("ended_at"), pl.col("v1") > pl.col("started_at")
    )
    pairs = pairs.with_columns(
        overlap=pl.min_horizontal("v1", "ended_at") - pl.max_horizontal("v0", "started_at"),
        is_found=((pl.col("v0") - pl.col("started_at")).dt.total_seconds().abs() <= _NEAR_SECONDS)
        & ((pl.col("v1") - pl.col("ended_at")).dt.total_seconds().abs() <= _NEAR_SECONDS)
        & (metres("latitude", "longitude", "vlat", "vlon") <= _NEAR_METRES),
    )
    best = pairs.sort("n", "overlap", "v0", descending=[False, True, False]).unique("n", keep="first")
    joined = stays.join(best.select("n", "is_found"), on="n", how="left")
    return joined.with_columns(pl.col("is_found").fill_null(value=False))


def matched_legs(legs: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Trips with the mode of the true leg of greatest overlap, null where there was none: said, mode, seconds."""
    said = trips.filter(pl.col("ended_at") < SETTLED).select(
        "user_id", "event_id", "seconds", begun="started_at", done="ended_at", said="mode"
    )
    pairs = said.join(legs.select("user_id", "started_at", "ended_at", "mode"), on="user_id")
    pairs = pairs.filter(pl.col("begun") < pl.col("ended_at"), pl.col("done") > pl.col("started_at"))
    pairs = pairs.with_columns(overlap=pl.min_horizontal("done", "ended_at") - pl.max_horizontal("begun", "started_at"))
    best = pairs.sort("event_id", "overlap", "started_at", descending=[False, True, False])
    best = best.unique("event_id", keep="first")
    return said.join(best.select("event_id", "mode"), on="event_id", how="left")


def confusion(matched: pl.DataFrame) -> str:
    """A table of true modes by what was said, as text."""
    table = matched.with_columns(pl.col("mode").fill_null("none")).sort("said").pivot(
        "said", index="mode", values="event_id", aggregate_function="len"
    )  # fmt: skip
    with pl.Config(tbl_rows=20, tbl_cols=20, tbl_width_chars=160, tbl_hide_dataframe_shape=True):
        return str(table.fill_null(0).sort("mode"))


def working_days(stays: pl.DataFrame) -> pl.DataFrame:
    """The UTC dates on which a person came to work for more than two hours: user_id, day."""
    at_work = stays.filter(
        pl.col("kind") == "work", pl.col("ended_at") - pl.col("started_at") > pl.duration(hours=2)
    )  # fmt: skip
    return at_work.select("user_id", day=pl.col("started_at").dt.date().cast(pl.String)).unique()


def told(text: str) -> None:
    """Print a figure: pytest shows it with -s, or where the test fails."""
    print(f"\n{text}")  # noqa: T201 - to be looked at
