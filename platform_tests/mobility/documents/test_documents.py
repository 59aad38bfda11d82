"""The data model and the sample files, read back with readers that the project did not write."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl  # type: ignore[import-untyped]
import pytest
import yaml

from offramp.domain.contracts import Column, TypeKind
from offramp.domain.deliveries import Delivery, Kind
from offramp.domain.exports import FormatName
from offramp.domain.subscriptions import Subscription
from offramp.feeds.mobility.documents.data_model import COLUMN_COLUMNS, FILE_COLUMNS, FILES, data_model
from offramp.feeds.mobility.documents.documents import documents
from offramp.feeds.mobility.documents.files import name_pattern, stem
from offramp.feeds.mobility.documents.samples import sample_name, samples
from offramp.feeds.mobility.feed import MobilityFeed
from offramp.feeds.registry import exports_of
from platform_tests.mobility.model_house import APP, project

if TYPE_CHECKING:
    from offramp.domain.exports import Export

MODELS = Path(__file__).parents[3] / "dbt_like_sql/models/mobility"
NAMES = [
    "attributes.long.csv", "attributes.wide.csv", "driving_events_realtime.json", "mapped_waypoints_realtime.json",
    "moments.csv", "scores_realtime.csv", "segments.csv", "stationaries.csv", "transports.csv",
    "transports_realtime.csv", "user_linking.csv",
]  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:\d\d)")


@cache
def exports() -> dict[str, Export]:
    """The feed's exports by the bare names of their files."""
    found = exports_of(loaded.model for loaded in project().models.values()).values()
    return {sample_name(export): export for export in found if export.feed == "mobility"}


@cache
def unpacked() -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(samples(tuple(exports().values())))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


@cache
def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a sample file; an empty field of CSV is None."""
    if name.endswith(".json"):
        return [json.loads(line) for line in unpacked()[name].splitlines()]
    found = csv.DictReader(io.StringIO(unpacked()[name], newline=""), strict=True)
    return [{key: value or None for key, value in row.items()} for row in found]


def test_the_same_exports_give_the_same_bytes_in_any_order() -> None:
    some = list(exports().values())

    one, other = documents(tuple(some)), documents(tuple(some[::-1]))

    assert one == other
    assert [re.sub("_[0-9a-f]{12}[.]", "_*.", name) for name in one] == [
        "documentation/mobility_data_model_*.xlsx",
        "documentation/mobility_samples_*.zip",
    ]
    assert all(hashlib.sha256(content).hexdigest()[:12] in name for name, content in one.items())


def test_the_spreadsheet_holds_every_column_of_every_contract() -> None:
    book = openpyxl.load_workbook(io.BytesIO(data_model(list(exports().values()))))

    assert book.sheetnames == [FILES, *(stem(one) for one in sorted(exports().values(), key=lambda one: one.name))]
    for export in exports().values():
        header, *found = [[cell.value or "" for cell in row] for row in book[stem(export)].iter_rows()]
        assert header == [title for title, _ in COLUMN_COLUMNS]
        assert found == [
            [
                column.name,
                str(column.type),
                "yes" if column.is_nullable else "no",
                "yes" if column.name in export.contract.key else "no",
                column.description,
                "yes" if column.is_personal else "no",
            ]
            for column in export.contract.columns
        ]
        assert book[stem(export)].freeze_panes == "B2"
        assert book[stem(export)].column_dimensions["A"].width > 20


def test_the_sheet_of_files_tells_name_key_and_meaning_of_each() -> None:
    book = openpyxl.load_workbook(io.BytesIO(data_model(list(exports().values()))))
    header, *found = [[cell.value for cell in row] for row in book[FILES].iter_rows()]

    assert header == [title for title, _ in FILE_COLUMNS]
    assert len(found) == len(exports())
    told = {row[0]: dict(zip(header, row, strict=True)) for row in found}
    for export in exports().values():
        row = told[stem(export)]
        assert row["key"] == ", ".join(export.contract.key)
        assert row["description"] == export.model.description
        assert row["format"].startswith("JSON" if export.default_format is FormatName.NDJSON_GZ else "CSV")
        assert all(schedule.variable in row["cadence"] for schedule in export.model.schedules)
    assert "by default off" in told["user_linking"]["cadence"]


@pytest.mark.parametrize("name", NAMES)
def test_the_pattern_of_a_name_is_that_of_deliveries(name: str) -> None:
    export = exports()[name]
    feed = MobilityFeed()
    mine = Subscription("m", "meridian", "mobility", (APP,), date(2026, 1, 1), ("outbox",))
    tick = datetime(2026, 11, 17, 3, tzinfo=UTC)
    window = feed.window(mine, export, tick)
    delivery = Delivery(mine, export, date(2026, 11, 16), tick, window.end, window, None, Kind.REGULAR)

    pattern = re.escape(name_pattern(export))
    for part, wanted in {"run folder": r"[\d_]+", "app id": APP, "number": r"\d{5}", "uuid": "[0-9a-f-]{36}"}.items():
        pattern = pattern.replace(re.escape(f"<{part}>"), wanted)

    assert re.fullmatch(pattern, feed.rows_name(delivery, 1, 1))


def test_the_archive_holds_one_file_per_export_under_its_bare_name() -> None:
    assert sorted(unpacked()) == sorted(exports()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_has_two_rows_and_exactly_the_columns_of_its_contract(name: str) -> None:
    found = rows(name)

    assert len(found) == 2
    assert all(tuple(row) == exports()[name].contract.names for row in found)
    assert "\r" not in unpacked()[name]
    if name == "attributes.wide.csv":
        assert len(found[0]) == 527


def fits(column: Column, value: Any) -> bool:
    """Whether a value of a file is one of the column's type."""
    kind, text = column.type.kind, str(value)
    match kind:
        case TypeKind.BIGINT | TypeKind.INTEGER:
            return abs(int(text)) < 2**63
        case TypeKind.DECIMAL:
            digits = Decimal(text).as_tuple()
            return -int(digits.exponent) == column.type.scale and len(digits.digits) <= (column.type.precision or 0)
        case TypeKind.DOUBLE:
            return bool(re.fullmatch(r"-?\d+(\.\d+)?", text))
        case TypeKind.JSON:
            return isinstance(json.loads(value) if isinstance(value, str) else value, list | dict)
        case TypeKind.VARCHAR:
            return isinstance(value, str) and len(value) <= (column.type.length or 10_000)
        case _:
            raise AssertionError(kind)


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_one_of_its_type_and_no_required_one_is_missing(name: str) -> None:
    contract = exports()[name].contract
    for row in rows(name):
        for column in contract.columns:
            value = row[column.name]
            assert column.is_nullable if value is None else fits(column, value), (column.name, value)
    assert len({tuple(row[key] for key in contract.key) for row in rows(name)}) == 2


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_that_data_tests_accept(name: str) -> None:
    (model,) = yaml.safe_load((MODELS / f"{exports()[name].entity}.yml").read_text())["models"]
    for column in model["columns"]:
        for test in column.get("data_tests", []):
            if isinstance(test, dict) and "accepted_values" in test:
                accepted = {str(one) for one in test["accepted_values"]["arguments"]["values"]}
                assert {row[column["name"]] for row in rows(name)} <= {*accepted, None}


def test_times_durations_ids_and_scores_agree_with_one_another() -> None:
    for name in NAMES:
        for row in rows(name):
            assert re.fullmatch("[0-9a-f]{24}", row["user_id"])
            times = [row[key] for key in ("start", "end") if row.get(key)]
            assert all(TIME.fullmatch(one) and not one.endswith("+00:00") for one in times)
            if row.get("duration"):
                begins, *ends = (datetime.fromisoformat(one) for one in times)
                wanted = int((ends[0] - begins) / timedelta(seconds=1)) if ends else -1
                assert int(row["duration"]) == wanted, name
    scores = [*rows("scores_realtime.csv"), *rows("transports_realtime.csv")]
    named = {key for row in scores for key in row if re.match("smooth|legal|anti|focus|mount|hard|aggr|attention", key)}
    values = [Decimal(row[key]) for row in scores for key in named if key in row]
    assert len(named) == 15
    assert all(0 <= value <= 1 or value == -1 for value in values)


def test_the_four_driving_files_hold_the_same_drives() -> None:
    drives = rows("transports_realtime.csv")

    assert [(row["event_id"], row["user_id"]) for row in rows("driving_events_realtime.json")] == [
        (row["event_id"], row["user_id"]) for row in drives
    ]
    assert [(row["session_id"], row["start"]) for row in rows("mapped_waypoints_realtime.json")] == [
        (row["session_id"], row["start"]) for row in drives
    ]
    newest = [int(datetime.fromisoformat(row["start"]).timestamp() * 1000) for row in drives]
    assert [int(row["timestamp"]) for row in rows("scores_realtime.csv")] == newest
    for row in rows("driving_events_realtime.json"):
        assert list(row["behavior_events"]) == [
            "acceleration", "idle", "breakdown", "boundaries", "turn", "anomalies", "mounted", "crash", "traffic",
        ]  # fmt: skip


def test_the_long_file_says_what_the_wide_one_does_and_segments_are_defined() -> None:
    wide = {row["user_id"]: row for row in rows("attributes.wide.csv")}
    defined = (MODELS / "segment_definitions.sql").read_text()

    assert all(
        wide[row["user_id"]][row["attribute_name"]] == row["attribute_value"] for row in rows("attributes.long.csv")
    )
    assert all(f"'{row['segment_id']}'" in defined for row in rows("segments.csv"))


def test_attributes_that_are_never_computed_are_empty_and_most_others_are_not() -> None:
    first, second = rows("attributes.wide.csv")
    columns = exports()["attributes.wide.csv"].contract.columns

    assert all(first[one.name] is None for one in columns if "Always empty" in one.description)
    assert sum(value is not None for value in first.values()) > 490
    assert sum(value is not None for value in second.values()) > 400
