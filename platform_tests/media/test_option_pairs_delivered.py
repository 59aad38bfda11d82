"""A dozen pairs of options through whole deliveries out of PostgreSQL: one customer for each pair, one landing for all.

Rows are asked of the database by psycopg, and what must arrive is worked out by ``oracle``.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from typing import TYPE_CHECKING

import psycopg
import pytest

from platform_tests.media.customer import House, change_source, contents, create_source, subscription
from platform_tests.media.oracle import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_tests.servers.postgres import PostgresServer

DAY = dt.date(2018, 9, 9)
UTC_DAY = ("2018-09-09 00:00", "2018-09-10 00:00")
DELTA, SNAPSHOT = "assets/assets_2018_09_10.csv", "assets_snapshot/assets_snapshot_2018_09_10.csv"
# The options; the window in UTC; the names of delta and snapshot, empty where nothing is sent.
PAIRS: Mapping[str, tuple[dict[str, str], tuple[str, str], str, str]] = {
    "semicolons-quotes": ({"CSV_FIELD_SEPARATOR": ";", "CSV_TEXT_ENCLOSURE": "'"}, UTC_DAY, DELTA, SNAPSHOT),
    "tabs-backslash": ({"CSV_FIELD_SEPARATOR": "\\t", "CSV_ESCAPE_CHAR": "\\"}, UTC_DAY, DELTA, SNAPSHOT),
    "breaks-enclosure": ({"CSV_TEXT_ROW_SEPARATOR": "\\n", "CSV_TEXT_ENCLOSURE": "|"}, UTC_DAY, DELTA, SNAPSHOT),
    "times-separator": (
        {"CSV_DATE_FORMAT": "EEE, d MMM yy; h:mm a", "CSV_FIELD_SEPARATOR": ";"}, UTC_DAY, DELTA, SNAPSHOT,
    ),
    "bare-md5": ({"CSV_INCLUDE_HEADER": "0", "CSV_MD5": "1"}, UTC_DAY, DELTA, SNAPSHOT),
    "escape-times": (
        {"CSV_ESCAPE_CHAR": "~", "CSV_DATE_FORMAT": "HH'h'''mm\\\"|~\tdd.MM.yyyy"}, UTC_DAY, DELTA, SNAPSHOT,
    ),
    "two-days-breaks": (
        {"DATA_DELTA_DAYS": "2", "CSV_TEXT_ROW_SEPARATOR": "<br>"}, ("2018-09-08 00:00", "2018-09-10 00:00"), DELTA,
        SNAPSHOT,
    ),
    "oslo": (
        {"DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "1", "DATA_DELTA_TIME_ZONE": "Europe/Oslo"},
        ("2018-09-08 22:00", "2018-09-09 22:00"), DELTA, SNAPSHOT,
    ),
    "zone-without-midnights": (
        {"DATA_DELTA_TIME_ZONE": "Europe/Oslo", "DATA_DELTA_DAYS": "1"}, UTC_DAY, DELTA, SNAPSHOT,
    ),
    "no-snapshot-md5": ({"CSV_SNAPSHOT": "subtitles", "CSV_MD5": "1"}, UTC_DAY, DELTA, ""),
    "off-snapshot": ({"CRON_SCHEDULE_ASSETS": "", "CSV_SNAPSHOT": "assets"}, UTC_DAY, "", ""),
    "later-two-days": (
        {"CRON_SCHEDULE_ASSETS": "25 1 * * *", "DATA_DELTA_DAYS": "2"}, ("2018-09-08 01:00", "2018-09-10 01:00"),
        DELTA, SNAPSHOT,
    ),
    "names-md5": (
        {"FILE_NAME_PATTERN": "{date:yyyyMMdd}/{mode} of {entity}.txt", "CSV_MD5": "1"}, UTC_DAY,
        "20180910/delta of assets.txt", "20180910/snapshot of assets.txt",
    ),
    "names-header": (
        {"FILE_NAME_PATTERN": "{stem}_{date:yyMMdd}.csv", "CSV_INCLUDE_HEADER": "0"}, UTC_DAY, "assets_180910.csv",
        "assets_snapshot_180910.csv",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def delivered(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Rows]:
    """Everything that the customers got for the data day, and the rows that the database held."""
    with postgres_server.database() as dsn:
        create_source(dsn)
        change_source(dsn, "insert into source_clock values ('2018-09-10 01:06:00+00')")
        customers = [subscription(name, ["assets"], options) for name, (options, *_) in PAIRS.items()]
        house = House(tmp_path_factory.mktemp("pairs") / "house", dsn, dt.date(2018, 9, 1), customers)
        house.deliver(DAY, at=dt.datetime(2018, 9, 10, 2, tzinfo=dt.UTC))
        with psycopg.connect(dsn) as connection:
            cursor = connection.execute("select * from assets where tenant = 'aurora' order by id")
            names = [column.name for column in cursor.description or ()]
            assert names[-1] == "tenant"
            return house, Rows(names[:-1], [row[:-1] for row in cursor])


class Rows:
    """The rows of the tenant by id, in the order of the contract's columns."""

    def __init__(self, names: list[str], rows: list[tuple[object, ...]]) -> None:
        self.names = names
        self.rows = rows

    def between(self, start: str, end: str) -> list[tuple[object, ...]]:
        """The rows that changed in a window, in the order of their changes."""
        edges = dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end)
        at = self.names.index("update_time")
        found = [row for row in self.rows if edges[0] <= row[at] < edges[1]]  # type: ignore[operator]
        return sorted(found, key=lambda row: (row[at], row[0]))  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_of_options_delivers_what_both_say(name: str, delivered: tuple[House, Rows]) -> None:
    house, source = delivered
    options, window, delta, snapshot = PAIRS[name]
    told = Told.by(options)
    expected = {
        path: told.file(source.names, rows)
        for path, rows in ((delta, source.between(*window)), (snapshot, source.rows))
        if path
    }

    found = {path: text for path, text in contents(house.outbox(name)).items() if not path.startswith("_manifests/")}

    sums = {path: hashlib.md5(text).hexdigest() for path, text in expected.items()}  # noqa: S324
    if options.get("CSV_MD5") == "1":
        expected |= {f"{path}.md5": f"{md5}  {path.rpartition('/')[2]}\n".encode() for path, md5 in sums.items()}
    assert found == expected


@pytest.mark.parametrize("name", [name for name, (*_, snapshot) in PAIRS.items() if snapshot])
def test_a_foreign_reader_that_is_told_the_pair_finds_the_rows(name: str, delivered: tuple[House, Rows]) -> None:
    house, source = delivered
    options, _, _, snapshot = PAIRS[name]
    told = Told.by(options)
    doubles = told.escape == told.enclosure

    text = (house.outbox(name) / snapshot).read_bytes().decode()

    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=told.separator, quotechar=told.enclosure, doublequote=doubles,
        escapechar=None if doubles else told.escape, strict=True,
    )  # fmt: skip
    expected = [[told.text(value) or "" for value in row] for row in source.rows]
    assert list(lines) == ([source.names] if told.has_header else []) + expected


def test_every_documented_option_is_in_a_pair() -> None:
    named = {name for options, *_ in PAIRS.values() for name in options}

    assert named == {
        "CSV_INCLUDE_HEADER", "CSV_FIELD_SEPARATOR", "CSV_TEXT_ROW_SEPARATOR", "CSV_TEXT_ENCLOSURE", "CSV_ESCAPE_CHAR",
        "CSV_DATE_FORMAT", "CSV_MD5", "CSV_SNAPSHOT", "DATA_DELTA_DAYS", "DATA_DELTA_MIDNIGHT_TO_MIDNIGHT",
        "DATA_DELTA_TIME_ZONE", "CRON_SCHEDULE_ASSETS", "FILE_NAME_PATTERN",
    }  # fmt: skip
