"""Listings, as tables and as JSON with keys that stay."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from platform_tests.cli.home import TODAY, last_full_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_tests.cli.home import Done, Home

    Offramp = Callable[..., Done]


def test_the_catalog_lists_every_export_with_its_takers(offramp: Offramp, home: Home) -> None:
    found = offramp("catalog", "--json", home=home)

    assert found.code == 0
    by_name = {one["export"]: one for one in found.json["exports"]}
    assert by_name["media/delta/users"] == {
        "export": "media/delta/users",
        "feed": "media",
        "mode": "delta",
        "entity": "users",
        "kind": "mutable",
        "format": "csv",
        "columns": 17,
        "default_schedule": {"variable": "CRON_SCHEDULE_USERS", "cron": "20 0 * * *"},
        "schedules": ["20 0 * * *"],
        "recipients": ["fjord", "north"],
    }
    assert by_name["media/snapshot/users"]["recipients"] == ["north"]
    assert by_name["media/delta/vvs_pools"]["recipients"] == []


def test_tables_are_at_most_a_hundred_columns_wide_and_without_colours(
    offramp: Offramp, first_demo: tuple[Home, Done]
) -> None:
    home, _ = first_demo

    for arguments in (
        ["catalog"],
        ["show", "media/delta/users"],
        ["plan", "media"],
        ["deliveries"],
        ["config", "check"],
        ["verify", str(home.outbox)],
    ):
        found = offramp(*arguments, home=home)
        rows = [line for line in found.out.splitlines() if str(home.folder) not in line]
        assert found.code == 0, found.err
        assert max(map(len, rows)) <= 100, arguments
        assert "\x1b" not in found.out


def test_show_tells_columns_tests_and_names_of_files(offramp: Offramp, home: Home) -> None:
    found = offramp("show", "media/delta/users", "--json", home=home)

    document = found.json
    assert found.code == 0
    assert document["key"] == ["id"]
    assert document["change_column"] == "last_updated"
    assert document["columns"][0] == {
        "name": "id",
        "type": "bigint",
        "nullable": False,
        "key": True,
        "references": None,
        "description": document["columns"][0]["description"],
    }
    assert {"name", "column", "severity", "description"} == set(document["tests"][0])
    fjord = next(one for one in document["subscriptions"] if one["recipient"] == "fjord")
    assert fjord["example"]["rows"].startswith("users/users_20")
    assert fjord["example"]["deletes"].startswith("users_deletes/users_deletes_20")
    assert fjord["example"]["manifest"].endswith(".r1.json")


def test_show_prints_the_same_for_people(offramp: Offramp, home: Home) -> None:
    found = offramp("show", "media/delta/users", home=home)

    assert "user_name" in found.out
    assert "varchar(255)" in found.out
    assert "unique_key" in found.out
    assert "fjord-media" in found.out


def test_an_export_that_nobody_takes_says_so(offramp: Offramp, home: Home) -> None:
    found = offramp("show", "media/delta/vvs_pools", home=home)

    assert found.code == 0
    assert "nobody takes it" in found.out


def test_a_plan_says_window_landing_and_base_and_writes_nothing(offramp: Offramp, home: Home) -> None:
    day = last_full_day()

    found = offramp("plan", "media", "--date", str(day), "--entity", "users", "--mode", "delta", "--json", home=home)

    [plan] = found.json["plans"]
    assert (plan["export"], plan["data_day"]) == ("media/delta/users", str(day))
    owed = {one["recipient"]: one for one in plan["owed"]}
    assert owed["north"]["kind"] == "initial"
    assert owed["north"]["window"] is None
    assert owed["fjord"]["kind"] == "regular"
    assert owed["fjord"]["window"]["start"] == f"{day}T00:00:00Z"
    assert owed["fjord"]["landing"] is None
    assert owed["fjord"]["read_point_from"].endswith("T00:05:00Z")
    assert plan["needs"][0]["source"] == "media"
    assert not home.outbox.exists()
    assert not list(home.folder.glob(".offramp/lake/landings/*/*"))


def test_a_plan_for_today_says_when_it_is_due(offramp: Offramp, home: Home) -> None:
    found = offramp("plan", "media", "--date", str(TODAY), "--recipient", "fjord", "--json", home=home)

    [skipped] = [one for plan in found.json["plans"] for one in plan["skipped"]]
    assert skipped["reason"] == "not_due"
    assert skipped["due_at"].endswith("T00:20:00Z")


def test_a_plan_after_delivery_skips_what_was_delivered(offramp: Offramp, first_demo: tuple[Home, Done]) -> None:
    home, _ = first_demo

    found = offramp("plan", "media", "--date", str(last_full_day()), "--recipient", "north", home=home)

    assert found.code == 0
    assert "0 to deliver, 3 skipped" in found.out
    assert "already delivered" in found.out


def test_deliveries_are_listed_by_what_is_asked(offramp: Offramp, first_demo: tuple[Home, Done]) -> None:
    home, _ = first_demo
    day = str(last_full_day())

    found = offramp("deliveries", "--recipient", "fjord", "--from", day, "--to", day, "--json", home=home)
    none = offramp("deliveries", "--state", "failed", "--feed", "media", "--json", home=home)

    [record] = found.json["deliveries"]
    assert (record["export"], record["data_day"], record["state"]) == ("media/delta/users", day, "published")
    assert record["files"] == [name for name in record["files"] if name.startswith("users")]
    assert record["destinations"] == [
        {"name": "outbox", "state": "published", "verified_by": "read_back", "error": None}
    ]
    assert none.json == {"deliveries": []}


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["show", "media/delta/user"], "media/delta/users"),
        (["plan", "medio"], "media"),
        (["plan", "media", "--entity", "user"], "users"),
        (["plan", "media", "--recipient", "nort"], "north"),
        (["deliver", "media", "--recipient", "fjor"], "fjord"),
        (["deliveries", "--export", "media/delta/platform"], "media/delta/"),
        (["deliveries", "--recipient", "fiord"], "fjord"),
        (["redeliver", "north", "media/delta/userz", "2026-11-21"], "media/delta/users"),
        (["demo", "load", "--to", "medias"], "media"),
    ],
)
def test_a_wrong_name_gives_the_nearest_one(offramp: Offramp, home: Home, arguments: list[str], nearest: str) -> None:
    found = offramp(*arguments, home=home)

    assert found.code == 2
    assert found.out == ""
    assert f"did you mean '{nearest}" in found.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["deliver", "media", "--date", "21.11.2026"], "is not a day"),
        (["deliver", "media", "--date", "2026-11-21", "--from", "2026-11-20"], "--date is one day"),
        (["deliver", "media", "--to", "2026-11-21"], "--to needs --from"),
        (["plan", "media", "--from", "2026-11-21", "--to", "2026-11-20"], "ends before it starts"),
        (["plan", "media", "--date", "2001-01-01"], "before the first data day"),
        (["plan", "media", "--entity", "platforms", "--mode", "delta"], "none of these is delivered as delta"),
        (["plan", "media", "--mode", "weekly"], "weekly"),
        (["deliveries", "--state", "gone"], "gone"),
        (["redeliver", "north", "media/delta/users"], "give a delivery's id"),
        (["redeliver", "0123456789abcdef", "--correct"], "go together"),
        (["redeliver", "0123456789abcdef", "--reason", "because"], "go together"),
        (["redeliver", "0123456789abcdef", "--reland"], "goes with --correct"),
        (["redeliver", "0123456789abcdef"], "there is no delivery"),
        (["demo", "load", "--to", "media"], "is no database"),
        (["ui"], "there is no workspace.yaml"),
        (["nothing"], "nothing"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what(offramp: Offramp, home: Home, arguments: list[str], said: str) -> None:
    found = offramp(*arguments, home=home)

    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err


def test_a_day_that_is_not_over_is_refused_with_the_time_when_it_is_due(offramp: Offramp, home: Home) -> None:
    found = offramp("deliver", "media", "--date", str(TODAY), home=home)

    assert found.code == 1
    assert f"the data day {TODAY} is not over: it is due at {TODAY + timedelta(days=1)} 00:10 UTC" in found.err
    assert f"a data day up to {last_full_day()}" in found.err


def test_a_dry_run_prints_the_plan(offramp: Offramp, home: Home) -> None:
    found = offramp("deliver", "media", "--date", str(last_full_day()), "--dry-run", home=home)

    assert found.code == 0
    assert "4 to deliver" in found.out
    assert not home.outbox.exists()


def test_settings_that_are_not_there_are_said(offramp: Offramp, tmp_path: object) -> None:
    found = offramp("--config", f"{tmp_path}/none.yaml", "catalog")

    assert found.code == 2
    assert "the settings cannot be read" in found.err


def test_the_version_is_one_line(offramp: Offramp) -> None:
    found = offramp("--version")

    assert found.code == 0
    assert found.out.startswith("offramp ")
