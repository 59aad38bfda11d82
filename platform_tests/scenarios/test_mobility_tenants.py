"""Whose rows a mobility subscription receives: one app id each, and none by mistake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from offramp.domain.errors import LandingUnavailable, SettingsError
from platform_tests.scenarios.mobility_house import BEGINS, DRIVING, NORTH, SOUTH, MobilityHouse, phones, subscription

if TYPE_CHECKING:
    from pathlib import Path

LINKED = {"CRON_SCHEDULE_USER_LINKING": "15 1 * * *"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> MobilityHouse:
    """The first day, driving and user linking, delivered to two app ids of one recipient each in a folder."""
    folder = tmp_path_factory.mktemp("tenants")
    taken = [
        subscription("north", options=LINKED),
        subscription("south", SOUTH, options=LINKED),
        subscription("unlinked"),
    ]
    house = MobilityHouse(folder, phones(folder / "phones"), taken)
    house.deliver(BEGINS, [*DRIVING, "user_linking"])
    return house


def test_no_row_of_one_app_id_is_in_the_folder_of_another(house: MobilityHouse) -> None:
    drives = house.layer("drives", BEGINS)
    for name, app in (("north", NORTH), ("south", SOUTH)):
        for path in house.outbox(name).glob("2*/*"):
            assert path.name == app
        mine = set(drives.filter(pl.col("app_id") == app)["user_id"])
        others = set(drives.filter(pl.col("app_id") != app)["user_id"])
        assert mine
        assert others
        for entity in DRIVING:
            found = set(house.rows(entity, BEGINS, name)["user_id"])
            assert found
            assert found <= mine - others


def test_user_linking_is_off_unless_the_option_turns_it_on(house: MobilityHouse) -> None:
    files = {name: list(house.outbox(name).glob("**/user_linking.*")) for name in ("north", "south", "unlinked")}

    assert [len(files[name]) for name in ("north", "south", "unlinked")] == [1, 1, 0]
    for name, app in (("north", NORTH), ("south", SOUTH)):
        rows = house.rows("user_linking", BEGINS, name)
        assert rows.columns == ["user_id", "external_id"]
        assert rows["user_id"].is_unique().all()
        assert rows.height
        assert files[name][0].name == f"user_linking.{app}.csv"
        assert len(list(files[name][0].glob("part-*"))) == 1
    assert not set(house.rows("user_linking", BEGINS)["user_id"]) & set(
        house.rows("user_linking", BEGINS, "south")["user_id"]
    )


def test_one_recipient_with_two_app_ids_has_a_folder_for_each(tmp_path: Path) -> None:
    taken = [subscription("north"), subscription("south", SOUTH)]
    house = MobilityHouse(tmp_path, phones(tmp_path / "phones"), taken)
    text = (tmp_path / "offramp.yaml").read_text()
    (tmp_path / "offramp.yaml").write_text(text.replace("  south:\n    subscriptions:\n", ""))
    house.rooms = house.open()

    house.deliver(BEGINS, ["transports_realtime", "stationaries"])

    assert {one.recipient for one in house.rooms.subscriptions} == {"north"}
    for name, app in (("north", NORTH), ("south", SOUTH)):
        runs = list(house.outbox(name).glob("2*"))
        assert len(runs) == 2
        assert {path.name for run in runs for path in run.iterdir()} == {app}
        assert len(list(house.outbox(name).glob(f"*/{app}/*.{app}.csv/_SUCCESS"))) == 2


def test_an_app_id_that_sent_nothing_is_refused_by_its_name(tmp_path: Path) -> None:
    unknown = "5a689ab0e97b960500002100"
    house = MobilityHouse(tmp_path, phones(tmp_path / "phones"), [subscription("north"), subscription("odd", unknown)])

    with pytest.raises(LandingUnavailable) as refused:
        house.deliver(BEGINS, ["transports_realtime"])

    assert unknown in str(refused.value)
    assert "offramp.yaml" in str(refused.value)
    assert house.ids(BEGINS), "the other recipient has its own"
    assert not house.outbox("odd").exists()


@pytest.mark.parametrize(
    "tenants", [["aurora"], [NORTH.upper()], [NORTH, SOUTH], [f"{NORTH}0"]], ids=["name", "capitals", "two", "longer"]
)
def test_tenants_that_are_no_app_id_are_refused_with_file_and_line(tmp_path: Path, tenants: list[str]) -> None:
    taken = [subscription("north"), subscription("odd", tenants=tenants)]
    with pytest.raises(SettingsError) as refused:
        MobilityHouse(tmp_path, phones(tmp_path / "phones"), taken)

    lines = (tmp_path / "offramp.yaml").read_text().splitlines()
    message = str(refused.value)
    assert "an app id of 24 hex digits" in message
    number = int(re.findall(r"offramp\.yaml:(\d+)", message)[0])
    assert "tenants" in lines[number - 1] or tenants[0] in lines[number - 1]
    assert number > lines.index("  odd:")
