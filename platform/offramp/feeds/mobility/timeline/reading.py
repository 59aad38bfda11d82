"""What a build reads: which users are touched and from when, their fixes, and what earlier builds left of them.

Users are numbered by (app_id, user_id); every stream stands in the order of their numbers, so that a build can go
through all of them in step and hold a few users at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from offramp.feeds.mobility.timeline import statements as sql
from offramp.feeds.mobility.timeline.newest import newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.domain.ports import Session
    from offramp.feeds.mobility.timeline.rule import Rule

EVERYTHING = date(1, 1, 1)

_STOP = {"kind": pl.String, "latitude": pl.Float64, "longitude": pl.Float64}

# From how many days back the landed files are read for users whose fixes came in time; those of others are read apart,
# so that one late phone does not make the build read a month of files for all.
_RECENT_DAYS = 2


@dataclass(frozen=True, slots=True)
class Span:
    """The data day of a build, as timestamps in UTC without zone. ``since`` None: all that had arrived by its end."""

    day: date
    since: datetime | None
    until: datetime


def hold_touched(session: Session, span: Span, rule: Rule) -> None:
    """Hold ``touched``: who has new fixes, what they may change, and what of the user must be read for it.

    - number, app_id, user_id.
    - first_on: the first day of which something is new.
    - is_onward: all that was known is of days before. Then nothing of it changes, and more is added to it.
    - from_on: the first day on which anything may end otherwise than before. Onward it is ``first_on``; else what was
      open at the end of the day before ``first_on`` may have ended long ago, and the first part of a leg that was open
      as early as on the day on which it began. Null where no state tells.
    - base_day: the state to go on from, at the end of a day before ``from_on``; null to begin from nothing.
    - is_whole: all fixes of the user must be read, as no state is old enough.
    - legs_from: nothing that is found now begins before.
    """
    new, first_on = "true", _date(EVERYTHING)
    if span.since:
        since, earliest = _timestamp(span.since), _timestamp(span.since - _ahead(rule))
        new = f"fixes.received_at >= {earliest} and (fixes.received_at >= {since} or fixes.tracked_at >= {since})"
        first_on = "cast(min(fixes.tracked_at) as date)"
    session.hold(sql.TOUCHED.format(new=new, came=_came(span, rule), first_on=first_on), "touched")


def users(session: Session) -> Iterator[pl.DataFrame]:
    """Yield touched users by number."""
    return frames(session, sql.USERS)


def fixes(session: Session, span: Span, rule: Rule) -> Iterator[pl.DataFrame]:
    """Yield the fixes to fold by number and time: of each user the open ones of before, then all since."""
    branches = [sql.POINTS]
    for chosen, first in _groups(session, span, "from_on"):
        # A fix that counts was tracked at most `ahead` after it arrived: older files have none of these days.
        is_read = f"fixes.received_at >= {_timestamp(first)} - {_interval(_ahead(rule))}" if first else "true"
        since = "fixes.tracked_at >= touched.from_on" if first else "true"
        branches.append(sql.FIXES.format(chosen=chosen, came=_came(span, rule), is_read=is_read, since=since))
    return frames(session, " union all ".join(branches) + " order by number, tracked_at")


def bases(session: Session) -> Iterator[pl.DataFrame]:
    """Yield the sums of the states to go on from, by number."""
    return frames(session, sql.BASES)


def known_legs(session: Session) -> Iterator[pl.DataFrame]:
    """Yield what earlier builds said about legs that this one may find again, by number and start."""
    count, first = session.rows("select count(*) - count(from_on), min(from_on) from touched")[0]
    is_read = f"legs.ended_at >= {_date(first)} - interval 2 days" if not count and first else "true"
    found = newest("legs", of="before", where=sql.IS_TOUCHED, rows_where=is_read.removeprefix("legs."))
    return frames(session, sql.KNOWN.format(newest=found, is_read=is_read))


def events(session: Session, span: Span, rule: Rule) -> Iterator[pl.DataFrame]:
    """Yield what phones said that their users did, by number and time."""
    branches = [sql.NO_EVENTS]
    for chosen, first in _groups(session, span, "legs_from"):
        is_read = f"events.received_at >= {_timestamp(first)} - {_interval(_ahead(rule))}" if first else "true"
        branches.append(sql.EVENTS.format(chosen=chosen, is_read=is_read, until=_timestamp(span.until)))
    return frames(session, " union all ".join(branches) + " order by number, occurred_at, event_id")


def _groups(session: Session, span: Span, since: str) -> Iterator[tuple[str, datetime | None]]:
    """Yield conditions that part the touched users by how far back they are read, and the earliest instant of each.

    None means everything.
    """
    recent = _date(span.day - timedelta(days=_RECENT_DAYS))
    for chosen in (f"not is_whole and {since} >= {recent}", f"not is_whole and {since} < {recent}", "is_whole"):
        count, first = session.rows(f"select count(*), cast(min({since}) as timestamp) from touched where {chosen}")[0]
        if count:
            yield chosen, first if isinstance(first, datetime) and chosen != "is_whole" else None


def stops(session: Session) -> pl.DataFrame:
    """Return stops of public transport: kind (bus, tram, train, airport), latitude, longitude."""
    found = [*frames(session, sql.STOPS)]
    return pl.concat(found) if found else pl.DataFrame(schema=_STOP)


def states(session: Session) -> Iterator[pl.DataFrame]:
    """Yield the states of before that still hold, by app_id, user_id, day."""
    return frames(session, sql.STATES)


def frames(session: Session, query: str) -> Iterator[pl.DataFrame]:
    """Yield a query's rows."""
    for batch in session.stream(query):
        frame = pl.from_arrow(batch)
        if isinstance(frame, pl.DataFrame):
            yield frame


def arrived(span: Span) -> str:
    """Return the condition of a fix that arrived within a build's day, or by its end if it is the first."""
    since = f" and fixes.received_at >= {_timestamp(span.since)}" if span.since else ""
    return f"fixes.received_at < {_timestamp(span.until)}{since}"


def fault(rule: Rule) -> str:
    """Return an expression that is the first reason why a fix does not count (see ``rule``), or null."""
    # DuckDB takes a comparison to hold where the least and greatest values that Parquet files tell are within, and
    # these leave out NaN: so that is asked for apart.
    finite = "isfinite(fixes.latitude) and isfinite(fixes.longitude)"
    good = {
        "coordinates": f"{finite} and fixes.latitude between -90 and 90 and fixes.longitude between -180 and 180",
    }
    if rule.accuracy_metres is not None:
        between = f"fixes.accuracy between 0 and {rule.accuracy_metres}"
        good["accuracy"] = f"fixes.accuracy is null or isnan(fixes.accuracy) or {between}"
    if rule.ahead is not None:
        good["ahead"] = f"fixes.tracked_at <= fixes.received_at + {_interval(rule.ahead)}"
    if rule.behind is not None:
        good["behind"] = f"fixes.received_at <= fixes.tracked_at + {_interval(rule.behind)}"
    # A condition that is null does not hold.
    cases = " ".join(f"when ({holds}) is not true then '{reason}'" for reason, holds in good.items())
    return f"case {cases} end"


def _came(span: Span, rule: Rule) -> str:
    """Return the condition of a fix that counts and is for this build.

    One that was tracked after the end of the day, by a clock that is ahead, is for the next build.
    """
    until = _timestamp(span.until)
    return f"fixes.received_at < {until} and fixes.tracked_at < {until} and {fault(rule)} is null"


def _ahead(rule: Rule) -> timedelta:
    return rule.ahead or timedelta(0)


def microseconds(instant: datetime) -> int:
    """Return the microseconds since 1970 of an instant in UTC without zone."""
    return (instant - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001  as the tables hold it


def _timestamp(instant: datetime) -> str:
    return f"timestamp '{instant:%Y-%m-%d %H:%M:%S}'"


def _date(day: object) -> str:
    return f"date '{day}'"


def _interval(span: timedelta) -> str:
    return f"interval {round(span.total_seconds())} seconds"
