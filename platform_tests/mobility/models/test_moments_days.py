from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from platform_tests.mobility.model_house import run_model
from platform_tests.mobility.models.lives import (
    BAR,
    HOME,
    NEW_YORK,
    RESTAURANT,
    TOKYO,
    WORK,
    Life,
    tables,
    weekdays,
)
from platform_tests.mobility.models.moment_checks import DAY, SEMANTIC, of, run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_whole_day_has_86399_seconds(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-18 20:00", "2018-10-21 09:00")

    rows = run(life, tmp_path=tmp_path)

    assert of(rows, "weekday", "weekend") == [
        ("weekday", "2018-10-18T00:00:00+02:00", "2018-10-18T23:59:59+02:00", 86399),
        ("weekday", "2018-10-19T00:00:00+02:00", "2018-10-19T23:59:59+02:00", 86399),
        ("weekend", "2018-10-20T00:00:00+02:00", "2018-10-20T23:59:59+02:00", 86399),
        ("weekend", "2018-10-21T00:00:00+02:00", "2018-10-21T23:59:59+02:00", 86399),
    ]
    assert of(rows, "country") == [
        ("country", "2018-10-18T20:00:00+02:00", "2018-10-18T23:59:59+02:00", 14399),
        ("country", "2018-10-19T00:00:00+02:00", "2018-10-19T23:59:59+02:00", 86399),
        ("country", "2018-10-20T00:00:00+02:00", "2018-10-20T23:59:59+02:00", 86399),
        ("country", "2018-10-21T00:00:00+02:00", "2018-10-21T09:00:00+02:00", 32400),
    ]


def test_days_on_which_clocks_change_are_as_long_as_they_were(tmp_path: Path) -> None:
    autumn = Life().at(HOME, "2018-10-27 20:00", "2018-10-29 09:00")
    spring = Life().at(HOME, "2019-03-30 20:00", "2019-04-01 09:00")

    (longer,) = of(run(autumn, tmp_path=tmp_path, day=date(2018, 10, 30)), "weekend")[1:]
    (shorter,) = of(run(spring, tmp_path=tmp_path, day=date(2019, 4, 2)), "weekend")[1:]

    assert longer == ("weekend", "2018-10-28T00:00:00+02:00", "2018-10-28T23:59:59+01:00", 89999)
    assert shorter == ("weekend", "2019-03-31T00:00:00+01:00", "2019-03-31T23:59:59+02:00", 82799)


def test_parts_of_a_day_follow_each_other_without_gap_or_overlap(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-18 20:00", "2018-10-23 09:00")

    rows = run(life, tmp_path=tmp_path).filter(pl.col("moment_definition_id").is_in(SEMANTIC[2:]))

    gaps = rows.select(pl.col("started_at").shift(-1) - pl.col("until_at")).to_series().drop_nulls()
    assert gaps.unique().to_list() == [timedelta(seconds=1)]
    whole = of(rows.filter(pl.col("start").str.starts_with("2018-10-19")), *SEMANTIC)
    assert [(one[0], str(one[1])[11:16]) for one in whole] == [
        ("morning", "06:00"),
        ("late_morning", "10:00"),
        ("lunch", "12:00"),
        ("afternoon", "14:00"),
        ("evening", "19:00"),
        ("night", "23:00"),
    ]


def test_parts_start_when_the_user_s_do_once_ten_days_tell(tmp_path: Path) -> None:
    def life(count: int) -> Life:
        made = Life()
        asleep = "2018-09-30 23:20"
        for day in weekdays(date(2018, 10, 1), DAY)[:count]:
            made.at(HOME, asleep, f"{day} 06:50").go("car", f"{day} 06:50", f"{day} 07:10")
            made.at(WORK, f"{day} 07:10", f"{day} 15:40").go("car", f"{day} 15:40", f"{day} 16:00")
            made.at(HOME, f"{day} 16:00", f"{day} 20:00").at(BAR, f"{day} 20:30", f"{day} 23:00")
            asleep = f"{day} 23:20"
        made.at(HOME, asleep, None)
        return made

    names = ("morning", "late_morning", "lunch", "afternoon", "early_evening", "evening", "night")

    def starts(count: int) -> list[float]:
        rows = run_model("mobility.moment_times", tables(life(count), day=DAY), tmp_path).filter(is_weekend=False)
        return [rows[f"{name}_minutes"].item() / 60 for name in names]

    assert starts(9) == [6.0, 10.0, 12.0, 14.0, 17.0, 19.0, 23.0]
    assert starts(10) == [6.0, 10.0, 12.0, 14.0, 15.75, 17.75, 24.0]


def test_a_traveller_has_each_day_where_it_was(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-15 20:00", "2018-10-16 09:00")
    life.go("flight", "2018-10-16 10:00", "2018-10-16 12:00", end_zone="America/New_York")
    life.at(NEW_YORK, "2018-10-16 12:00", "2018-10-18 09:00")

    rows = run(life, tmp_path=tmp_path)

    assert of(rows, "weekday")[1:3] == [
        ("weekday", "2018-10-16T00:00:00-04:00", "2018-10-16T23:59:59-04:00", 86399),
        ("weekday", "2018-10-17T00:00:00-04:00", "2018-10-17T23:59:59-04:00", 86399),
    ]
    assert of(rows, "evening")[1] == ("evening", "2018-10-16T19:00:00-04:00", "2018-10-16T22:59:59-04:00", 14399)
    named = rows.filter(moment_definition_id="country").select("start", "meta").rows()
    assert [(start, json.loads(meta)["name"]) for start, meta in named[:3]] == [
        ("2018-10-15T20:00:00+02:00", "Norge"),
        ("2018-10-16T00:00:00+02:00", "Norge"),
        ("2018-10-16T12:00:00-04:00", "United States"),
    ]


def test_a_flight_back_over_the_date_line_gives_no_day_twice(tmp_path: Path) -> None:
    life = Life().at(TOKYO, "2018-10-15 20:00", "2018-10-16 17:00")
    life.go("flight", "2018-10-16 18:00", "2018-10-16 17:00", zone="Asia/Tokyo", end_zone="America/New_York")
    life.at(NEW_YORK, "2018-10-16 18:00", "2018-10-18 09:00")

    rows = run(life, tmp_path=tmp_path)

    assert [one[1] for one in of(rows, "weekday")] == [
        "2018-10-15T00:00:00+09:00",
        "2018-10-16T00:00:00+09:00",
        "2018-10-17T00:00:00-04:00",
        "2018-10-18T00:00:00-04:00",
    ]
    assert rows.filter(pl.struct("start", "moment_definition_id").is_duplicated()).is_empty()
    assert (rows["duration"] > 0).all()


def test_meta_names_cities_and_countries_and_is_empty_elsewhere(tmp_path: Path) -> None:
    spot = replace(RESTAURANT, city='Culver "C" City')
    life = Life().at(spot, "2018-10-19 19:00", "2018-10-19 20:00").at(HOME, "2018-10-19 21:00", "2018-10-20 09:00")

    rows = run(life, tmp_path=tmp_path)

    cities = rows.filter(moment_definition_id="city").sort("started_at")["meta"].to_list()
    assert cities == ['{"name": "Culver \\"C\\" City"}', '{"name": "Oslo"}', '{"name": "Oslo"}']
    rest = rows.filter(~pl.col("moment_definition_id").is_in(["city", "country"]))
    assert rest["meta"].null_count() == rest.height
    assert "dinner_out" in rest["moment_definition_id"]


def test_what_goes_on_at_the_end_of_the_data_day_has_no_end(tmp_path: Path) -> None:
    life = Life().at(TOKYO, "2018-10-25 20:00", None)

    rows = run(life, tmp_path=tmp_path)

    # The data day ends at 09:00 in Tokyo.
    assert rows.filter(pl.col("end").is_null()).select("moment_definition_id", "start", "duration").rows() == [
        ("city", "2018-10-27T00:00:00+09:00", -1),
        ("country", "2018-10-27T00:00:00+09:00", -1),
        ("weekend", "2018-10-27T00:00:00+09:00", -1),
        ("morning", "2018-10-27T08:00:00+09:00", -1),
    ]


def test_a_minute_far_away_moves_no_day(tmp_path: Path) -> None:
    nowhere = replace(RESTAURANT, place_id=90, latitude=0.0, longitude=0.0, timezone="Etc/GMT+8", venue_types=())
    life = Life().at(HOME, "2018-10-16 08:00", "2018-10-18 00:30").at(nowhere, "2018-10-17 14:31", "2018-10-17 14:32")
    life.go("flight", "2018-10-17 14:32", "2018-10-17 14:33", zone="Etc/GMT+8", end_zone="Europe/Oslo")
    life.at(HOME, "2018-10-18 00:34", "2018-10-20 12:00")
    life.at(nowhere, "2018-10-20 03:01", "2018-10-20 03:02").at(HOME, "2018-10-20 12:03", "2018-10-22 09:00")

    rows = run(life, tmp_path=tmp_path)

    whole = rows.filter(pl.col("moment_definition_id").is_in(["weekday", "weekend"]))
    assert set(whole["duration"]) == {86399}
    assert whole["start"].str.ends_with("T00:00:00+02:00").all()
    parts = rows.filter(pl.col("moment_definition_id").is_in(SEMANTIC[2:]))
    gaps = parts.sort("started_at").select(pl.col("started_at").shift(-1) - pl.col("until_at")).to_series().drop_nulls()
    assert gaps.unique().to_list() == [timedelta(seconds=1)]


def test_durations_are_what_lies_between_the_texts(tmp_path: Path) -> None:
    life = Life().at(HOME, "2018-10-18 20:00:00.900000", "2018-10-19 09:00:02.100000")
    life.at(RESTAURANT, "2018-10-19 19:00:00.999999", "2018-10-19 20:00:01.000001")

    rows = run(life, tmp_path=tmp_path)

    texts = [pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%z") for name in ("start", "end")]
    told = rows.select((texts[1] - texts[0]).dt.total_seconds()).to_series()
    assert rows["duration"].to_list() == told.to_list()
    assert of(rows, "dinner_out") == [("dinner_out", "2018-10-19T19:00:00+02:00", "2018-10-19T20:00:01+02:00", 3601)]
