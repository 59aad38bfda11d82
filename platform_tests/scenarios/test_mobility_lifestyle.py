"""Lifestyle offloads: the newest of nine weeks, of users who were active within seven days, in parts."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.domain.windows import midnight
from offramp.pipeline.plan import PlanOptions
from platform_tests.scenarios.mobility_history import ANN, BOB, PhonesHistory, at, stay
from platform_tests.scenarios.mobility_house import (
    BEGINS,
    LIFESTYLE,
    NORTH,
    SOUTH,
    MobilityHouse,
    days,
    phones,
    subscription,
)
from platform_tests.scenarios.scene import contents

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

DAY = BEGINS + timedelta(days=6)
APPS = {"north": NORTH, "south": SOUTH}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> MobilityHouse:
    """The seventh day delivered to two app ids, three users to a part."""
    folder = tmp_path_factory.mktemp("lifestyle")
    three = {"OFFLOAD_USERS_PER_PART": "3"}
    taken = [subscription("north", options=three), subscription("south", SOUTH, options=three)]
    house = MobilityHouse(folder, phones(folder / "phones"), taken)
    house.deliver(DAY, LIFESTYLE)
    return house


def parts(folder: Path) -> list[list[str]]:
    return [gzip.decompress(path.read_bytes()).decode().splitlines() for path in sorted(folder.glob("part-*"))]


def test_all_six_files_of_a_run_lie_in_one_folder_that_tells_its_instant(house: MobilityHouse) -> None:
    for name, app in APPS.items():
        runs = list(house.outbox(name).glob("2*"))
        assert [run.name for run in runs] == ["2026_10_12_03_00_00_000"]
        (only,) = runs
        assert [path.name for path in only.iterdir()] == [app]
        assert sorted(path.name for path in (only / app).iterdir()) == [
            f"{entity}.{app}.csv"
            for entity in (
                "attributes.long",
                "attributes.wide",
                "moments",
                "segments",
                "stationaries",
                "transports",
            )
        ]


@pytest.mark.parametrize("entity", LIFESTYLE)
def test_a_user_is_in_one_part_and_every_part_has_the_header(house: MobilityHouse, entity: str) -> None:
    for name in APPS:
        found = parts(house.file_folder(entity, DAY, name))
        in_order = [[line.split(",", 1)[0] for line in part[1:]] for part in found]
        users = [set(part) for part in in_order]
        everybody = sorted(one for part in users for one in part)
        assert len(everybody) == len(set(everybody)) >= 7, "nobody is in two parts"
        assert len(found) == -(-len(everybody) // 3)
        assert len({part[0] for part in found}) == 1
        assert found[0][0].startswith("user_id,metadata_user_id,")
        assert in_order == [sorted(part) for part in in_order]


def test_long_attributes_are_the_wide_ones(house: MobilityHouse) -> None:
    for name in APPS:
        wide = house.rows("attributes_wide", DAY, name)
        long = house.rows("attributes_long", DAY, name)
        attributes = wide.columns[2:]
        assert len(attributes) == 525
        assert attributes == sorted(attributes, key=lambda one: one.removesuffix(".value"))
        turned = wide.unpivot(attributes, index=["user_id", "metadata_user_id"], variable_name="attribute_name")
        key = ["user_id", "attribute_name"]
        assert long.sort(key).equals(turned.rename({"value": "attribute_value"}).sort(key).select(long.columns))
        assert long.filter(pl.col("attribute_value").is_not_null()).height > 50 * wide.height


def test_the_six_files_hold_the_same_users(house: MobilityHouse) -> None:
    for name, app in APPS.items():
        everybody = set(house.rows("attributes_wide", DAY, name)["user_id"])
        for entity in LIFESTYLE:
            assert set(house.rows(entity, DAY, name)["user_id"]) <= everybody
        mine = house.newest("stays", DAY).filter(pl.col("app_id") == app)
        assert set(house.rows("stationaries", DAY, name)["user_id"]) <= set(mine["user_id"])


def test_no_row_of_one_app_id_is_in_the_files_of_the_other(house: MobilityHouse) -> None:
    owners = house.newest("stays", DAY).select("user_id", "app_id").unique()
    users = {name: set(owners.filter(pl.col("app_id") == app)["user_id"]) for name, app in APPS.items()}
    assert not users["north"] & users["south"]
    for name, other in (("north", "south"), ("south", "north")):
        for entity in LIFESTYLE:
            found = set(house.rows(entity, DAY, name)["user_id"])
            assert found
            assert not found & users[other]


def test_an_interrupted_run_leaves_no_marker_and_the_next_one_ends_it(house: MobilityHouse) -> None:
    """Interrupted where nothing is missing but the marker."""
    day = DAY + timedelta(days=1)

    def interrupt(step: str) -> None:
        if step == "publish.marker":
            raise KeyboardInterrupt

    house.at_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        house.deliver(day, ["stationaries"], PlanOptions(recipients=("north",)))
    folder = house.file_folder("stationaries", day)
    before = contents(folder)
    house.at_step = None
    house.rooms = house.open()
    # The interrupted run's process lives on in this test, so its claim has to run out.
    house.now += timedelta(hours=1)
    house.deliver(day, ["stationaries"], PlanOptions(recipients=("north",)))

    assert before
    assert "_SUCCESS" not in before
    assert contents(folder) == before | {"_SUCCESS": b""}


@pytest.fixture(scope="module")
def absence(tmp_path_factory: pytest.TempPathFactory) -> MobilityHouse:
    """Bob sends nothing from the fourth day on, and again on the twelfth; Ann sends all the time."""
    history = PhonesHistory()
    for number, day in enumerate(days(12)):
        history.life(ANN, day)
        if number < 3 or number == 11:
            history.life(BOB, day)
    folder = tmp_path_factory.mktemp("absence")
    house = MobilityHouse(folder, phones(folder / "phones"), history=history)
    # The first build takes all that arrived before it.
    for day in days(12)[8:]:
        house.build(day)
    return house


def test_who_sent_nothing_for_a_week_vanishes_from_all_six_files_and_comes_back_with_everything(
    absence: MobilityHouse,
) -> None:
    last, gone, back = days(12)[8], days(12)[9], days(12)[11]
    absence.deliver(last, ["moments", "stationaries", "transports"])
    absence.deliver(gone, LIFESTYLE)
    absence.deliver(back, LIFESTYLE)

    def told(entity: str, day: date) -> pl.DataFrame:
        return absence.rows(entity, day).filter(pl.col("user_id") == BOB)

    for entity in LIFESTYLE:
        assert not told(entity, gone).height
        assert absence.rows(entity, gone).height
        assert told(entity, back).height or entity == "segments"
    for entity in ("moments", "stationaries", "transports"):
        # Of the silence itself less is known afterwards: his stay then ended with his last fix.
        is_closed = pl.col("end").is_not_null()
        before = is_closed & (pl.col("start") < f"{days(12)[0]}T18")
        closed = [told(entity, last).filter(before), told(entity, back).filter(is_closed)]
        assert set(closed[0]["start"])
        assert set(closed[0]["start"]) < set(closed[1]["start"]), "what he did before he went silent is there again"


def test_the_window_is_as_many_weeks_as_the_option_says(tmp_path: Path) -> None:
    """A stay belongs to the day of its end; a build that comes first takes nine weeks of stays at once."""
    history = PhonesHistory()
    stays = days(70)
    for number, day in enumerate(stays):
        history.fixes(ANN, day, stay(600, 660, number % 2 * 5), received=at(day, 700))
    history.payload(ANN, at(stays[-1], 700))
    weeks = {f"weeks-{count}": count for count in (1, 3, 9)}
    taken = [subscription(name, options={"OFFLOAD_WINDOW_WEEKS": str(count)}) for name, count in weeks.items()]
    house = MobilityHouse(tmp_path, phones(tmp_path / "phones"), taken, history=history)

    house.deliver(stays[-1], ["stationaries"])

    for name, count in weeks.items():
        rows = house.rows("stationaries", stays[-1], name)
        ends = rows.filter(pl.col("duration") != "-1")["end"].str.to_datetime("%+").sort().to_list()
        until = midnight(stays[-1] + timedelta(days=1))
        assert ends[0].date() == (until - timedelta(weeks=count)).date(), "the first day of the window"
        assert ends[-1] < until
        assert rows.height == 7 * count
