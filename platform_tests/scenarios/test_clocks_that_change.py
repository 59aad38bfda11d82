"""Whole local days over a change of the clocks: windows touch, and no event is lost or sent twice."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.windows import DAY
from platform_tests.scenarios.scene import LAG, Scene, demo_of, demo_source, manifests, subscription

if TYPE_CHECKING:
    from pathlib import Path

EXPORT = "media/delta/assets_views"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def check_days(scene: Scene, demo: dict[str, Any], first: date, days: int, hours: int) -> None:
    for number in range(days):
        scene.deliver(first + number * DAY, [EXPORT])

    outbox = scene.outbox("local")
    found = list(manifests(outbox).values())
    windows = [(instant(one["window"]["start"]), instant(one["window"]["end"])) for one in found]
    assert len(windows) == days
    assert [end for _, end in windows[:-1]] == [start for start, _ in windows[1:]]
    lengths = [(end - start) / timedelta(hours=1) for start, end in windows]
    assert sorted(set(lengths)) == sorted({24, hours})
    assert lengths.count(hours) == 1
    got: list[str] = []
    for one in found:
        assert one["counts"]["catch_up"] == 0
        assert one["counts"]["adds_up"] is (None if one is found[0] else True)
        with (outbox / one["files"][0]["name"]).open(newline="", encoding="utf-8") as file:
            got += [row["id"] for row in csv.DictReader(file)]
    assert len(got) == len(set(got)), "an event went out twice"
    assert set(got) == expected(demo, windows)


def expected(demo: dict[str, Any], windows: list[tuple[datetime, datetime]]) -> set[str]:
    """What is known at the end and lies before it, without what the first delivery knew and its window left out."""
    (start, first_end), last_end = windows[0], windows[-1][1]
    source = demo_of(demo)
    with source.connect() as connection:

        def known(at: datetime, before: datetime) -> set[str]:
            query = source.select_as_of("assets_views", at + LAG)
            rows = connection.sql(
                f"select id::varchar from ({query}) "
                f"where tenant = 'aurora' and registered < timestamp '{before:%Y-%m-%d %H:%M:%S}'"
            )
            return {str(row[0]) for row in rows.fetchall()}

        return known(last_end, last_end) - known(first_end, start)


def scene_of(folder: Path, demo: dict[str, Any], zone: str, first: date) -> Scene:
    options = {"DATA_DELTA_MIDNIGHT_TO_MIDNIGHT": "1", "DATA_DELTA_TIME_ZONE": zone}
    return Scene(folder, demo, [subscription("local", initial="none", options=options)], first)


@pytest.mark.parametrize(
    ("zone", "first"), [("Europe/Oslo", date(2026, 10, 23)), ("America/St_Johns", date(2026, 10, 31))]
)
def test_no_event_is_lost_or_repeated_when_clocks_go_back(
    tmp_path: Path, demo: dict[str, Any], zone: str, first: date
) -> None:
    check_days(scene_of(tmp_path, demo, zone, first), demo, first, 4, 25)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("zone", "first"), [("Europe/Oslo", date(2026, 3, 27)), ("America/St_Johns", date(2026, 3, 7))]
)
def test_no_event_is_lost_or_repeated_when_clocks_go_forward(tmp_path: Path, zone: str, first: date) -> None:
    demo = demo_source(tmp_path / "demo", first - 3 * DAY)
    check_days(scene_of(tmp_path, demo, zone, first), demo, first, 4, 23)
