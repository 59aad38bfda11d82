"""Opening hours of venues: a small part of OpenStreetMap's grammar, as minutes of a week.

    hours := "24/7" | rule (";" rule)*
    rule  := [days] ("off" | "closed" | span ("," span)*)
    days  := day ["-" day] ("," day ["-" day])*          without days: every day
    span  := HH:MM "-" HH:MM                             an end at or before the start is on the next day

Of two rules for one day the later one holds, as in OpenStreetMap. What is outside of the grammar is unknown hours:
the text was written by strangers and must not stop a build.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * _DAY_MINUTES

_DAY = "(?:" + "|".join(_DAYS) + ")"
_RULE = re.compile(rf"(?P<days>{_DAY}(?:\s*[-,]\s*{_DAY})*)?\s*(?P<spans>off|closed|[\d:,\s-]+)")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")

# 1970-01-01 was a Thursday: weeks begin three days before it.
_MONDAY_SECONDS = 3 * 86_400
_WEEK_SECONDS = 7 * 86_400


@cache
def open_minutes(text: str) -> tuple[tuple[int, int], ...] | None:
    """Return when a venue is open as [start, end) in minutes since Monday 00:00, sorted; None when not understood."""
    said = text.strip().lower()
    if said == "24/7":
        return ((0, WEEK_MINUTES),)
    week: dict[int, tuple[tuple[int, int], ...]] = {}
    for rule in said.rstrip("; ").split(";"):
        found = _RULE.fullmatch(rule.strip())
        spans = _spans(found["spans"]) if found else None
        if found is None or spans is None:
            return None
        week.update(dict.fromkeys(_days_of(found["days"]), spans))
    return _merged(
        (day * _DAY_MINUTES + start, day * _DAY_MINUTES + end) for day, spans in week.items() for start, end in spans
    )


def _days_of(text: str | None) -> set[int]:
    if text is None:
        return set(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, *rest = (_DAYS.index(name.strip()) for name in part.split("-"))
        last = rest[-1] if rest else first
        days.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return days


def _spans(text: str) -> tuple[tuple[int, int], ...] | None:
    if text in {"off", "closed"}:
        return ()
    spans = []
    for part in text.split(","):
        found = _SPAN.fullmatch(part.strip())
        if found is None:
            return None
        start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        if max(int(found[2]), int(found[4])) > 59 or start >= _DAY_MINUTES or end > 2 * _DAY_MINUTES:
            return None
        spans.append((start, end if end > start else end + _DAY_MINUTES))
    return tuple(spans)


def _merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sort spans, cut those that pass the end of the week in two, and join those that touch."""
    cut: list[tuple[int, int]] = []
    for start, end in spans:
        cut.append((start, min(end, WEEK_MINUTES)))
        if end > WEEK_MINUTES:
            cut.append((0, end - WEEK_MINUTES))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(cut):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of many venues as arrays: those of number n are spans ``offsets[n]`` to ``offsets[n + 1]``, in seconds."""

    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def hours_of(texts: Iterable[str]) -> tuple[Hours, list[int]]:
    """Return the hours of distinct texts, and for each text their number, or -1 where it was not understood."""
    found = [open_minutes(text) for text in texts]
    known = [spans for spans in found if spans is not None]
    sizes = np.array([0, *(len(spans) for spans in known)], np.int64)
    flat = np.array([span for spans in known for span in spans], np.int64).reshape(-1, 2) * 60
    numbers = iter(range(len(known)))
    hours = Hours(np.cumsum(sizes), np.ascontiguousarray(flat[:, 0]), np.ascontiguousarray(flat[:, 1]))
    return hours, [-1 if spans is None else next(numbers) for spans in found]


@njit(cache=True)
def open_seconds(start: int, end: int, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> int:
    """Return for how many seconds of wall time [start, end), since 1970, a venue with these spans is open."""
    return _opened_before(end, starts, ends) - _opened_before(start, starts, ends)


@njit(cache=True)
def _opened_before(instant: int, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> int:
    week, within = divmod(instant + _MONDAY_SECONDS, _WEEK_SECONDS)
    each, some = 0, 0
    for span in range(starts.size):
        each += ends[span] - starts[span]
        some += max(0, min(within, ends[span]) - starts[span])
    return week * each + some
