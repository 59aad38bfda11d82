"""Which data day is meant, and when one is due."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from offramp.cli.choosing import check_due, last_due_day
from offramp.domain.errors import NotYetDue

DAILY, LATE, MONDAYS = "10 0 * * *", "0 3 * * *", "0 3 * * 1"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("crons", "now", "expected"),
    [
        ([DAILY], "2026-11-22 00:10", date(2026, 11, 21)),
        ([DAILY], "2026-11-22 00:09", date(2026, 11, 20)),
        ([DAILY, LATE], "2026-11-22 01:00", date(2026, 11, 20)),
        ([MONDAYS], "2026-11-25 12:00", date(2026, 11, 22)),
        ([], "2026-11-25 12:00", date(2026, 11, 24)),
    ],
)
def test_the_last_full_day_is_the_last_one_whose_schedules_have_fired(
    crons: list[str], now: str, expected: date
) -> None:
    assert last_due_day(crons, at(now)) == expected


@pytest.mark.parametrize(
    ("crons", "day", "said"),
    [
        ([DAILY, LATE], date(2026, 11, 22), "is not over: it is due at 2026-11-23 00:10 UTC"),
        ([DAILY], date(2026, 11, 30), "is not over: it is due at 2026-12-01 00:10 UTC"),
        ([LATE], date(2026, 11, 21), "is not due yet: it is due at 2026-11-22 03:00 UTC"),
        ([MONDAYS], date(2026, 11, 23), "is not over: no schedule fires for it"),
    ],
)
def test_a_day_that_is_too_early_is_refused_with_its_time(crons: list[str], day: date, said: str) -> None:
    with pytest.raises(NotYetDue, match=said):
        check_due([day], crons, at("2026-11-22 00:30"))


@pytest.mark.parametrize("crons", [[DAILY, LATE], [MONDAYS], []])
def test_a_past_day_is_never_refused(crons: list[str]) -> None:
    check_due([date(2026, 11, 19), date(2026, 11, 20)], crons, at("2026-11-22 00:30"))
