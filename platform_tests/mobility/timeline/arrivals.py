"""Fixes of a few users, and when they arrived: strategies and short ways to write them down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import strategies as st

from platform_tests.mobility.timeline.house import APP, FIXES

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2026, 3, 1)  # noqa: DTZ001  tables hold UTC without zone
NORTH = 1 / 111_194.9  # degrees of latitude in a metre


def user(number: int) -> str:
    return f"{number:024x}"


def fixes(
    points: Iterable[tuple[float, float, float]],
    *,
    who: int = 0,
    late: float = 0.0,
    accuracy: float | None = 10.0,
    start: datetime = START,
) -> pl.DataFrame:
    """Fixes of (minutes after the start, metres north of 50 degrees, longitude), each received so many minutes late."""
    rows = [(start + timedelta(minutes=minutes), 50 + metres * NORTH, east) for minutes, metres, east in points]
    return pl.DataFrame(
        {
            "app_id": [APP] * len(rows),
            "user_id": [user(who)] * len(rows),
            "tracked_at": [row[0] for row in rows],
            "latitude": [row[1] for row in rows],
            "longitude": [row[2] for row in rows],
            "accuracy": [accuracy] * len(rows),
            "speed": [None] * len(rows),
            "received_at": [row[0] + timedelta(minutes=late) for row in rows],
        },
        schema=FIXES,
    )


def north(*points: tuple[float, float], who: int = 0, late: float = 0.0) -> pl.DataFrame:
    """Fixes of (minutes, metres north) at 4 degrees east."""
    return fixes([(minutes, metres, 4.0) for minutes, metres in points], who=who, late=late)


def journey(*pieces: tuple[float, float], start: datetime = START, who: int = 0) -> pl.DataFrame:
    """Fixes of pieces of (metres per second, minutes) to the north, every half minute, between stays of 10 minutes."""
    minutes, metres = 10.0, 0.0
    points = [(0.0, 0.0, 4.0), (5.0, 0.0, 4.0), (10.0, 0.0, 4.0)]
    for speed, lasts in pieces:
        for _ in range(round(lasts * 2)):
            minutes, metres = minutes + 0.5, metres + 30 * speed
            points.append((minutes, metres, 4.0))
    points += [(minutes + 5, metres, 4.0), (minutes + 10, metres, 4.0)]
    return fixes(points, who=who, start=start)


# Places 60 m to 300 km apart, so that fixes are inside, at the edge, a step, a crossing or a jump away.
_METRES = st.sampled_from([0, 20, 60, 99, 101, 150, 230, 700, 1_500, 4_000, 9_000, 300_000])
_MINUTES = st.sampled_from([0, 0.5, 1, 2, 4, 5, 9, 14, 15, 16, 40, 180, 700, 1_500])
_LATE = st.sampled_from([-40.0, 0.0, 0.0, 0.0, 0.0, 1.0, 90.0, 1_440.0, 4_000.0, 30_000.0])
_ACCURACY = st.sampled_from([None, 5.0, 5.0, 80.0, 120.0, 500.0, -1.0, float("nan")])
_STEP = st.tuples(_MINUTES, _METRES, _LATE, _ACCURACY)


@st.composite
def histories(draw: st.DrawFn, users: int = 3) -> pl.DataFrame:
    """Fixes of some users over a week or two, that arrive in time, days late or before they happened."""
    frames = []
    for who in range(users):
        steps = draw(st.lists(_STEP, max_size=25))
        minutes = float(draw(st.integers(0, 2_000)))
        for step, metres, late, accuracy in steps:
            minutes += step
            frames.append(fixes([(minutes, metres, 4.0)], who=who, late=late, accuracy=accuracy))
    if not frames:
        return pl.DataFrame(schema=FIXES)
    key = ["app_id", "user_id", "tracked_at", "latitude", "longitude"]
    return pl.concat(frames).unique(key, keep="first", maintain_order=True)


_PIECE = st.tuples(st.sampled_from([0.0, 1.1, 1.5, 2.1, 4.0, 9.0, 30.0]), st.sampled_from([0.5, 1, 1.5, 2, 4, 15, 300]))


@st.composite
def journeys(draw: st.DrawFn) -> pl.DataFrame:
    """Fixes of two users who walk, wait and ride around midnight, of which some arrive days late."""
    frames = []
    for who in range(2):
        start = START + timedelta(hours=22, minutes=draw(st.integers(0, 110)))
        made = journey(*draw(st.lists(_PIECE, min_size=1, max_size=7)), start=start, who=who)
        late = draw(st.lists(st.sampled_from([0, 0, 0, 1_440, 4_000]), min_size=3, max_size=9))
        rows = pl.int_range(pl.len()) // 7 % len(late)
        minutes = rows.replace_strict(list(range(len(late))), late, return_dtype=pl.Int64)
        frames.append(made.with_columns(received_at=pl.col("tracked_at") + pl.duration(minutes=minutes)))
    return pl.concat(frames)
