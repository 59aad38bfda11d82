from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.domain.contracts import Column, Contract, DataType, TypeKind
from offramp.domain.deliveries import Delivery, FileEntry, Kind
from offramp.domain.exports import EntityKind, Export, FormatName, Mode, Model, TaskSchedule
from offramp.domain.subscriptions import Subscription
from offramp.domain.windows import tick_of
from offramp.feeds.media import naming
from offramp.feeds.media.feed import MediaFeed
from offramp.feeds.media.options import OPTIONS
from offramp.formats import csv_dialect

if TYPE_CHECKING:
    from pathlib import Path

FEED = MediaFeed()
unhurried = settings(deadline=None)  # other work on the machine fails no test
BOTH = (Mode.DELTA, Mode.SNAPSHOT)
CONTRACT = Contract((Column("id", DataType(TypeKind.BIGINT), is_nullable=False),), key=("id",))


def model(entity: str, kind: EntityKind, *schedules: TaskSchedule) -> Model:
    return Model("media", entity, kind, CONTRACT, "tenant_id", "", schedules, f"{entity}.sql", "f")


MODELS = [
    model("assets", EntityKind.MUTABLE, TaskSchedule("CRON_SCHEDULE_ASSETS", "10 0 * * *", BOTH)),
    model("users_profiles", EntityKind.MUTABLE, TaskSchedule("CRON_SCHEDULE_USERS_PROFILES", "", BOTH)),
    model("platforms", EntityKind.REFERENCE, TaskSchedule("CRON_SCHEDULE_PLATFORMS", "10 0 * * *", (Mode.SNAPSHOT,))),
    model("audits", EntityKind.EVENTS, TaskSchedule("CRON_SCHEDULE_AUDITS", "30 0 * * *", (Mode.DELTA,))),
    model(
        "vvs_pools",
        EntityKind.MUTABLE,
        TaskSchedule("CRON_SCHEDULE_VVS_POOLS_SNAPSHOT", "15 0 * * *", (Mode.SNAPSHOT,)),
        TaskSchedule("CRON_SCHEDULE_VVS_POOLS_DELTA", "15 0 * * *", (Mode.DELTA,)),
    ),
]
EXPORTS = {export.name: export for export in FEED.exports(MODELS)}


def subscription(*entities: str, **options: str) -> Subscription:
    return Subscription(
        id="northwind-media",
        recipient="northwind",
        feed="media",
        tenants=("aurora",),
        starts_on=date(2018, 9, 1),
        destinations=("outbox",),
        entities=entities,
        options=options,
    )


def delivery(export: Export, **options: str) -> Delivery:
    tick = datetime(2018, 9, 10, 0, 10, tzinfo=UTC)
    return Delivery(
        subscription=subscription(**options),
        export=export,
        data_day=date(2018, 9, 9),
        tick=tick,
        until=tick.replace(minute=0),
        window=None,
        landing_id=None,
        kind=Kind.REGULAR,
    )


def due(*entities: str, **options: str) -> dict[str, str]:
    one = subscription(*entities, **options)
    crons = {name: FEED.cron(one, export) for name, export in EXPORTS.items()}
    return {name: cron for name, cron in crons.items() if cron is not None}


def test_the_defaults_are_those_of_the_vendors_page() -> None:
    own = {"FILE_NAME_PATTERN"}
    assert {name: option.default for name, option in OPTIONS.items() if name not in own} == {
        "CSV_INCLUDE_HEADER": "1",
        "CSV_FIELD_SEPARATOR": ",",
        "CSV_TEXT_ROW_SEPARATOR": "0",
        "CSV_TEXT_ENCLOSURE": '"',
        "CSV_ESCAPE_CHAR": '"',
        "CSV_DATE_FORMAT": "yyyy-MM-dd'T'HH:mm:ssZ",
        "CSV_MD5": "0",
        "CSV_SNAPSHOT": "all",
        "DATA_DELTA_DAYS": "1",
        "DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "0",
        "DATA_DELTA_TIME_ZONE": "UTC",
    }
    assert all(FEED.check_option(name, option.default) is None for name, option in OPTIONS.items())


def test_mutable_entities_have_both_modes_reference_a_snapshot_and_events_a_delta() -> None:
    assert list(EXPORTS) == [
        "media/delta/assets",
        "media/delta/audits",
        "media/delta/users_profiles",
        "media/delta/vvs_pools",
        "media/snapshot/assets",
        "media/snapshot/platforms",
        "media/snapshot/users_profiles",
        "media/snapshot/vvs_pools",
    ]
    assert {export.default_format for export in EXPORTS.values()} == {FormatName.CSV}


def test_models_of_other_feeds_are_no_exports_of_media() -> None:
    assert FEED.exports([replace(MODELS[0], feed="plays")]) == ()


def test_an_events_entity_has_a_snapshot_where_its_schedule_names_one() -> None:
    audits = model("audits", EntityKind.EVENTS, TaskSchedule("CRON_SCHEDULE_AUDITS", "30 0 * * *", BOTH))

    assert [export.name for export in FEED.exports([audits])] == ["media/delta/audits", "media/snapshot/audits"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("media/delta/assets", "assets/assets_2018_09_10.csv"),
        ("media/snapshot/assets", "assets_snapshot/assets_snapshot_2018_09_10.csv"),
        ("media/snapshot/platforms", "platforms/platforms_2018_09_10.csv"),
        ("media/delta/audits", "audits/audits_2018_09_10.csv"),
        ("media/delta/vvs_pools", "vvs_pools_delta/vvs_pools_delta_2018_09_10.csv"),
        ("media/snapshot/vvs_pools", "vvs_pools_snapshot/vvs_pools_snapshot_2018_09_10.csv"),
    ],
)
def test_files_are_named_by_entity_mode_and_date_of_the_tick(name: str, path: str) -> None:
    assert FEED.rows_name(delivery(EXPORTS[name]), 1, 1) == path


def test_parts_deletes_and_manifests_have_names_of_their_own() -> None:
    one = delivery(EXPORTS["media/delta/assets"])
    voucher = delivery(EXPORTS["media/delta/vvs_pools"])

    assert FEED.rows_name(one, 1, 2) == "assets/assets_2018_09_10_part_0001.csv"
    assert FEED.rows_name(one, 2, 2) == "assets/assets_2018_09_10_part_0002.csv"
    assert FEED.deletes_name(one) == "assets_deletes/assets_deletes_2018_09_10.csv"
    assert FEED.deletes_name(voucher) == "vvs_pools_deletes/vvs_pools_deletes_2018_09_10.csv"
    assert FEED.manifest_name(one) == "_manifests/delta/assets/2018_09_10.r1.json"
    assert FEED.manifest_name(replace(one, revision=3)) == "_manifests/delta/assets/2018_09_10.r3.json"
    assert FEED.part_count(one, 10**9, 10**9) == 1


def test_a_further_mode_in_the_house_changes_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    members = {mode.name: mode.value for mode in Mode} | {"RANGE": "range"}
    monkeypatch.setattr(naming, "Mode", StrEnum("Mode", members))

    assert naming.stem_of(EXPORTS["media/delta/vvs_pools"]) == "vvs_pools_delta"
    assert naming.stem_of(EXPORTS["media/snapshot/vvs_pools"]) == "vvs_pools_snapshot"


def test_a_model_without_a_schedule_keeps_its_modes_apart() -> None:
    delta, snapshot = FEED.exports([model("assets", EntityKind.MUTABLE)])

    assert FEED.rows_name(delivery(delta), 1, 1) != FEED.rows_name(delivery(snapshot), 1, 1)
    assert FEED.cron(subscription(), delta) is None


def test_no_two_files_of_a_day_share_a_name() -> None:
    names = [FEED.rows_name(delivery(export), 1, 1) for export in EXPORTS.values()]
    names += [FEED.deletes_name(delivery(export)) for export in EXPORTS.values() if export.mode is Mode.DELTA]
    names += [FEED.manifest_name(delivery(export)) for export in EXPORTS.values()]

    assert len(set(names)) == len(names)


def test_md5sum_accepts_the_checksum_file(tmp_path: Path) -> None:
    content = b"id\r\n1\r\n"
    one = delivery(EXPORTS["media/delta/assets"], CSV_MD5="1")
    checksums = {"sha256": "", "md5": hashlib.md5(content, usedforsecurity=False).hexdigest()}
    file = FileEntry(name=FEED.rows_name(one, 1, 1), rows=1, bytes=len(content), checksums=checksums)
    (tmp_path / "assets").mkdir()
    (tmp_path / file.name).write_bytes(content)

    sidecars = FEED.sidecars(one, file)

    assert list(sidecars) == ["assets/assets_2018_09_10.csv.md5"]
    for name, text in sidecars.items():
        (tmp_path / name).write_bytes(text)
    checked = subprocess.run(
        ["md5sum", "-c", "assets_2018_09_10.csv.md5"],
        cwd=tmp_path / "assets",
        capture_output=True,
        text=True,
        check=True,
    )
    assert checked.stdout == "assets_2018_09_10.csv: OK\n"
    without = replace(file, checksums={"sha256": file.sha256})
    assert FEED.sidecars(one, without) == {}, "a file that was staged without an MD5 has no sidecar"


def test_everything_with_a_schedule_is_due_by_default() -> None:
    assert due() == {
        "media/delta/assets": "10 0 * * *",
        "media/delta/audits": "30 0 * * *",
        "media/delta/vvs_pools": "15 0 * * *",
        "media/snapshot/assets": "10 0 * * *",
        "media/snapshot/platforms": "10 0 * * *",
        "media/snapshot/vvs_pools": "15 0 * * *",
    }


def test_an_empty_schedule_is_off_and_another_one_replaces_the_default() -> None:
    crons = due(CRON_SCHEDULE_ASSETS="", CRON_SCHEDULE_USERS_PROFILES="40 1 * * *", CRON_SCHEDULE_VVS_POOLS_DELTA=" ")

    assert "media/delta/assets" not in crons
    assert "media/snapshot/assets" not in crons
    assert crons["media/delta/users_profiles"] == crons["media/snapshot/users_profiles"] == "40 1 * * *"
    assert "media/delta/vvs_pools" not in crons
    assert "media/snapshot/vvs_pools" in crons


def test_entities_that_are_not_taken_are_not_due() -> None:
    assert set(due("assets")) == {"media/delta/assets", "media/snapshot/assets"}


@pytest.mark.parametrize(
    ("value", "has_snapshot"),
    [
        ("all", True),
        ("", True),
        (" , ", True),
        ("assets", True),
        ("users_profiles, assets", True),
        ("snapshot/assets", True),
        ("users_profiles,all", True),
        ("users_profiles", False),
        ("platforms", False),
    ],
)
def test_csv_snapshot_switches_off_snapshots_of_jobs_that_have_both(value: str, has_snapshot: bool) -> None:  # noqa: FBT001 - a row of the table
    crons = due(CSV_SNAPSHOT=value)

    assert ("media/snapshot/assets" in crons) is has_snapshot
    assert "media/delta/assets" in crons
    assert "media/snapshot/platforms" in crons
    assert "media/snapshot/vvs_pools" in crons


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CSV_INCLUDE_HEADER", "0"),
        ("CSV_FIELD_SEPARATOR", ";"),
        ("CSV_FIELD_SEPARATOR", "\t"),
        ("CSV_FIELD_SEPARATOR", "\\t"),
        ("CSV_FIELD_SEPARATOR", "|"),
        ("CSV_TEXT_ROW_SEPARATOR", " "),
        ("CSV_TEXT_ROW_SEPARATOR", "<br>"),
        ("CSV_TEXT_ENCLOSURE", "'"),
        ("CSV_ESCAPE_CHAR", "\\"),
        ("CSV_DATE_FORMAT", "dd.MM.yyyy HH:mm:ss.SSS"),
        ("CSV_MD5", "1"),
        ("CSV_SNAPSHOT", "assets"),
        ("DATA_DELTA_DAYS", "7"),
        ("DATA_DELTA_MIDNIGHT_TO_MIDNIGHT", "1"),
        ("DATA_DELTA_TIME_ZONE", "Asia/Kathmandu"),
        ("CRON_SCHEDULE_ASSETS", "25 3 * * 1-5"),
        ("CRON_SCHEDULE_ASSETS", ""),
    ],
)
def test_each_option_alone_is_accepted_and_the_writer_takes_it(name: str, value: str) -> None:
    one = subscription(**{name: value})

    format_name, dialect = FEED.format(one, EXPORTS["media/delta/assets"])

    assert FEED.check_option(name, value) is None
    assert FEED.check_options(one.options, EXPORTS.values()) == ()
    assert format_name is FormatName.CSV
    assert csv_dialect.check(dialect) == ()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CSV_INCLUDE_HEADER", "yes", "1 (on) or 0 (off)"),
        ("CSV_MD5", "", "1 (on) or 0 (off)"),
        ("CSV_FIELD_SEPARATOR", "", "one sign"),
        ("CSV_FIELD_SEPARATOR", ";;", "one sign"),
        ("CSV_FIELD_SEPARATOR", "§", "one sign"),
        ("CSV_FIELD_SEPARATOR", "\n", "one sign"),
        ("CSV_TEXT_ENCLOSURE", "1", "one sign"),
        ("CSV_TEXT_ROW_SEPARATOR", "", "found nothing"),
        ("CSV_TEXT_ROW_SEPARATOR", "\n", "line break"),
        ("CSV_DATE_FORMAT", "", "empty"),
        ("CSV_DATE_FORMAT", "yyyy-MM-dd'T", "never closed"),
        ("CSV_DATE_FORMAT", "yyyy\nMM", "line break"),
        ("DATA_DELTA_DAYS", "0", "from 1 to 3650"),
        ("DATA_DELTA_DAYS", "1.5", "from 1 to 3650"),
        ("DATA_DELTA_DAYS", "٣", "from 1 to 3650"),
        ("DATA_DELTA_TIME_ZONE", "europe/oslo", "Europe/Oslo"),
        ("DATA_DELTA_TIME_ZONE", "../../etc/passwd", "not a time zone"),
        ("CRON_SCHEDULE_ASSETS", "* * * * *", "more than once a day"),
        ("CRON_SCHEDULE_ASSETS", "midnight", "five fields"),
        ("CSV_FIELD_SEPERATOR", ";", "did you mean 'CSV_FIELD_SEPARATOR'"),
        ("CRON_SCHEDULE_", "", "not an option"),
    ],
)
def test_a_wrong_value_says_what_is_expected(name: str, value: str, says: str) -> None:
    assert says in (FEED.check_option(name, value) or "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"CSV_FIELD_SEPARATOR": '"'}, "CSV_FIELD_SEPARATOR and CSV_TEXT_ENCLOSURE must differ"),
        ({"CSV_ESCAPE_CHAR": ","}, "CSV_ESCAPE_CHAR and CSV_FIELD_SEPARATOR must differ"),
        ({"CSV_TEXT_ROW_SEPARATOR": ","}, "CSV_TEXT_ROW_SEPARATOR must differ"),
        ({"CSV_TEXT_ROW_SEPARATOR": '"'}, "CSV_TEXT_ROW_SEPARATOR must differ"),
        ({"CRON_SCHEDULE_ASSET": ""}, "CRON_SCHEDULE_ASSET names no job; did you mean 'CRON_SCHEDULE_ASSETS'"),
        ({"CSV_SNAPSHOT": "asset"}, "CSV_SNAPSHOT holds 'asset', which is no job; did you mean 'assets'"),
        ({"CSV_SNAPSHOT": "delta/assets"}, "which writes no snapshot"),
        ({"CSV_SNAPSHOT": "vvs_pools_delta"}, "which writes no snapshot"),
        ({"CRON_SCHEDULE_ASSETS": "3 14 * * *"}, "CRON_SCHEDULE_ASSETS fires at 14:03 UTC"),
        (
            {
                "CRON_SCHEDULE_ASSETS": "17 18 * * *",
                "DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "1",
                "DATA_DELTA_TIME_ZONE": "Asia/Kathmandu",
            },
            "its window ends at 18:15 UTC",
        ),
    ],
)
def test_options_that_cannot_stand_together_are_refused(options: dict[str, str], says: str) -> None:
    (fault,) = FEED.check_options(options, EXPORTS.values())

    assert says in fault
    assert fault.split()[0] in {*options, "CSV_FIELD_SEPARATOR"}


def test_the_safety_lag_decides_when_a_schedule_is_too_early() -> None:
    options = {"CRON_SCHEDULE_ASSETS": "12 14 * * *"}

    assert FEED.check_options(options, EXPORTS.values()) == ()
    assert FEED.check_options(options, EXPORTS.values(), safety_lag=timedelta(minutes=13))


marks = st.one_of(st.sampled_from("\t;|,\"'\\^~ "), st.characters(min_codepoint=9, max_codepoint=0x100))


@unhurried
@given(separator=marks, enclosure=marks, escape=marks, replacement=st.text(min_size=1, max_size=2))
def test_what_passes_the_checks_is_a_dialect_that_the_writer_takes(
    separator: str, enclosure: str, escape: str, replacement: str
) -> None:
    options = {
        "CSV_FIELD_SEPARATOR": separator,
        "CSV_TEXT_ENCLOSURE": enclosure,
        "CSV_ESCAPE_CHAR": escape,
        "CSV_TEXT_ROW_SEPARATOR": replacement,
    }

    is_refused = any(FEED.check_option(name, value) for name, value in options.items())
    is_refused = is_refused or bool(FEED.check_options(options, ()))

    _, dialect = FEED.format(subscription(**options), EXPORTS["media/delta/assets"])
    assert is_refused or csv_dialect.check(dialect) == ()


@pytest.mark.parametrize(
    ("options", "has_gap"),
    [
        ({}, False),
        ({"CRON_SCHEDULE_ASSETS": "10 0 * * 1"}, True),
        ({"CRON_SCHEDULE_ASSETS": "10 0 * * 1", "DATA_DELTA_DAYS": "7"}, False),
        ({"CRON_SCHEDULE_ASSETS": "10 0 * * MON-FRI", "DATA_DELTA_DAYS": "2"}, True),
        ({"CRON_SCHEDULE_ASSETS": "10 0 * * MON-FRI", "DATA_DELTA_DAYS": "3"}, False),
        ({"DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "1", "DATA_DELTA_TIME_ZONE": "Europe/Oslo"}, False),
        (  # 22:30 UTC is before midnight in winter and after it in summer
            {
                "CRON_SCHEDULE_ASSETS": "30 22 * * *",
                "DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "1",
                "DATA_DELTA_TIME_ZONE": "Europe/Oslo",
            },
            True,
        ),
    ],
)
def test_a_schedule_that_leaves_a_gap_is_warned_about(options: dict[str, str], has_gap: bool) -> None:  # noqa: FBT001 - a row of the table
    warnings = FEED.warnings(options, EXPORTS.values())

    assert [warning.split()[0] for warning in warnings] == (["CRON_SCHEDULE_ASSETS"] if has_gap else [])


@unhurried
@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(1, 31))
def test_the_default_window_is_the_data_day(day: date, length: int) -> None:
    tick = tick_of("10 0 * * *", day)
    assert tick is not None
    export = EXPORTS["media/delta/assets"]

    window = FEED.window(subscription(DATA_DELTA_DAYS=str(length)), export, tick)

    assert window.end == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    assert window.end - window.start == timedelta(days=length)
