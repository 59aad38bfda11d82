"""Every option of the media feed alone, and every two of them with each of their interesting values.

Two options either are refused with a text that names them, or windows, schedules, file names and bytes are those
that ``oracle`` works out, and foreign readers that are told the dialect find the rows.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from decimal import Decimal
from functools import cache
from itertools import combinations, product
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.csv
import pytest

from offramp.domain.contracts import Column, DataType
from offramp.domain.deliveries import Delivery, Kind
from offramp.domain.quoting import identifier
from offramp.domain.subscriptions import Subscription
from offramp.domain.windows import tick_of
from offramp.feeds.media.feed import MediaFeed
from offramp.formats.csv_writer import CsvWriter
from offramp.sql.project import load_project
from platform_tests.media.customer import MODELS
from platform_tests.media.oracle import TIMES, Told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from offramp.domain.exports import Export

DAY = dt.date(2018, 9, 9)
CRON = "CRON_SCHEDULE_ASSETS"
PATTERN = "FILE_NAME_PATTERN"
# Its refusal is checked pair by pair in the last test.
CLASHING = "CSV_TEXT_ROW_SEPARATOR"
DEFAULT_PATTERN = "{stem}/{stem}_{date}{part}.csv{compression}"

# The default of each option stands first.
DIALECT = {
    "CSV_INCLUDE_HEADER": ("1", "0"),
    "CSV_FIELD_SEPARATOR": (",", ";", "|", "\t", "\\t", "'", '"', "\\", " "),
    "CSV_TEXT_ROW_SEPARATOR": ("0", " ", "<br>", "|", ";", "'", '"', "\\", "\\n", "', \"", "00"),
    "CSV_TEXT_ENCLOSURE": ('"', "'", "|", "~", ";", "\\"),
    "CSV_ESCAPE_CHAR": ('"', "\\", "'", "|", "~", ";"),
    "CSV_DATE_FORMAT": tuple(TIMES),
    "CSV_MD5": ("0", "1"),
}
OTHERS = {
    "CSV_SNAPSHOT": ("all", "", "assets", "snapshot/subtitles", " subtitles , assets", "vvs_pools_snapshot"),
    "DATA_DELTA_DAYS": ("1", "2", "7", "3650"),
    "DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": ("0", "1"),
    "DATA_DELTA_TIME_ZONE": ("UTC", "Europe/Oslo", "Asia/Kathmandu", "America/St_Johns"),
    CRON: ("10 0 * * *", "", "25 14 * * *", "30 22 * * *", "10 0 * * 1", "10 0 * * TUE"),
    PATTERN: (DEFAULT_PATTERN, "{date:yyyyMMdd}/{stem}.txt", "{mode}-{entity} {date:d.M.yy}"),
}
VALUES: Mapping[str, tuple[str, ...]] = {**DIALECT, **OTHERS}

# By hand: the tick of the data day 2018-09-09, a Sunday; the last midnight before 2018-09-10T00:10Z; who still
# writes snapshots of assets and of subtitles; the names of the files of assets.
TICKS: Mapping[str, str | None] = {
    "10 0 * * *": "2018-09-10T00:10",
    "": None,
    "25 14 * * *": "2018-09-10T14:25",
    "30 22 * * *": "2018-09-10T22:30",
    "10 0 * * 1": "2018-09-10T00:10",
    "10 0 * * TUE": None,
}
MIDNIGHTS = {
    "UTC": "2018-09-10T00:00",
    "Europe/Oslo": "2018-09-09T22:00",
    "Asia/Kathmandu": "2018-09-09T18:15",
    "America/St_Johns": "2018-09-09T02:30",
}
SNAPSHOTS = {
    "all": {"assets", "subtitles"},
    "": {"assets", "subtitles"},
    "assets": {"assets"},
    "snapshot/subtitles": {"subtitles"},
    " subtitles , assets": {"assets", "subtitles"},
    "vvs_pools_snapshot": set(),
}
NAMES = {
    DEFAULT_PATTERN: ("assets/assets_2018_09_10.csv", "assets_snapshot/assets_snapshot_2018_09_10.csv"),
    "{date:yyyyMMdd}/{stem}.txt": ("20180910/assets.txt", "20180910/assets_snapshot.txt"),
    "{mode}-{entity} {date:d.M.yy}": ("delta-assets 10.9.18", "snapshot-assets 10.9.18"),
}


# What changes nothing alone: defaults; a zone, which counts with whole days only; whole days in UTC, for at 00:10 both
# windows end at midnight; and other words for everything.
SILENT = {
    *((name, values[0]) for name, values in VALUES.items()),
    *(("DATA_DELTA_TIME_ZONE", zone) for zone in OTHERS["DATA_DELTA_TIME_ZONE"]),
    ("DATA_DELTA_MIDNIGHT_TO_MIDNIGHT", "1"),
    ("CSV_SNAPSHOT", ""),
    ("CSV_SNAPSHOT", " subtitles , assets"),
}


def alone() -> list[dict[str, str]]:
    return [{name: value} for name, values in VALUES.items() for value in values]


def instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def window(options: Mapping[str, str]) -> tuple[dt.datetime, dt.datetime] | None:
    """The window of assets for the data day; with whole days either the schedule or the zone is the default."""
    tick = TICKS[options.get(CRON, "10 0 * * *")]
    if tick is None:
        return None
    end = instant(f"{tick[:13]}:00")
    if options.get("DATA_DELTA_MIDNIGHT_TO_MIDNIGHT") == "1":
        end = instant(MIDNIGHTS[options.get("DATA_DELTA_TIME_ZONE", "UTC")])
    return end - int(options.get("DATA_DELTA_DAYS", "1")) * dt.timedelta(hours=24), end


def schedules(options: Mapping[str, str]) -> dict[str, str]:
    """The schedules of the exports that are due at all."""
    assets, snapshots = options.get(CRON, "10 0 * * *"), SNAPSHOTS[options.get("CSV_SNAPSHOT", "all")]
    found = {
        "media/delta/assets": assets,
        "media/delta/assets_views": "10 0 * * *",
        "media/delta/subtitles": "10 0 * * *",
        "media/delta/vvs_pools": "15 0 * * *",
        "media/snapshot/assets": assets if "assets" in snapshots else "",
        "media/snapshot/platforms": "10 0 * * *",
        "media/snapshot/subtitles": "10 0 * * *" if "subtitles" in snapshots else "",
        "media/snapshot/vvs_pools": "15 0 * * *",
    }
    return {name: cron for name, cron in found.items() if cron}


FEED = MediaFeed()


@cache
def exports() -> dict[str, Export]:
    taken = {"assets", "assets_views", "platforms", "subtitles", "vvs_pools"}
    models = [loaded.model for loaded in load_project(MODELS).models.values()]
    return {export.name: export for export in FEED.exports(model for model in models if model.entity in taken)}


def subscription_with(options: Mapping[str, str]) -> Subscription:
    return Subscription(
        id="north",
        recipient="north",
        feed="media",
        tenants=("aurora",),
        starts_on=DAY,
        destinations=("outbox",),
        options=options,
    )


def refusals(options: Mapping[str, str]) -> list[str]:
    """What config check says of the options, each alone and taken together."""
    single = [f"{name} {fault}" for name, value in options.items() if (fault := FEED.check_option(name, value))]
    return [*single, *FEED.check_options(options, exports().values())]


# A table that shows every option: each sign that separates, encloses, escapes or replaces, in text and in a name.
NAMES_OF_COLUMNS = ("id", "text", "a,b;c|d", '"o\'clock" ~\\\t', "price", "is_live", "at", "seen_at", "born_on")
TYPES = ("bigint", "varchar", "varchar", "varchar", "decimal(12,3)", "boolean", "timestamp", "timestamptz", "date")
TEXTS: tuple[str | None, ...] = (
    None, "", "plain", " blanks ", "a,b", "a;b", "a|b", "a\tb", "it's", 'say "hi"', "a\\b", "\\", "~a~", "a\nb",
    "a\r\nb\rc", "\r\r\n\n", "<br>", "x'\",;|~\\\t\r\ny", "=1+1", "NULL", "Ærø 😀",
)  # fmt: skip
AT = (dt.datetime(2018, 1, 9, 14, 56, 13, 999999), dt.datetime(999, 12, 31, 0, 5), None)  # noqa: DTZ001 - UTC


def rows() -> list[tuple[object, ...]]:
    zoned = [None if at is None else at.replace(tzinfo=dt.UTC) for at in AT]
    count = len(TEXTS)
    return [
        (
            number,
            text,
            TEXTS[(number + 7) % count],
            TEXTS[-number],
            (Decimal("-0.001"), Decimal("5400.250"), None)[number % 3],
            (True, None, False)[number % 3],
            AT[number % 3],
            zoned[(number + 1) % 3],
            (dt.date(1, 1, 1), dt.date(9999, 12, 31), None)[number % 3],
        )
        for number, text in enumerate(TEXTS)
    ]


COLUMNS = [Column(name, DataType.parse(kind), True) for name, kind in zip(NAMES_OF_COLUMNS, TYPES, strict=True)]


@cache
def source() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'Asia/Kathmandu'")
    columns = ", ".join(f"{identifier(column.name)} {column.type.duckdb}" for column in COLUMNS)
    connection.execute(f"create table given ({columns})")
    connection.executemany(f"insert into given values ({', '.join('?' * len(COLUMNS))})", rows())
    return connection


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pairs") / "file.csv"


def delivered_file(options: Mapping[str, str], path: Path) -> tuple[bytes, str | None]:
    """The bytes that feed and writer give the table, and the MD5 that is sent beside them."""
    _, dialect = FEED.format(subscription_with(options), exports()["media/delta/assets"])
    writer = CsvWriter(threads=1)
    fields = ", ".join(f"{writer.project(one, dialect)} as {identifier(one.name)}" for one in COLUMNS)
    table = source().execute(f"select {fields} from given order by id").to_arrow_table()
    batches = [(0, batch) for batch in table.to_batches()]
    [entry] = writer.write(batches, [path], schema=table.schema, options=dialect)
    return path.read_bytes(), entry.checksums.get("md5")


@cache
def shown(dialect: tuple[tuple[str, str], ...], path: Path) -> bytes:
    """The file under some options; that it is the oracle's, and that foreign readers find the rows, is checked."""
    options = dict(dialect)
    told = Told.by(options)
    content, md5 = delivered_file(options, path)

    assert content == told.file(NAMES_OF_COLUMNS, rows())
    assert md5 == (hashlib.md5(content).hexdigest() if options.get("CSV_MD5") == "1" else None)  # noqa: S324
    expected = [[told.text(value) for value in row] for row in rows()]
    assert read_by_python(content, told) == [[field or "" for field in row] for row in expected]
    assert read_by_arrow(content, told) == expected
    return content


def read_by_python(content: bytes, told: Told) -> list[list[str]]:
    doubles = told.escape == told.enclosure
    found = csv.reader(
        io.StringIO(content.decode(), newline=""), delimiter=told.separator, quotechar=told.enclosure,
        doublequote=doubles, escapechar=None if doubles else told.escape, strict=True,
    )  # fmt: skip
    lines = list(found)
    if told.has_header:
        assert lines[0] == list(NAMES_OF_COLUMNS)
    return lines[told.has_header :]


def read_by_arrow(content: bytes, told: Told) -> list[list[str | None]]:
    doubles = told.escape == told.enclosure
    names = list(NAMES_OF_COLUMNS)
    table = pyarrow.csv.read_csv(
        io.BytesIO(content),
        read_options=pyarrow.csv.ReadOptions(
            column_names=names, skip_rows_after_names=int(told.has_header), use_threads=False
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=told.separator, quote_char=told.enclosure, double_quote=doubles,
            escape_char=False if doubles else told.escape, newlines_in_values=True, ignore_empty_lines=False,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )  # fmt: skip
    return [list(row.values()) for row in table.to_pylist()]


def check_feed(options: Mapping[str, str]) -> None:
    """Compare schedules, windows and names with what was worked out by hand."""
    one = subscription_with(options)
    crons = {name: FEED.cron(one, export) for name, export in exports().items()}
    assert {name: cron for name, cron in crons.items() if cron is not None} == schedules(options)
    delta, snapshot = exports()["media/delta/assets"], exports()["media/snapshot/assets"]
    cron = FEED.cron(one, delta)
    tick = tick_of(cron, DAY) if cron else None
    by_hand = TICKS[options.get(CRON, "10 0 * * *")]
    assert tick == (instant(by_hand) if by_hand else None)
    if tick is None:
        return
    found = FEED.window(one, delta, tick)
    assert (found.start, found.end) == window(options)
    names = [FEED.rows_name(delivery(one, export, tick), 1, 1) for export in (delta, snapshot)]
    assert tuple(names) == NAMES[options.get(PATTERN, DEFAULT_PATTERN)]


def delivery(one: Subscription, export: Export, tick: dt.datetime) -> Delivery:
    return Delivery(
        subscription=one,
        export=export,
        data_day=DAY,
        tick=tick,
        until=tick,
        window=None,
        landing_id=None,
        kind=Kind.REGULAR,
    )


def effect(options: Mapping[str, str], path: Path) -> tuple[object, ...]:
    """Everything of an option that a customer can see."""
    dialect = tuple((name, value) for name, value in options.items() if name in DIALECT)
    pattern, md5 = NAMES[options.get(PATTERN, DEFAULT_PATTERN)], options.get("CSV_MD5", "0")
    return shown(dialect, path), md5, schedules(options), window(options), pattern


def check(options: Mapping[str, str], path: Path) -> bool:
    """Check options that are set together; False where they are refused, as they must be."""
    clashes, refused = Told.by(options).clashes(), refusals(options)
    if clashes:
        named = [names & {CLASHING} or names for names in clashes]
        assert any(all(name in text for name in names) for text in refused for names in named), refused
        return False
    assert refused == []
    check_feed(options)
    effect(options, path)
    return True


@pytest.mark.parametrize("options", alone(), ids=str)
def test_an_option_alone_is_refused_by_name_or_does_what_it_says(options: dict[str, str], scratch: Path) -> None:
    is_taken = check(options, scratch)

    if is_taken:
        is_silent = next(iter(options.items())) in SILENT
        assert (effect(options, scratch) == effect({}, scratch)) is is_silent


@pytest.mark.parametrize(("first", "second"), list(combinations(VALUES, 2)))
def test_two_options_are_refused_by_name_or_do_what_both_say(first: str, second: str, scratch: Path) -> None:
    taken = 0
    for one, other in product(VALUES[first], VALUES[second]):
        options = {first: one, second: other}
        is_taken = check(options, scratch)
        taken += is_taken
        if is_taken and {first, second} <= DIALECT.keys() and not Told.by({first: one}).clashes():
            is_silent = other == VALUES[second][0] or second == "CSV_MD5"
            assert (effect(options, scratch)[0] == effect({first: one}, scratch)[0]) is is_silent, options

    assert taken >= len(VALUES[first]) + len(VALUES[second]) - 1 - 12


@pytest.mark.parametrize(
    ("first", "second", "sign"),
    [
        ("CSV_FIELD_SEPARATOR", "CSV_TEXT_ENCLOSURE", ";"),
        ("CSV_FIELD_SEPARATOR", "CSV_ESCAPE_CHAR", "|"),
        ("CSV_FIELD_SEPARATOR", "CSV_TEXT_ROW_SEPARATOR", ";"),
        ("CSV_TEXT_ENCLOSURE", "CSV_TEXT_ROW_SEPARATOR", "'"),
        ("CSV_ESCAPE_CHAR", "CSV_TEXT_ROW_SEPARATOR", "\\"),
    ],
)
def test_two_options_that_cannot_stand_together_are_both_named(first: str, second: str, sign: str) -> None:
    text = "\n".join(refusals({first: sign, second: sign}))

    assert [name for name in (first, second) if name in text] == [first, second]
