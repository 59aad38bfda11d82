"""What is open of a user at the end of a day: what the next builds go on from.

A state holds for its day and all later ones before the user's next state. The last KEPT_DAYS day-ends of each user can
be told from the rows that are kept; a user who is idle keeps one row.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.feeds.mobility.timeline.columns import Ranges
from offramp.feeds.mobility.timeline.kernel import STAY, nothing_open
from offramp.feeds.mobility.timeline.steps import whole
from offramp.feeds.mobility.timeline.tables import CENTRE_DECIMALS, instants, points_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from offramp.feeds.mobility.timeline.columns import Columns
    from offramp.feeds.mobility.timeline.kernel import Found, Opened

KEPT_DAYS = 14

_EPOCH = date(1970, 1, 1)
_SUMS = ("anchor_latitude", "anchor_longitude", "sum_latitude", "sum_sine", "sum_cosine")


def opened_from(bases: pl.DataFrame, users: pl.DataFrame) -> Opened:
    """Return the states of users as a pass takes them. ``bases``: those of users that have one, by number."""
    opened = nothing_open(users.height)
    rows = (bases["number"] - users["number"][0]).to_numpy() if bases.height else np.zeros(0, np.int64)
    opened.kind[rows] = bases["opened"].to_numpy()
    opened.times[rows] = np.column_stack((bases["anchor_at"].dt.epoch("us").to_numpy(), bases["fixes"].to_numpy()))
    opened.sums[rows] = np.column_stack([bases[name].to_numpy() for name in _SUMS])
    return opened


def states_of(found: Found, columns: Columns, users: pl.DataFrame) -> pl.DataFrame:
    """Return states by user and day: the columns of open_stays but built_on, after those of ``users``."""
    user, day, kind, anchor_us, count, first, last, place, at, inside = found.states.T
    sums = found.state_sums
    points, _, _ = points_of(columns, Ranges(first, last, place, at), has_received=True)
    open_ones: pl.DataFrame = users[user]
    return open_ones.with_columns(
        pl.Series("day", day).cast(pl.Int32).cast(pl.Date),
        instants("anchor_at", anchor_us),
        instants("last_at", columns.time[inside]),
        pl.Series("last_latitude", columns.latitude[inside]),
        pl.Series("last_longitude", columns.longitude[inside]),
        pl.Series("fixes", count),
        pl.Series("latitude", sums[:, 2] / count).round(CENTRE_DECIMALS),
        pl.Series("longitude", np.degrees(np.arctan2(sums[:, 3], sums[:, 4]))).round(CENTRE_DECIMALS),
        pl.Series("is_stay", kind == STAY),
        pl.Series("opened", kind).cast(pl.Int8),
        *(pl.Series(name, sums[:, column]) for column, name in enumerate(_SUMS)),
        points.alias("points"),
    )


def day_number(day: date) -> int:
    """Return the days since 1970."""
    return (day - _EPOCH).days


def first_kept(day: date) -> date:
    """Return the first day whose end the states of a build still tell."""
    return day - timedelta(days=KEPT_DAYS)


def merged(standing: Iterable[pl.DataFrame], made: pl.DataFrame, day: date, *, rows: int) -> Iterator[pl.DataFrame]:
    """Yield all states as of a day: those that still hold and those made anew, both by app_id, user_id, day."""
    done = 0
    for some in whole(standing, ("app_id", "user_id"), rows=rows):
        app, user = some.select("app_id", "user_id").row(-1)
        is_due = (pl.col("app_id") < app) | ((pl.col("app_id") == app) & (pl.col("user_id") <= user))
        upto = int(made.select(is_due.sum()).item())
        yield _kept(pl.concat((some.select(made.columns), made[done:upto])), day)
        done = upto
    if done < made.height:
        yield _kept(made[done:], day)


def _kept(states: pl.DataFrame, day: date) -> pl.DataFrame:
    """Leave out what no kept day needs: a state that another one follows before the first kept day."""
    following = pl.col("day").shift(-1).over("app_id", "user_id", order_by="day")
    is_needed = following.is_null() | (following > first_kept(day))
    return states.sort("app_id", "user_id", "day").filter(is_needed)
