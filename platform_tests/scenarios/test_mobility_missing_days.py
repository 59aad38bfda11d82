"""Days that were not built, builds that were killed, and builds by two runs at once."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from offramp.cli.main import run as run_offramp
from offramp.domain.errors import BuildMissing
from offramp.orchestration.code_location import build
from offramp.orchestration.run import materialize_days
from offramp.pipeline.layers import build_day
from platform_tests.scenarios.mobility_death import WITHIN, build_twice_at_once, kill_build
from platform_tests.scenarios.mobility_house import DRIVING, LAYERS, MobilityHouse, days, phones
from platform_tests.scenarios.scene import contents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ONE, TWO, THREE, FOUR = days(4)
CARS = ["transports_realtime"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return phones(tmp_path_factory.mktemp("life") / "phones")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, source: Mapping[str, Any]) -> MobilityHouse:
    """A house whose first day was built and delivered. Tests only copy it."""
    house = MobilityHouse(tmp_path_factory.mktemp("begun"), source)
    house.build(ONE)
    house.deliver(ONE, CARS)
    return house


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, begun: MobilityHouse) -> MobilityHouse:
    """The same, with the days up to the fourth built and delivered in their order."""
    house = copy_of(begun, tmp_path_factory.mktemp("unbroken") / "house")
    for day in (TWO, THREE, FOUR):
        house.build(day)
        house.deliver(day, CARS)
    return house


@pytest.fixture
def house(tmp_path: Path, begun: MobilityHouse) -> MobilityHouse:
    return copy_of(begun, tmp_path / "house")


def copy_of(other: MobilityHouse, folder: Path) -> MobilityHouse:
    shutil.copytree(other.folder, folder)
    return MobilityHouse(folder, other.source)


def layers_of(house: MobilityHouse) -> dict[str, bytes]:
    return {name: one for name, one in contents(house.folder / "lake" / "layers").items() if name.endswith(".parquet")}


def test_a_day_after_a_missing_one_is_refused_and_the_first_to_build_is_named(house: MobilityHouse) -> None:
    with pytest.raises(BuildMissing) as refused:
        house.build(FOUR)

    assert "the first to build is 2026-10-06" in str(refused.value)
    assert "offramp build mobility --from 2026-10-06 --to 2026-10-07" in str(refused.value)
    with pytest.raises(BuildMissing, match="the first to build is 2026-10-06"):
        house.deliver(FOUR, CARS)
    assert list(house.outbox().glob("2026_10_09*")) == []


def test_in_dagster_the_step_fails_with_that_text_and_nothing_of_the_day_is_delivered(house: MobilityHouse) -> None:
    exports = [house.export(entity) for entity in (*DRIVING, "stationaries")]
    before = contents(house.outbox())

    result = materialize_days(house.settings, house.rooms, exports, [FOUR])

    assert not result.success
    said = {failed.name: failed.message for failed in result.failed}
    assert "the first to build is 2026-10-06" in said["mobility/layers/timeline"]
    assert not any("transports_realtime" in name for name in said), "what comes after was not tried"
    assert contents(house.outbox()) == before
    assert house.record("timeline", FOUR) is None


def test_an_export_alone_fails_of_a_missing_day_in_dagster_too(house: MobilityHouse) -> None:
    """Its layers are not in the run, so it builds them itself."""
    before = contents(house.outbox())
    job = build(house.settings, rooms=house.rooms).resolve_implicit_global_asset_job_def()
    key = dg.AssetKey(["mobility", "delta", "transports_realtime"])

    result = job.execute_in_process(
        asset_selection=[key], tags={"dagster/partition": FOUR.isoformat()}, raise_on_error=False
    )

    (failed,) = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert failed.user_failure_data is not None
    assert "the first to build is 2026-10-06" in (failed.user_failure_data.description or "")
    assert contents(house.outbox()) == before


def test_offramp_build_mends_a_gap_and_the_next_delivery_catches_up(
    house: MobilityHouse, unbroken: MobilityHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--config", str(house.folder / "offramp.yaml"), "build", "mobility"]
    with pytest.raises(SystemExit) as dry:
        run_offramp([*arguments, "--dry-run"])
    assert dry.value.code == 0
    assert "to build: 2026-10-06 to " in capsys.readouterr().out

    with pytest.raises(SystemExit) as done:
        run_offramp([*arguments, "--from", TWO.isoformat(), "--to", FOUR.isoformat()])

    assert done.value.code == 0, capsys.readouterr()
    house.rooms = house.open()
    house.deliver(FOUR, CARS)
    assert layers_of(house) == layers_of(unbroken)
    sent = [one for day in (TWO, THREE, FOUR) for one in unbroken.ids(day)]
    assert sorted(house.ids(FOUR)) == sorted(sent)


_STEPS = ("layer.begin", WITHIN, "layer.finish")
_QUICK = {("timeline", WITHIN), ("driving", "layer.finish")}
_CASES = [
    pytest.param(layer, step, marks=[] if (layer, step) in _QUICK else [pytest.mark.deep])
    for layer in ("timeline", "driving", "visits")
    for step in _STEPS
]


@pytest.mark.parametrize(("layer", "step"), _CASES)
def test_a_build_that_was_killed_is_made_anew_as_if_nothing_had_happened(
    house: MobilityHouse, unbroken: MobilityHouse, layer: str, step: str
) -> None:
    code = kill_build(house.folder, house.source, layer=layer, day=TWO, step=step)

    assert code == -signal.SIGKILL
    assert house.record(layer, TWO) is None
    assert house.record("timeline", ONE) is not None
    house.build(TWO)
    build_day(house.rooms, LAYERS, layer, TWO)
    house.deliver(TWO, CARS)
    expected = {name: one for name, one in layers_of(unbroken).items() if _day_of(name) <= TWO.isoformat()}
    assert {name: one for name, one in layers_of(house).items() if "/visits/" not in name} == expected
    assert house.ids(TWO) == unbroken.ids(TWO)
    assert [path for path in (house.folder / "lake" / "layers").rglob("*") if "tmp" in path.name] == []


def _day_of(name: str) -> str:
    return name.split("/")[3]


def test_two_runs_at_once_build_each_layer_once(house: MobilityHouse, unbroken: MobilityHouse) -> None:
    steps = build_twice_at_once(house.folder, house.source, [TWO, THREE])

    begun = [taken.count("layer.begin") for taken in steps]
    assert sum(begun) == 4
    expected = {name: one for name, one in layers_of(unbroken).items() if _day_of(name) <= THREE.isoformat()}
    assert layers_of(house) == expected


def test_a_day_that_is_built_again_is_not_built(house: MobilityHouse) -> None:
    house.steps.clear()
    house.build(ONE)

    assert "layer.begin" not in house.steps
