from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offramp.feeds.mobility.visits.opening_hours import WEEK_MINUTES, hours_of, open_minutes, open_seconds

DAY = 1440


def at(day: int, hour: int, minute: int = 0) -> int:
    return day * DAY + hour * 60 + minute


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24/7", ((0, WEEK_MINUTES),)),
        ("Sa 09:00-14:00", ((at(5, 9), at(5, 14)),)),
        ("Mo-Tu 08:00-18:00; Sa 09:00-14:00", ((480, 1080), (DAY + 480, DAY + 1080), (at(5, 9), at(5, 14)))),
        ("Mo,We 08:00-12:00,13:00-17:30", ((480, 720), (780, 1050), (at(2, 8), at(2, 12)), (at(2, 13), at(2, 17, 30)))),
        ("Fr 22:00-02:00", ((at(4, 22), at(5, 2)),)),
        ("Su 22:00-02:00", ((0, 120), (at(6, 22), at(7, 0)))),
        ("Sa-Mo 10:00-11:00", ((600, 660), (at(5, 10), at(5, 11)), (at(6, 10), at(6, 11)))),
        ("00:00-24:00", ((0, WEEK_MINUTES),)),
        ("Mo-Su 00:00-00:00", ((0, WEEK_MINUTES),)),
        ("Mo-Tu 08:00-18:00; Tu off", ((480, 1080),)),
        ("Mo 08:00-18:00; Mo 10:00-11:00;", ((600, 660),)),
        ("mo 8:00 - 18:00", ((480, 1080),)),
        ("off", ()),
    ],
)
def test_hours_are_read_as_minutes_of_the_week(text: str, expected: tuple[tuple[int, int], ...]) -> None:
    assert open_minutes(text) == expected


@pytest.mark.parametrize("text", ["", "by appointment", "Mo-Fr", "Mo 25:00-26:00", "Mo 08:61-09:00", "PH 08:00-09:00"])
def test_what_is_not_understood_is_unknown(text: str) -> None:
    assert open_minutes(text) is None


@given(st.text(alphabet="MoTuWeThFrSaSu 0123456789:-,;/", max_size=30))
def test_any_text_gives_sorted_spans_of_the_week_or_is_unknown(text: str) -> None:
    spans = open_minutes(text)
    if spans is not None:
        edges = [edge for span in spans for edge in span]
        assert edges == sorted(set(edges))
        assert all(0 <= edge <= WEEK_MINUTES for edge in edges)


@given(st.integers(-(10**5), 10**5), st.integers(0, 3 * WEEK_MINUTES))
def test_open_seconds_are_those_of_a_clock_that_is_watched(start: int, minutes: int) -> None:
    hours, _ = hours_of(["Mo-Fr 08:00-18:00; Sa 22:00-03:30"])
    week = np.zeros(WEEK_MINUTES, bool)
    for first, end in open_minutes("Mo-Fr 08:00-18:00; Sa 22:00-03:30") or ():
        week[first:end] = True
    since_monday = (np.arange(start, start + minutes) + 3 * DAY) % WEEK_MINUTES
    found = open_seconds(start * 60, (start + minutes) * 60, hours.starts, hours.ends)
    assert found == 60 * week[since_monday].sum()


def test_weeks_begin_on_monday() -> None:
    hours, _ = hours_of(["Mo 08:00-18:00"])
    monday = int((datetime(2018, 12, 3, 9) - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001 - wall time
    assert open_seconds(monday, monday + 3600, hours.starts, hours.ends) == 3600
    assert open_seconds(monday - 86_400, monday - 82_800, hours.starts, hours.ends) == 0


def test_texts_are_numbered_and_those_not_understood_have_no_number() -> None:
    hours, numbers = hours_of(["24/7", "on request", "Mo 08:00-09:00,10:00-11:00"])
    assert numbers == [0, -1, 1]
    assert hours.offsets.tolist() == [0, 1, 3]
