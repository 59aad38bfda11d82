"""A new version of the timeline begins anew: what is made of it follows, and no drive goes out again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from offramp.feeds.mobility.timeline.layer import TimelineLayer
from platform_tests.scenarios.mobility_history import ANN, PhonesHistory
from platform_tests.scenarios.mobility_house import LAYERS, MobilityHouse, days, phones

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO, THREE = days(3)


class NextTimeline(TimelineLayer):
    """The same rule under another version."""

    @property
    def version(self) -> str:
        return "next"


def house_of(folder: Path) -> MobilityHouse:
    history = PhonesHistory()
    for day in (ONE, TWO, THREE):
        history.life(ANN, day)
    return MobilityHouse(folder, phones(folder / "phones"), history=history)


def upgrade(house: MobilityHouse) -> None:
    layers = {**house.rooms.layers[LAYERS], "timeline": NextTimeline()}
    house.rooms = replace(house.rooms, layers={LAYERS: layers})


def test_layers_that_come_after_it_are_built_anew(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.build(ONE)
    before = house.record("driving", ONE)
    upgrade(house)
    house.build(ONE)

    after = house.record("driving", ONE)
    assert before is not None
    assert after is not None
    assert after.key != before.key
    assert house.steps.count("layer.begin") == 4


def test_no_drive_that_was_delivered_before_goes_out_again(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    for day in (ONE, TWO):
        house.build(day)
        house.deliver(day)
    upgrade(house)
    house.build(THREE)
    house.deliver(THREE)

    sent = [one for day in (ONE, TWO, THREE) for one in house.ids(day)]
    assert len(sent) == len(set(sent)) == 6
    assert len(house.ids(THREE)) == 2


def test_no_drive_is_counted_twice(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    house.build(ONE, TWO)
    upgrade(house)
    house.build(THREE)

    assert house.layer("drives", THREE)["event_id"].is_unique().all()
