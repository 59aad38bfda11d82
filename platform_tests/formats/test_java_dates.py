from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from offramp.domain.errors import WrongUse
from offramp.domain.quoting import literal
from offramp.formats.java_dates import strftime_format


def text(pattern: str, moment: str) -> str:
    row = duckdb.sql(f"select strftime(timestamp '{moment}', {literal(strftime_format(pattern))})").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy-MM-dd'T'HH:mm:ssZ", "2018-01-09T14:06:03+0000"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2018-01-09 14:06:03.045"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2018-01-09T14:06:03.045Z"),
        ("yyyyMMddHHmmssX", "20180109140603Z"),
        ("d/M/yy h:mm a", "9/1/18 2:06 PM"),
        ("EEE, dd MMM yyyy", "Tue, 09 Jan 2018"),
        ("EEEE d MMMM", "Tuesday 9 January"),
        ("yyyy DDD D", "2018 009 9"),
        ("H:m:s", "14:6:3"),
        ("hh 'o''clock' a", "02 o'clock PM"),
        ("yyyy''MM", "2018'01"),
        ("'100%' yyyy%", "100% 2018%"),
        ("dd. 'år' yyyy — ß", "09. år 2018 — ß"),
        ("'yyyy'", "yyyy"),
    ],
)
def test_a_java_pattern_gives_the_text_that_java_gives(pattern: str, expected: str) -> None:
    assert text(pattern, "2018-01-09 14:06:03.045678") == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("0001-01-01 00:00:00", "0001-01-01T00:00:00+0000"),
        ("9999-12-31 23:59:59.999999", "9999-12-31T23:59:59+0000"),
        ("1969-12-31 23:59:59.5", "1969-12-31T23:59:59+0000"),
        ("2024-02-29 12:00:00", "2024-02-29T12:00:00+0000"),
    ],
)
def test_times_at_the_edges_keep_four_digits_of_the_year_and_are_never_rounded(moment: str, expected: str) -> None:
    assert text("yyyy-MM-dd'T'HH:mm:ssZ", moment) == expected
    assert dt.datetime.strptime(expected, "%Y-%m-%dT%H:%M:%S%z").utcoffset() == dt.timedelta(0)


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("yyyy-MM-ddTHH", "'T' at position 11"),
        ("yyyy-ww", "'ww' at position 6"),
        ("yyyyy", "'yyyyy' at position 1"),
        ("HH:mm z", "'z' at position 7"),
        ("ss.SSSSSS", "'SSSSSS' at position 4"),
        ("yyyy 'T", "position 6"),
        ("", "empty"),
    ],
)
def test_a_pattern_without_an_equal_is_refused_with_its_position(pattern: str, part: str) -> None:
    with pytest.raises(WrongUse, match=part):
        strftime_format(pattern)
