"""Names, windows, formats and options of the mobility feed (mobility_offloads.md sections 2 and 8)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from offramp.domain.deliveries import Delivery, Kind
from offramp.domain.exports import FormatName, Mode
from offramp.domain.subscriptions import Subscription
from offramp.domain.windows import Window
from offramp.feeds.mobility.feed import MobilityFeed
from offramp.feeds.registry import exports_of
from platform_tests.mobility.model_house import APP, project

if TYPE_CHECKING:
    from offramp.domain.exports import Export

FEED = MobilityFeed()
TICK = datetime(2018, 12, 8, 3, 0, tzinfo=UTC)
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
LIFESTYLE = ("attributes_long", "attributes_wide", "moments", "segments", "stationaries", "transports")
DRIVING = ("driving_events_realtime", "mapped_waypoints_realtime", "scores_realtime", "transports_realtime")


def exports() -> dict[str, Export]:
    found = exports_of(loaded.model for loaded in project().models.values())
    return {name: export for name, export in found.items() if export.feed == "mobility"}


def subscription(**options: str) -> Subscription:
    return Subscription("m", "meridian", "mobility", (APP,), date(2018, 1, 1), ("outbox",), options=options)


def delivery(name: str, **options: str) -> Delivery:
    export = exports()[name]
    mine = subscription(**options)
    window = FEED.window(mine, export, TICK)
    return Delivery(mine, export, date(2018, 12, 7), TICK, window.end, window, None, Kind.REGULAR)


def test_the_feed_has_six_lifestyle_four_driving_exports_and_user_linking() -> None:
    assert sorted(exports()) == sorted(
        [f"mobility/offload/{name}" for name in LIFESTYLE]
        + [f"mobility/delta/{name}" for name in DRIVING]
        + ["mobility/snapshot/user_linking"]
    )


def test_all_six_lifestyle_files_of_a_tick_stand_in_one_run_folder() -> None:
    folders = {FEED.rows_name(delivery(f"mobility/offload/{name}"), 1, 1).split("/")[0] for name in LIFESTYLE}

    assert folders == {"2018_12_08_03_00_00_000"}


def test_parts_have_the_names_of_the_samples_and_the_marker_stands_beside_them() -> None:
    one = delivery("mobility/offload/attributes_wide")
    other = delivery("mobility/delta/driving_events_realtime")

    name = FEED.rows_name(one, 2, 3)

    folder = rf"2018_12_08_03_00_00_000/{APP}/attributes\.wide\.{APP}\.csv"
    assert re.fullmatch(rf"{folder}/part-00001-{UUID}-c000\.csv\.gz", name)
    assert FEED.rows_name(one, 2, 3) == name
    assert re.fullmatch(rf"{folder}/_SUCCESS", FEED.marker_name(one) or "")
    assert FEED.rows_name(other, 1, 1) == (
        f"2018_12_08_03_00_00_000/{APP}/driving_events_realtime.{APP}.json/part-00000.json.gz"
    )


def test_the_two_public_styles_of_run_folders_are_settings() -> None:
    old = FEED.rows_name(delivery("mobility/offload/moments", OFFLOAD_RUN_FOLDER="MM_dd_yyyy_HH_mm_ss_SSS"), 1, 1)
    day = [
        FEED.rows_name(delivery(f"mobility/delta/{name}", OFFLOAD_RUN_FOLDER="yyyy_MM_dd_UUID"), 1, 1).split("/")[0]
        for name in DRIVING
    ]

    assert old.startswith("12_08_2018_03_00_00_000/")
    assert len(set(day)) == 1
    assert day[0].startswith("2018_12_08_")


def test_driving_may_carry_the_data_day_and_lifestyle_never_does() -> None:
    driving = FEED.rows_name(delivery("mobility/delta/scores_realtime", OFFLOAD_DRIVING_DATE="data_day"), 1, 1)
    lifestyle = FEED.rows_name(delivery("mobility/offload/moments", OFFLOAD_DRIVING_DATE="data_day"), 1, 1)

    assert driving.startswith("2018_12_07_")
    assert lifestyle.startswith("2018_12_08_")


def test_windows_are_nine_weeks_and_the_day_before() -> None:
    end = datetime(2018, 12, 8, tzinfo=UTC)

    assert delivery("mobility/offload/moments").window == Window(datetime(2018, 10, 6, tzinfo=UTC), end)
    assert delivery("mobility/offload/moments", OFFLOAD_WINDOW_WEEKS="2").window == Window(
        end - timedelta(weeks=2), end
    )
    assert delivery("mobility/delta/transports_realtime").window == Window(datetime(2018, 12, 7, tzinfo=UTC), end)


@pytest.mark.parametrize(("wish", "csv"), [("as_sampled", 2), ("csv", 4), ("json", 0)])
def test_driving_files_are_csv_or_json_by_setting(wish: str, csv: int) -> None:
    mine = subscription(OFFLOAD_DRIVING_FORMAT=wish)
    formats = [FEED.format(mine, exports()[f"mobility/delta/{name}"])[0] for name in DRIVING]

    assert formats.count(FormatName.CSV) == csv
    assert FEED.format(mine, exports()["mobility/offload/moments"])[0] is FormatName.CSV


def test_users_decide_how_many_parts_there_are_and_user_linking_has_one() -> None:
    moments = delivery("mobility/offload/moments", OFFLOAD_USERS_PER_PART="5")

    assert [FEED.part_count(moments, 10**6, users) for users in (0, 1, 5, 6, 11)] == [1, 1, 1, 2, 3]
    assert FEED.part_count(delivery("mobility/snapshot/user_linking"), 10**6, 10**6) == 1


def test_user_linking_is_off_until_it_is_switched_on() -> None:
    linking = exports()["mobility/snapshot/user_linking"]

    assert FEED.cron(subscription(), linking) is None
    assert FEED.off_reason(subscription(), linking) == "CRON_SCHEDULE_USER_LINKING is empty"
    assert FEED.cron(subscription(CRON_SCHEDULE_USER_LINKING="15 1 * * *"), linking) == "15 1 * * *"


@pytest.mark.parametrize("tenants", [(), ("aurora",), (APP, APP[::-1]), (APP.upper(),)])
def test_a_subscription_has_one_app_id(tenants: tuple[str, ...]) -> None:
    assert "one tenant, an app id" in (FEED.check_tenants(tenants) or "")
    assert FEED.check_tenants((APP,)) is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OFFLOAD_WINDOW_WEEKS", "10", "expected whole weeks from 1 to 9, found '10'"),
        ("OFFLOAD_DRIVING_FORMAT", "xml", "expected as_sampled or csv or json, found 'xml'"),
        ("OFFLOAD_WINDOW_WEEK", "1", "did you mean 'OFFLOAD_WINDOW_WEEKS'"),
        ("CRON_SCHEDULE_DRIVING", "* * * * *", "more than once a day"),
    ],
)
def test_a_wrong_option_is_told_with_what_is_right(name: str, value: str, said: str) -> None:
    assert said in (FEED.check_option(name, value) or "")


def test_a_schedule_before_the_safety_lag_is_told() -> None:
    (fault,) = FEED.check_options({"CRON_SCHEDULE_DRIVING": "3 0 * * *"}, exports().values())

    assert fault.startswith("CRON_SCHEDULE_DRIVING fires at 00:03 UTC, but its window ends at midnight")


def test_manifests_tell_revisions_apart_and_files_do_not() -> None:
    one = delivery("mobility/offload/moments")

    assert FEED.manifest_name(one) == "_manifests/offload/moments/2018_12_08.r1.json"
    assert FEED.manifest_name(replace(one, revision=2)) == "_manifests/offload/moments/2018_12_08.r2.json"
    assert FEED.rows_name(replace(one, revision=2), 1, 1) == FEED.rows_name(one, 1, 1)


def test_each_export_has_the_mode_of_its_kind() -> None:
    modes = {name: export.mode for name, export in exports().items()}

    assert {modes[f"mobility/offload/{name}"] for name in LIFESTYLE} == {Mode.OFFLOAD}
    assert {modes[f"mobility/delta/{name}"] for name in DRIVING} == {Mode.DELTA}
