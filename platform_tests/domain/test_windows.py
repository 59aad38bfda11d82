from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.domain.windows import (
    DAY,
    Window,
    check_cron,
    last_local_midnight,
    local_midnight,
    midnight,
    next_tick,
    tick_of,
    window_at,
)

# Days that are not 24 hours, midnights that do not exist or come twice, offsets that are not whole hours.
ODD_ZONES = [
    "UTC",
    "Europe/Oslo",
    "America/Santiago",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "Atlantic/Azores",
    "America/Nuuk",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
]
unhurried = settings(deadline=None)  # other work on the machine fails no test
zones = st.one_of(st.sampled_from(ODD_ZONES), st.sampled_from(sorted(available_timezones()))).map(ZoneInfo)
days = st.dates(date(1990, 1, 1), date(2037, 12, 31))
lengths = st.integers(1, 400)
daily_crons = st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23))


@unhurried
@given(daily_crons, days, lengths)
def test_windows_of_consecutive_ticks_by_the_hour_touch(cron: str, day: date, length: int) -> None:
    one, two = _tick(cron, day), _tick(cron, day + length * DAY)

    first = window_at(one, days=length, midnight_to_midnight=False, zone=ZoneInfo("UTC"))
    second = window_at(two, days=length, midnight_to_midnight=False, zone=ZoneInfo("UTC"))

    assert first.end == second.start
    assert first.end <= one < first.end + timedelta(hours=1)
    assert first.end - first.start == length * DAY


@unhurried
@given(zones, days, lengths)
def test_windows_of_whole_local_days_touch_in_every_zone(zone: ZoneInfo, day: date, length: int) -> None:
    second = window_at(local_midnight(day, zone), days=length, midnight_to_midnight=True, zone=zone)
    first = window_at(second.start, days=length, midnight_to_midnight=True, zone=zone)

    assert first.end == second.start
    assert second.end == local_midnight(day, zone)


@unhurried
@given(zones, st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)), lengths)  # noqa: DTZ001 - hypothesis takes bounds without zone
def test_a_window_of_whole_days_ends_at_the_last_midnight_at_or_before_the_tick(
    zone: ZoneInfo, tick: datetime, length: int
) -> None:
    window = window_at(tick, days=length, midnight_to_midnight=True, zone=zone)

    assert window.end <= tick
    following = window.end.astimezone(zone).date() + DAY
    assert local_midnight(following, zone) > tick or local_midnight(following + DAY, zone) > tick
    left_out = 1 if length > 1 else 0  # a zone leaves a day out once in decades
    assert window.end - window.start >= (length - left_out) * timedelta(hours=22)


@unhurried
@given(zones, daily_crons, days)
def test_ends_of_consecutive_ticks_never_go_back(zone: ZoneInfo, cron: str, day: date) -> None:
    ends = [
        window_at(_tick(cron, day + number * DAY), days=1, midnight_to_midnight=True, zone=zone).end
        for number in range(4)
    ]

    assert ends == sorted(ends)


@unhurried
@given(zones, days)
def test_a_local_day_begins_at_its_first_instant(zone: ZoneInfo, day: date) -> None:
    start = local_midnight(day, zone)

    assert start.utcoffset() == timedelta(0)
    assert (start - timedelta(seconds=1)).astimezone(zone).date() < day
    assert start.astimezone(zone).date() >= day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Oslo", date(2026, 3, 29), 23),
        ("Europe/Oslo", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Santiago", date(2026, 9, 6), 23),  # its midnight does not exist
        ("America/Santiago", date(2026, 4, 4), 25),
        ("America/Havana", date(2026, 11, 1), 25),  # its midnight comes twice
        ("Asia/Kathmandu", date(2024, 2, 29), 24),
        ("UTC", date(2026, 12, 31), 24),
    ],
)
def test_a_local_day_lasts_as_long_as_its_clocks_say(zone: str, day: date, hours: float) -> None:
    place = ZoneInfo(zone)

    window = window_at(local_midnight(day + DAY, place), days=1, midnight_to_midnight=True, zone=place)

    assert window.start == local_midnight(day, place)
    assert window.end - window.start == timedelta(hours=hours)


def test_a_day_that_a_zone_left_out_is_no_day_of_a_window() -> None:
    apia = ZoneInfo("Pacific/Apia")  # 2011-12-30 did not exist there
    end = local_midnight(date(2011, 12, 31), apia)

    window = window_at(end, days=1, midnight_to_midnight=True, zone=apia)

    assert window == Window(local_midnight(date(2011, 12, 29), apia), end)


def test_clocks_that_fall_back_over_midnight_do_not_undo_it() -> None:
    place = ZoneInfo("America/St_Johns")  # 2005-10-30 00:01 became 23:01 of the day before
    start = local_midnight(date(2005, 10, 30), place)

    assert last_local_midnight(start + timedelta(minutes=30), place) == start


@unhurried
@given(daily_crons, days)
def test_a_daily_cron_has_one_tick_for_each_data_day(cron: str, day: date) -> None:
    tick = _tick(cron, day)

    assert midnight(day + DAY) <= tick < midnight(day + 2 * DAY)
    assert next_tick(cron, tick) == _tick(cron, day + DAY)


def test_a_weekday_cron_owes_nothing_for_the_days_between() -> None:
    ticks = [tick_of("10 0 * * MON-FRI", date(2026, 11, 2) + number * DAY) for number in range(7)]

    assert [tick is None for tick in ticks] == [False, False, False, False, True, True, False]


@unhurried
@given(st.data())
def test_a_cron_is_refused_exactly_if_some_day_has_two_fires(data: st.DataObject) -> None:
    def numbers(low: int, high: int) -> st.SearchStrategy[str]:
        number = st.integers(low, high)
        return st.one_of(
            st.just("*"),
            number.map(str),
            st.lists(number, min_size=2, max_size=3, unique=True).map(lambda found: ",".join(map(str, sorted(found)))),
            st.integers(2, high).map("*/{}".format),
        )

    cron = " ".join(
        [
            data.draw(numbers(0, 59)),
            data.draw(numbers(0, 23)),
            data.draw(st.sampled_from(["*", "1", "*/10", "L", "28-31"])),
            data.draw(st.sampled_from(["*", "1-6", "*/2"])),
            data.draw(st.sampled_from(["*", "MON", "MON-FRI", "0,6", "1#1"])),
        ]
    )

    has_two = False
    last: date | None = None
    fires = CronSim(cron, datetime(2023, 12, 31, 23, 59))  # noqa: DTZ001 - cronsim counts in naive UTC
    for fire, _ in zip(fires, range(50), strict=False):
        has_two = has_two or fire.date() == last
        last = fire.date()

    assert (check_cron(cron) is not None) == has_two


@pytest.mark.parametrize(
    ("cron", "fault"),
    [
        ("0 0,12 * * *", "more than once a day (00:00 and 12:00)"),
        ("*/30 1 * * *", "more than once a day"),
        ("10 0 * *", "five fields, found 4"),
        ("0 10 0 * * *", "five fields, found 6"),
        ("@daily", "five fields, found 1"),
        ("61 0 * * *", "not a cron: Bad minute"),
        ("0 0 31 2 *", "Bad day-of-month"),
    ],
)
def test_a_cron_that_cannot_be_a_schedule_says_why(cron: str, fault: str) -> None:
    assert fault in (check_cron(cron) or "")


@pytest.mark.parametrize("cron", ["10 0 * * *", "0 3 * * 1", "30 23 L * *", "0 0 29 2 *"])
def test_a_cron_of_one_fire_a_day_passes(cron: str) -> None:
    assert check_cron(cron) is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 1, 1), datetime(2026, 1, 2)),  # noqa: DTZ001 - naive on purpose
        (midnight(date(2026, 1, 2)), midnight(date(2026, 1, 2))),
        (midnight(date(2026, 1, 2)), midnight(date(2026, 1, 1))),
        (datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Oslo")), midnight(date(2026, 1, 2))),
    ],
)
def test_a_window_is_in_utc_and_not_empty(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(start, end)


def _tick(cron: str, day: date) -> datetime:
    tick = tick_of(cron, day)
    assert tick is not None
    return tick
