# ruff: noqa: DTZ001 - instants of tables are UTC without zone
from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.domain.contracts import TypeKind
from offramp.domain.exports import EntityKind, Mode
from offramp.sql.tenancy import tenancy_problems
from platform_tests.mobility.model_house import APP, ROOT, problems, project, run_model
from platform_tests.mobility.models.lives import USER, links
from platform_tests.mobility.models.segment_drives import SCORES, drive, drive_table

if TYPE_CHECKING:
    from pathlib import Path

OTHER_APP = "5a689ab0e97b960500002110"
# mobility_offloads.md section 4.
COLUMNS = {
    "transports_realtime": "user_id,metadata_user_id,start,end,mode,distance,waypoints,duration,smooth,legal,"
    "anticipative,focus,mounted,session_id,hard_events,hard_accel,hard_brake,legal_v2,event_id,occupant_role,aggr_v2,anti_v2,"
    "hard_turn,attention",
    "scores_realtime": "timestamp,user_id,smooth,legal,anticipative,focus,mounted,hard_events,hard_accel,hard_brake,"
    "legal_v2,smooth_v2,anticipative_v2,hard_turn",
    "driving_events_realtime": "mode,metadata_user_id,event_id,user_id,start,end,behavior_events",
    "mapped_waypoints_realtime": "mapped_waypoints,session_id,start,end,user_id",
}
LISTS = ("acceleration", "idle", "breakdown", "boundaries", "turn", "anomalies", "mounted", "crash", "traffic")
EVENTS = json.dumps({name: [] for name in LISTS})
WAYPOINTS = (
    '{ "waypoints" : [ { "latitude": 59.91000, "longitude": 10.75000, '
    '"timestamp": "2018-11-05T09:00:00.000+01:00" } ] }'
)
MAPPED = '[ { "latitude": 59.91000, "longitude": 10.75000, "speed_v2": 41.5, "speedlimit": 50.00 } ]'
AT = datetime(2018, 11, 5, 8)
FIRST, SECOND, THIRD = (date(2018, 11, day) for day in (5, 6, 7))


@pytest.mark.parametrize("entity", COLUMNS)
def test_the_columns_are_those_of_the_documentation(entity: str, tmp_path: Path) -> None:
    model = project().model(f"mobility.{entity}").model

    assert ",".join(model.contract.names) == COLUMNS[entity]
    assert [one.name for one in model.hidden if one.name != "started_at"] == ["processed_at"]
    assert problems(f"mobility.{entity}", tmp_path) == ()


@pytest.mark.parametrize("entity", COLUMNS)
def test_an_export_is_cut_by_the_time_of_processing(entity: str) -> None:
    model = project().model(f"mobility.{entity}").model

    table = "scores" if entity == "scores_realtime" else "drives"
    assert (model.kind, model.event_source) == (EntityKind.EVENTS, ("mobility_layers", table))
    assert (model.contract.change_column, model.part_key, model.tenant_column) == ("processed_at", "user_id", "app_id")
    assert [(one.variable, one.modes, one.is_shared) for one in model.schedules] == [
        ("CRON_SCHEDULE_DRIVING", (Mode.DELTA,), True)
    ]


def test_no_row_can_reach_another_app() -> None:
    assert [str(one) for one in tenancy_problems(project()) if "realtime" in str(one)] == []


def test_personal_columns_are_the_ids_of_the_client() -> None:
    found = {
        column.name
        for entity in COLUMNS
        for column in project().model(f"mobility.{entity}").model.contract.columns
        if column.is_personal
    }

    assert found == {"metadata_user_id"}


def test_a_drive_is_delivered_as_the_layer_wrote_it(tmp_path: Path) -> None:
    one = drive(USER, AT, waypoints=WAYPOINTS, smooth="0.123456", attention="-1", behavior_events=EVENTS)
    frames = {
        "mobility_layers.drives": drive_table([one]),
        "mobility.user_links": links({USER: "K-17"}, linked_at=datetime(2018, 10, 1)),
    }

    (row,) = run_model("mobility.transports_realtime", frames, tmp_path).to_dicts()

    assert {name: row[name] for name in ("user_id", "metadata_user_id", "start", "end", "duration", "app_id")} == {
        "user_id": USER,
        "metadata_user_id": "K-17",
        "start": "2018-11-05T09:00:00+01:00",
        "end": "2018-11-05T09:20:00+01:00",
        "duration": 1200,
        "app_id": APP,
    }
    assert row["waypoints"] == WAYPOINTS
    assert (row["smooth"], row["attention"]) == (Decimal("0.123456"), Decimal("-1.000000"))
    assert row["processed_at"] == one["processed_at"]


def test_a_user_without_a_link_has_drives_too(tmp_path: Path) -> None:
    frames = {
        "mobility_layers.drives": drive_table([drive(USER, AT), drive(USER, AT, app_id=OTHER_APP)]),
        "mobility.user_links": links({USER: "K-17"}, linked_at=datetime(2018, 10, 1)),
    }

    rows = run_model("mobility.transports_realtime", frames, tmp_path)

    assert dict(rows.select("app_id", "metadata_user_id").iter_rows()) == {APP: "K-17", OTHER_APP: None}


def test_files_of_a_day_hold_the_drives_for_which_there_is_data(tmp_path: Path) -> None:
    bare, sensed, mapped = (AT.replace(hour=hour) for hour in (8, 9, 10))
    drives = drive_table(
        [
            drive(USER, bare),
            drive(USER, sensed, behavior_events=EVENTS),
            drive(USER, mapped, behavior_events=EVENTS, mapped_waypoints=MAPPED),
        ]
    )

    rows = {
        entity: run_model(f"mobility.{entity}", {"mobility_layers.drives": drives}, tmp_path)
        for entity in ("transports_realtime", "driving_events_realtime", "mapped_waypoints_realtime")
    }

    assert [one.height for one in rows.values()] == [3, 2, 1]
    assert set(rows["driving_events_realtime"]["event_id"]) < set(rows["transports_realtime"]["event_id"])
    assert tuple(json.loads(rows["driving_events_realtime"]["behavior_events"][0])) == LISTS
    assert rows["mapped_waypoints_realtime"]["mapped_waypoints"].to_list() == [MAPPED]
    assert rows["mapped_waypoints_realtime"]["start"].to_list() == ["2018-11-05T11:00:00+01:00"]


def versions(*builds: tuple[date, bool, int]) -> pl.DataFrame:
    """Return versions of one drive: (built on, is new, metres)."""
    return drive_table(
        [
            drive(
                USER,
                AT,
                built_on=built_on,
                is_new=is_new,
                distance=metres,
                behavior_events=json.dumps({name: [metres] for name in LISTS}),
                mapped_waypoints=f"[{metres}]",
            )
            for built_on, is_new, metres in builds
        ]
    )


@pytest.mark.parametrize(
    ("entity", "column", "newest"),
    [
        ("transports_realtime", "distance", 8300),
        ("driving_events_realtime", "behavior_events", json.dumps({name: [8300] for name in LISTS})),
        ("mapped_waypoints_realtime", "mapped_waypoints", "[8300]"),
    ],
)
def test_a_drive_is_given_once_in_its_newest_version(entity: str, column: str, newest: object, tmp_path: Path) -> None:
    three = versions((FIRST, True, 8000), (THIRD, False, 8300), (SECOND, False, 8200))

    found = run_model(f"mobility.{entity}", {"mobility_layers.drives": three}, tmp_path)

    assert found[column].to_list() == [newest]
    assert found["processed_at"].to_list() == [drive(USER, AT)["processed_at"]]


@pytest.mark.parametrize("entity", ["transports_realtime", "driving_events_realtime", "mapped_waypoints_realtime"])
def test_a_drive_whose_first_version_is_not_among_the_builds_is_not_given(entity: str, tmp_path: Path) -> None:
    """A delivery reads the builds after its base; a drive from before it was sent, and is not sent again."""
    later = versions((SECOND, False, 8200), (THIRD, False, 8300))

    assert run_model(f"mobility.{entity}", {"mobility_layers.drives": later}, tmp_path).is_empty()


def test_versions_of_another_app_do_not_matter(tmp_path: Path) -> None:
    one = drive(USER, AT, event_id="e", built_on=FIRST)
    other = drive(USER, AT, event_id="e", built_on=SECOND, is_new=False, app_id=OTHER_APP)

    found = run_model("mobility.transports_realtime", {"mobility_layers.drives": drive_table([one, other])}, tmp_path)

    assert found["app_id"].to_list() == [APP]


def test_steps_on_the_way_to_others_see_a_drive_once(tmp_path: Path) -> None:
    three = versions((FIRST, True, 8000), (THIRD, False, 8300), (SECOND, False, 8200))

    (row,) = run_model("mobility.drives_newest", {"mobility_layers.drives": three}, tmp_path).to_dicts()

    assert (row["distance"], row["has_sensors"], row["occupant_role"]) == (8300, True, "driver")
    assert problems("mobility.drives_newest", tmp_path) == ()
    assert not project().model("mobility.drives_newest").model.is_exported


@pytest.mark.parametrize("name", ["attribute_driving", "segment_driving"])
def test_no_other_model_reads_drives_in_all_their_versions(name: str) -> None:
    text = (ROOT / f"dbt_like_sql/models/mobility/{name}.sql").read_text()
    assert "ref('drives_newest')" in text
    readers = {
        path.stem
        for path in (ROOT / "dbt_like_sql").rglob("*.sql")
        if "'mobility_layers', 'drives'" in path.read_text()
    }
    assert readers == {*COLUMNS, "drives_newest"} - {"scores_realtime"}


def test_nested_columns_are_json() -> None:
    kinds = {
        column.name: column.type.kind
        for entity in COLUMNS
        for column in project().model(f"mobility.{entity}").model.contract.columns
    }

    assert {name for name, kind in kinds.items() if kind is TypeKind.JSON} == {
        "waypoints", "behavior_events", "mapped_waypoints",
    }  # fmt: skip


def test_text_that_is_no_json_stops_the_export(tmp_path: Path) -> None:
    drives = drive_table([drive(USER, AT, waypoints='{ "waypoints": [ ')])

    with pytest.raises(Exception, match=r"(?i)json"):
        run_model("mobility.transports_realtime", {"mobility_layers.drives": drives}, tmp_path)


def test_scores_keep_six_decimals_and_minus_one(tmp_path: Path) -> None:
    names = [name for name in SCORES if name in COLUMNS["scores_realtime"].split(",")]
    scores = pl.DataFrame(
        {"app_id": [APP], "user_id": [USER], "timestamp": [1541404800000], "processed_at": [AT]}
        | {name: ["0.123456" if number else "-1"] for number, name in enumerate(names)}
    ).cast(dict.fromkeys(names, pl.Decimal(9, 6)))

    (row,) = run_model("mobility.scores_realtime", {"mobility_layers.scores": scores}, tmp_path).to_dicts()

    assert [row[name] for name in names] == [Decimal("-1.000000"), *[Decimal("0.123456")] * (len(names) - 1)]
    assert (row["timestamp"], row["user_id"], row["processed_at"]) == (1541404800000, USER, AT)
