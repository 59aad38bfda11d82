"""Zones of coordinates, and local times as texts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import tzfpy
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.feeds.mobility.local_time import NOWHERE, with_local_time, zones_of

ZONES = sorted(tzfpy.timezonenames())


def _texts(instants: list[datetime | None], zones: list[str | None], *, has_milliseconds: bool = False) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"at": instants, "zone": zones, "row": range(len(instants))},
        schema={"at": pl.Datetime("us"), "zone": pl.String, "row": pl.Int64},
    )
    return with_local_time(
        frame, "at", "zone", local="local", offset="offset", text="text", has_milliseconds=has_milliseconds
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_zones_are_those_of_the_places() -> None:
    found = zones_of(pl.Series([59.91, 51.5, 40.7, -33.9]), pl.Series([10.75, -0.12, -74.0, 151.2]))
    assert found.to_list() == ["Europe/Oslo", "Europe/London", "America/New_York", "Australia/Sydney"]


def test_the_sea_and_the_poles_have_a_zone_and_what_is_no_place_has_greenwich() -> None:
    latitude = pl.Series([0.0, 90.0, -90.0, None, float("nan"), 91.0, 0.0])
    longitude = pl.Series([-30.0, 0.0, 180.0, 0.0, 0.0, 0.0, 180.1])
    found = zones_of(latitude, longitude).to_list()
    assert found == ["Etc/GMT+2", "Etc/GMT", "Antarctica/McMurdo", NOWHERE, NOWHERE, NOWHERE, NOWHERE]


def test_texts_are_those_of_the_public_samples() -> None:
    found = _texts([_at("2018-09-29T18:00:23"), _at("2018-10-02T11:45:00")], ["Europe/London", "Africa/Abidjan"])
    assert found.get_column("text").to_list() == ["2018-09-29T19:00:23+01:00", "2018-10-02T11:45:00Z"]


def test_driving_texts_have_milliseconds() -> None:
    found = _texts([_at("2022-06-28T06:15:30.123999")], ["Europe/Paris"], has_milliseconds=True)
    assert found.get_column("text").to_list() == ["2022-06-28T08:15:30.123+02:00"]


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    found = _texts([_at("2024-10-27T00:30:00"), _at("2024-10-27T01:30:00")], ["Europe/Brussels"] * 2)
    assert found.get_column("local").n_unique() == 1
    assert found.get_column("text").to_list() == ["2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00"]


def test_without_an_instant_or_a_zone_there_is_no_local_time() -> None:
    found = _texts([None, _at("2024-01-01T00:00:00")], ["Europe/Oslo", None])
    assert found.select("local", "offset", "text").null_count().row(0) == (2, 2, 2)


def test_a_frame_without_rows_keeps_its_columns() -> None:
    assert _texts([], []).columns == ["at", "zone", "row", "local", "offset", "text"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.datetimes(datetime(1980, 1, 1), datetime(2037, 1, 1)), st.sampled_from(ZONES)),  # noqa: DTZ001
        max_size=8,
    )
)
def test_local_times_are_those_of_pythons_zones_in_the_same_order(rows: list[tuple[datetime, str]]) -> None:
    found = _texts([at for at, _ in rows], [zone for _, zone in rows])
    assert found.get_column("row").to_list() == list(range(len(rows)))
    for (at, zone), (local, offset, text) in zip(rows, found.select("local", "offset", "text").rows(), strict=True):
        wall = at.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(zone))  # noqa: UP017
        assert offset == (wall.utcoffset() or timedelta()).total_seconds() // 60 * 60
        assert local == at + timedelta(seconds=offset)
        assert datetime.fromisoformat(text).replace(tzinfo=None) == local.replace(microsecond=0)
