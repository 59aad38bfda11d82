"""Stays and legs as of a data day, by ranges of users: newest builds only, in the order of their keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from offramp.domain.quoting import literal
from offramp.feeds.mobility.timeline.newest import newest
from offramp.feeds.mobility.visits.parameters import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from offramp.domain.ports import Session


@dataclass(frozen=True, slots=True)
class Span:
    """The window of a data day, half-open, in UTC without zone."""

    day: date
    start: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Users:
    """A range of users, both ends included, in the order of (app_id, user_id)."""

    first: tuple[str, str]
    last: tuple[str, str]

    def condition(self) -> str:
        """Return the SQL that holds for rows of these users. Plain comparisons, so that files are skipped by it."""
        (app, user), (last_app, last_user) = self.first, self.last
        if app == last_app:
            return f"app_id = {literal(app)} and user_id between {literal(user)} and {literal(last_user)}"
        return (
            f"app_id between {literal(app)} and {literal(last_app)}"
            f" and (app_id > {literal(app)} or user_id >= {literal(user)})"
            f" and (app_id < {literal(last_app)} or user_id <= {literal(last_user)})"
        )


def ranges(session: Session, span: Span, *, rows: int) -> list[Users]:
    """Cut the users with rows in the window into ranges of about so many stays, or legs where they are more.

    A user with more rows is a range alone: users are never split.
    """
    users = _frame(session, _COUNTS.format(**_times(span)), _COUNTED)
    if users.is_empty():
        return []
    before = pl.col("size").cum_sum() - pl.col("size")
    cut = users.group_by((before // rows).alias("range"), maintain_order=True).agg(
        pl.first("app_id"),
        pl.first("user_id"),
        pl.last("app_id").alias("last_app_id"),
        pl.last("user_id").alias("last_user_id"),
    )
    return [Users((app, user), (last_app, last_user)) for _, app, user, last_app, last_user in cut.iter_rows()]


def read_stays(session: Session, span: Span, users: Users) -> pl.DataFrame:
    """Return the stays of some users, open ones with ended_at null, by user and start.

    Columns: app_id, user_id, started_at, ended_at, until_at, believed_until, latitude, longitude.
    """
    times = _times(span)
    sql = _STAYS.format(newest=newest("stays", where=_built(times, users)), users=users.condition(), **times)
    return _frame(session, sql, _STAY)


def read_legs(session: Session, span: Span, users: Users) -> Iterator[pl.DataFrame]:
    """Yield the legs of some users, by user, start and event_id, in frames of at most 50,000: they hold waypoints.

    Columns: app_id, user_id, event_id, started_at, ended_at, mode, distance, waypoints.
    """
    times = _times(span)
    return _frames(session, _LEGS.format(newest=newest("legs", where=_built(times, users)), **times), _LEG)


def _built(times: dict[str, str], users: Users) -> str:
    return f"built_on between {times['from_on']} and {times['day']} and {users.condition()}"


def _times(span: Span) -> dict[str, str]:
    return {
        "day": f"date '{span.day}'",
        "from_on": f"date '{span.start.date() - timedelta(days=1)}'",
        "start": f"timestamp '{span.start:%Y-%m-%d %H:%M:%S}'",
        "until": f"timestamp '{span.until:%Y-%m-%d %H:%M:%S}'",
        "believed": f"interval {ROLES.believed_hours} hours",
    }


def _frame(session: Session, sql: str, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    frames = [pl.DataFrame(schema=schema), *_frames(session, sql, schema)]
    return pl.concat(frames).rechunk()


def _frames(session: Session, sql: str, schema: dict[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    for batch in session.stream(sql):
        frame = pl.from_arrow(batch)
        if isinstance(frame, pl.DataFrame):
            yield frame.cast(schema)  # type: ignore[arg-type]


_TEXT, _INSTANT, _DEGREES = pl.String(), pl.Datetime("us"), pl.Float64()
_COUNTED: dict[str, pl.DataType] = {"app_id": _TEXT, "user_id": _TEXT, "size": pl.Int64()}
_STAY: dict[str, pl.DataType] = {
    "app_id": _TEXT,
    "user_id": _TEXT,
    "started_at": _INSTANT,
    "ended_at": _INSTANT,
    "until_at": _INSTANT,
    "believed_until": _INSTANT,
    "latitude": _DEGREES,
    "longitude": _DEGREES,
}
_LEG: dict[str, pl.DataType] = {
    "app_id": _TEXT,
    "user_id": _TEXT,
    "event_id": _TEXT,
    "started_at": _INSTANT,
    "ended_at": _INSTANT,
    "mode": _TEXT,
    "distance": pl.Int64(),
    "waypoints": pl.List(pl.Struct({"tracked_at": _INSTANT, "latitude": _DEGREES, "longitude": _DEGREES})),
}

# A row of the window was built in it, or on the day before: fixes may be minutes ahead of their arrival.
_COUNTS = """
-- One row per user with anything in the window; rows of older builds count too, so sizes are at most too large.
with counted as (
    select app_id, user_id, count(*) as stays, 0 as legs
    from "layers.stays"
    where ended_at > {start} and built_on between {from_on} and {day}
    group by app_id, user_id
    union all
    select app_id, user_id, 0 as stays, count(*) as legs
    from "layers.legs"
    where ended_at > {start} and built_on between {from_on} and {day}
    group by app_id, user_id
    union all
    select app_id, user_id, 1 as stays, 0 as legs
    from "layers.open_stays"
    where is_stay and day <= {day}
    group by app_id, user_id
)

select app_id, user_id, cast(greatest(sum(stays), sum(legs)) as bigint) as size
from counted
group by app_id, user_id
order by app_id, user_id
"""

_STAYS = """
-- One row per stay of the window, closed or open, of a range of users.
with closed as (
    select app_id, user_id, started_at, ended_at, latitude, longitude
    from ({newest})
    where ended_at > {start}
),

states as (
    select
        app_id,
        user_id,
        anchor_at,
        last_at,
        latitude,
        longitude,
        is_stay,
        row_number() over (partition by app_id, user_id order by built_on desc, day desc) as age
    from "layers.open_stays"
    where built_on <= {day} and day <= {day} and {users}
)

select
    app_id, user_id, started_at, ended_at, ended_at as until_at, ended_at as believed_until, latitude, longitude
from closed
union all
select
    app_id,
    user_id,
    anchor_at as started_at,
    cast(null as timestamp) as ended_at,
    {until} as until_at,
    least({until}, last_at + {believed}) as believed_until,
    latitude,
    longitude
from states
where age = 1 and is_stay
order by app_id, user_id, started_at, until_at, latitude, longitude
"""

_LEGS = """
-- One row per leg of the window of a range of users.
select app_id, user_id, event_id, started_at, ended_at, mode, distance, waypoints
from ({newest})
where ended_at > {start}
order by app_id, user_id, started_at, event_id
"""
