"""The decision table on legs of known modes."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from offramp.feeds.mobility.legs.describe import describe_legs
from platform_tests.mobility.legs.confusion import confusion, right_share, text
from platform_tests.mobility.legs.made_legs import BEGIN, events_frame, legs_frame, made_legs, stops_frame

OSLO, BERGEN = (59.91, 10.75), (60.39, 5.32)
GARDERMOEN, FLESLAND = (60.194, 11.10), (60.293, 5.218)


@pytest.mark.parametrize(("sdk", "least"), [(0.75, 0.95), (0.0, 0.93), (1.0, 0.95)])
def test_nine_of_ten_legs_get_their_true_mode_with_and_without_the_sdk(sdk: float, least: float) -> None:
    made = made_legs(30, seed=11, sdk=sdk)
    found = describe_legs(*made.frames()).get_column("mode").to_list()

    table = confusion(made.truth, found)
    print(text(table))  # noqa: T201 - shown when it fails, and with -s
    assert right_share(table) >= least
    assert all(row[true] / row.total() >= 0.8 for true, row in table.items())


def _leg(*points: tuple[float, tuple[float, float]]) -> dict[str, object]:
    rows = [
        {
            "tracked_at": BEGIN + timedelta(seconds=seconds),
            "latitude": place[0],
            "longitude": place[1],
            "speed": None,
            "accuracy": 10.0,
        }
        for seconds, place in points
    ]
    ids = {"app_id": "a" * 24, "user_id": "b" * 24, "event_id": "c" * 64}
    ends = {"started_at": rows[0]["tracked_at"], "ended_at": rows[-1]["tracked_at"]}
    return {**ids, **ends, "points": rows}


def _mode(leg: dict[str, object], *, said: str | None = None, stops: list[dict[str, object]] | None = None) -> str:
    at = leg["started_at"]
    assert isinstance(at, datetime)
    event = {"app_id": "a" * 24, "user_id": "b" * 24, "occurred_at": at, "kind": "activity"}
    events = [{**event, "activity": said, "confidence": 0.8}] if said else []
    found = describe_legs(legs_frame([leg]), events_frame(events), stops_frame(stops or []))
    return str(found.get_column("mode")[0])


def _line(a: tuple[float, float], b: tuple[float, float], seconds: int, step: int) -> dict[str, object]:
    return _leg(
        *(
            (s, (a[0] + (b[0] - a[0]) * s / seconds, a[1] + (b[1] - a[1]) * s / seconds))
            for s in range(0, seconds + 1, step)
        )
    )


def test_two_fixes_far_apart_after_silence_are_a_flight_where_one_could_have_flown() -> None:
    assert _mode(_leg((0, OSLO), (3600, BERGEN))) == "flight"


def test_two_fixes_far_apart_after_too_long_a_silence_are_insufficient_data() -> None:
    assert _mode(_leg((0, OSLO), (6 * 3600, BERGEN))) == "insufficient_data"


def test_what_lies_in_silence_is_what_the_sdk_says() -> None:
    assert _mode(_leg((0, OSLO), (1800, (59.95, 10.9))), said="automotive") == "car"


def test_a_track_at_the_height_of_an_airliner_is_a_flight() -> None:
    assert _mode(_line(OSLO, BERGEN, 1800, 30)) == "flight"


def test_a_slow_aeroplane_between_two_airports_is_a_flight() -> None:
    airports = [{"kind": "airport", "latitude": y, "longitude": x} for y, x in (GARDERMOEN, FLESLAND)]
    leg = _line(GARDERMOEN, FLESLAND, 5400, 60)
    assert _mode(leg, stops=airports) == "flight"
    assert _mode(leg) == "car"


def test_silence_from_airport_to_airport_is_a_flight_with_the_wait_for_it() -> None:
    airports = [{"kind": "airport", "latitude": y, "longitude": x} for y, x in (GARDERMOEN, FLESLAND)]
    leg = _leg((0, GARDERMOEN), (3.5 * 3600, FLESLAND))
    assert _mode(leg, stops=airports) == "flight"
    assert _mode(leg) == "insufficient_data"


def test_the_fastest_trains_are_no_flights() -> None:
    paris, lyon = (48.844, 2.373), (45.760, 4.860)
    stations = [{"kind": "train", "latitude": y, "longitude": x} for y, x in (paris, lyon)]
    assert _mode(_line(paris, lyon, 5220, 30), stops=stations) == "train"


def test_one_fix_or_none_is_insufficient_data() -> None:
    assert _mode(_leg((0, OSLO))) == "insufficient_data"
    assert _mode(_leg((0, OSLO)) | {"points": []}) == "insufficient_data"


def test_standing_still_is_no_way_of_moving() -> None:
    assert _mode(_leg((0, OSLO), (60, OSLO), (120, OSLO))) == "insufficient_data"


def test_only_what_the_sdk_said_within_the_leg_counts() -> None:
    leg = _line((59.90, 10.7), (59.92, 10.7), 600, 10)  # 2.2 km in 10 minutes
    event = {"app_id": "a" * 24, "user_id": "b" * 24, "kind": "activity", "activity": "cycling", "confidence": 1.0}
    for seconds, mode in ((-1, "running"), (0, "biking"), (600, "biking"), (601, "running")):
        events = events_frame([{**event, "occurred_at": BEGIN + timedelta(seconds=seconds)}])
        found = describe_legs(legs_frame([leg]), events, stops_frame([]))
        assert found.get_column("mode").to_list() == [mode]


def test_the_order_of_legs_and_of_events_changes_nothing() -> None:
    made = made_legs(2, seed=3)
    legs, events, stops = made.frames()
    once = describe_legs(legs, events, stops)
    again = describe_legs(legs.reverse(), events.sample(fraction=1, shuffle=True, seed=5), stops.reverse())
    assert again.reverse().equals(once)


def test_no_legs_give_no_rows_of_the_same_columns() -> None:
    legs, events, stops = (frame.clear() for frame in made_legs(1, seed=1).frames())
    found = describe_legs(legs, events, stops)
    assert found.is_empty()
    assert found.schema["waypoints"] == pl.List(
        pl.Struct({"tracked_at": pl.Datetime("us"), "latitude": pl.Float64, "longitude": pl.Float64})
    )
