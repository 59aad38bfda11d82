"""One build of the timeline: which users are touched, from which day on, and what is found anew about them.

A build leaves everything as one fold over all fixes that had arrived and were tracked by the end of its day would find
it. Of a touched user it emits what ends on or after ``from_on`` (see ``reading.hold_touched``): from there on the
newest build alone counts. Of a user who goes on it also emits what ended before and closed only now.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from offramp.feeds.mobility.legs.cutting import cut_legs
from offramp.feeds.mobility.legs.describe import describe_legs
from offramp.feeds.mobility.timeline import reading
from offramp.feeds.mobility.timeline.columns import arrays, in_order
from offramp.feeds.mobility.timeline.identity import with_identity
from offramp.feeds.mobility.timeline.kernel import scan
from offramp.feeds.mobility.timeline.left_out import duplicates, left_out
from offramp.feeds.mobility.timeline.limits import limits_of
from offramp.feeds.mobility.timeline.states import day_number, first_kept, merged, opened_from, states_of
from offramp.feeds.mobility.timeline.steps import InStep, whole
from offramp.feeds.mobility.timeline.tables import legs_of, stays_of
from offramp.feeds.mobility.timeline.written import LEGS, OPEN_STAYS, REBUILDS, STAYS, names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offramp.domain.layers import LayerTable, LayerWork
    from offramp.domain.ports import Session
    from offramp.feeds.mobility.timeline.columns import Columns
    from offramp.feeds.mobility.timeline.rule import Rule

# A fix takes some 500 bytes while its batch is folded: its row, its columns, and its point in a leg.
_FIX_BYTES = 500
_MOST_ROWS = 500_000

_ALL_DAYS = -1_000_000
_EARLIEST = datetime.combine(reading.EVERYTHING, time())

_NUMBER, _TEXT, _DAY, _INSTANT = pl.Int64(), pl.String(), pl.Date(), pl.Datetime("us")
_DEGREES = pl.Float64()
_USER = pl.Schema(
    {
        "number": _NUMBER,
        "app_id": _TEXT,
        "user_id": _TEXT,
        "first_on": _DAY,
        "from_on": _DAY,
        "is_onward": pl.Boolean(),
        "base_day": _DAY,
        "legs_from": _INSTANT,
    }
)
_BASE = pl.Schema(
    {
        "number": _NUMBER,
        "opened": pl.Int8(),
        "anchor_at": _INSTANT,
        "fixes": pl.Int64(),
        "anchor_latitude": _DEGREES,
        "anchor_longitude": _DEGREES,
        "sum_latitude": _DEGREES,
        "sum_sine": _DEGREES,
        "sum_cosine": _DEGREES,
    }
)
_KNOWN = pl.Schema(
    {
        "number": _NUMBER,
        "event_id": _TEXT,
        "started_at": _INSTANT,
        "ended_at": _INSTANT,
        "processed_at": _INSTANT,
        "is_newest": pl.Boolean(),
    }
)
_EVENT = pl.Schema(
    {
        "number": _NUMBER,
        "app_id": _TEXT,
        "user_id": _TEXT,
        "occurred_at": _INSTANT,
        "kind": _TEXT,
        "activity": _TEXT,
        "confidence": pl.Float64(),
        "event_id": _TEXT,
    }
)


class Part(NamedTuple):
    """What a build finds about some touched users, each table in the order of its key."""

    stays: pl.DataFrame
    legs: pl.DataFrame
    rebuilds: pl.DataFrame
    states: pl.DataFrame
    duplicates: pl.DataFrame


def build(work: LayerWork, rule: Rule) -> None:
    """Write the five tables of a data day."""
    midnight = datetime.combine(work.day, time())
    span = reading.Span(work.day, None if work.is_first else midnight, midnight + timedelta(days=1))
    rows = max(1, min(_MOST_ROWS, work.memory_bytes // (4 * _FIX_BYTES)))
    with work.open() as session:
        reading.hold_touched(session, span, rule)
        kept = _Kept(work.memory_bytes // 4)
        going = _Build(session, span, rule, rows)
        work.write("legs", kept.legs_of(going.parts(work)))
        work.write("rebuilds", kept.rebuilds)
        # So many stays only come with a first build: then the fixes are gone through twice.
        work.write("stays", kept.stays if kept.has_all_stays else (part.stays for part in going.parts(None)))
        made = pl.concat(kept.states) if kept.states else None
        work.write("open_stays", _all_states(session, made, span, rows))
        work.write("left_out", [left_out(session, span, rule, kept.duplicates)])


def _all_states(session: Session, made: pl.DataFrame | None, span: reading.Span, rows: int) -> Iterator[pl.DataFrame]:
    standing = reading.states(session)
    if made is None:
        first = next(standing, None)
        if first is None:
            return
        made = first.clear()
        standing = _again(first, standing)
    yield from merged(standing, made, span.day, rows=rows)


def _again(first: pl.DataFrame, rest: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from rest


@dataclass(slots=True)
class _Kept:
    """What is held while legs are written: the smaller tables, and stays as long as they fit."""

    most_bytes: int
    stays: list[pl.DataFrame] = field(default_factory=list)
    rebuilds: list[pl.DataFrame] = field(default_factory=list)
    states: list[pl.DataFrame] = field(default_factory=list)
    duplicates: list[pl.DataFrame] = field(default_factory=list)
    has_all_stays: bool = True
    held_bytes: int = 0

    def legs_of(self, parts: Iterator[Part]) -> Iterator[pl.DataFrame]:
        """Yield the legs of parts, and keep the rest of them."""
        for part in parts:
            self.rebuilds.append(part.rebuilds)
            self.states.append(part.states)
            self.duplicates.append(part.duplicates)
            self.held_bytes += int(part.stays.estimated_size())
            self.has_all_stays = self.has_all_stays and self.held_bytes <= self.most_bytes
            self.stays = [*self.stays, part.stays] if self.has_all_stays else []
            yield part.legs


@dataclass(frozen=True, slots=True)
class _Build:
    """Goes through the touched users, some at a time."""

    session: Session
    span: reading.Span
    rule: Rule
    rows: int

    def parts(self, work: LayerWork | None) -> Iterator[Part]:
        """Yield what is found, by number of the users; without ``work`` only stays, and nothing is reported."""
        session, span, rule = self.session, self.span, self.rule
        users = InStep(reading.users(session), _USER)
        bases = InStep(reading.bases(session), _BASE)
        known = InStep(reading.known_legs(session), _KNOWN)
        events = InStep(reading.events(session, span, rule), _EVENT)
        stops = reading.stops(session)
        for fixes in whole(reading.fixes(session, span, rule), ("number",), rows=self.rows):
            last = int(fixes["number"][-1])
            some = users.take(last)
            columns = arrays(fixes, (fixes["number"] - some["number"][0]).to_numpy())
            found = duplicates(columns, some, span)
            stays, legs, states, some = self._fold(columns, some, bases.take(last))
            if work is not None:
                legs = self._told(legs, known.take(last), events.take(last).drop("number", "event_id"), stops)
                legs = self._signed(legs, LEGS)
                work.report(fixes.height)
            rebuilds = self._signed(some, REBUILDS)
            yield Part(self._signed(stays, STAYS), legs, rebuilds, self._signed(states, OPEN_STAYS), found)

    def _fold(
        self, columns: Columns, users: pl.DataFrame, bases: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Return stays, legs and states that count from now on, and the users with their from_on."""
        columns = in_order(columns, self.rule)
        from_day = _ALL_DAYS if users["from_on"].has_nulls() else day_number(first_kept(self.span.day))
        found = scan(columns.fixes, opened_from(bases, users), limits_of(self.rule), from_day)
        states = states_of(found, columns, users)
        users = _with_from_on(users, states)
        since = pl.col("is_onward") | (pl.col("ended_at").dt.date() >= pl.col("from_on"))
        from_now = pl.col("base_day").is_null() | (pl.col("day") >= pl.col("from_on"))
        return (
            stays_of(found.stays, found.centres, users).filter(since),
            cut_legs(legs_of(found.legs, columns, users)).filter(since),
            states.filter(from_now),
            users,
        )

    def _told(self, legs: pl.DataFrame, known: pl.DataFrame, events: pl.DataFrame, stops: pl.DataFrame) -> pl.DataFrame:
        """Return legs as they are written, but for built_on."""
        start, end = self.span.since or _EARLIEST, self.span.until - timedelta(microseconds=1)
        named = with_identity(legs, known, start=pl.lit(start), end=pl.lit(end))
        described = describe_legs(named, events, stops).select("mode", "distance", "waypoints")
        return named.select(
            "app_id", "user_id", "event_id", "started_at", "ended_at", "processed_at", "is_new", "fixes"
        ).hstack(described)

    def _signed(self, rows: pl.DataFrame, table: LayerTable) -> pl.DataFrame:
        return rows.with_columns(pl.lit(self.span.day).alias("built_on")).select(names(table))


def _with_from_on(users: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """Fill in the from_on of users whose states were not kept: of those, all were found again."""
    may_end_at = pl.when("is_stay").then("last_at").otherwise(pl.col("points").list.first().struct.field("tracked_at"))
    opens = (
        states.filter(pl.col("day") < pl.col("first_on"))
        .group_by("number", maintain_order=True)
        .agg(may_end_at.last().dt.date().alias("may_end_on"))
    )
    return (
        users.join(opens, on="number", how="left", maintain_order="left")
        .with_columns(pl.col("from_on").fill_null(pl.min_horizontal("first_on", "may_end_on")))
        .drop("may_end_on")
    )
