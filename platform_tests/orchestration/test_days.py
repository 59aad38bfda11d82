"""Days as ranges."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from offramp.orchestration.days import ranges

_DAYS = st.lists(st.dates(min_value=date(2024, 2, 1), max_value=date(2024, 4, 1)))


@given(_DAYS)
def test_ranges_hold_each_day_once_and_no_other_and_never_touch(days: list[date]) -> None:
    found = ranges(days)

    held = [first + timedelta(days=number) for first, last in found for number in range((last - first).days + 1)]
    assert held == sorted(set(days))
    assert all(two[0] - one[1] > timedelta(days=1) for one, two in pairwise(found))
