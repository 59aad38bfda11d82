"""What columns are made of, as Dagster has it once assets were materialized."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from offramp.feeds.registry import FEEDS, layers_of
from offramp.orchestration.run import materialize_days, open_instance
from platform_tests.orchestration.house import materializations
from platform_tests.scenarios.mobility_house import BEGINS, MobilityHouse, phones

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from platform_tests.orchestration.house import House

VISITS = layers_of(FEEDS)["mobility_layers"]["visits"]
LANDING, SEGMENTS = "landing/mobility", "mobility/offload/segments"


def lineage(instance: dg.DagsterInstance, key: str) -> Mapping[str, list[tuple[str, str]]]:
    """Return by column the assets and columns that an asset's last materialization says it is made of."""
    found = materializations(instance, key)[0].metadata["dagster/column_lineage"]
    assert isinstance(found, dg.TableColumnLineageMetadataValue)
    return {
        name: [(one.asset_key.to_user_string(), one.column_name) for one in deps]
        for name, deps in found.value.deps_by_column.items()
    }


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance in which two lifestyle files of a day of few phones were delivered."""
    folder = tmp_path_factory.mktemp("lineage")
    house = MobilityHouse(folder / "house", phones(folder / "phones", scale=0.05))
    exports = [house.export("segments"), house.export("attributes_wide")]
    result = materialize_days(house.settings, house.rooms, exports, [BEGINS + timedelta(days=1)])
    assert result.failed == ()
    with open_instance(house.settings) as instance:
        yield instance


def test_a_segment_can_be_followed_up_to_the_fixes(delivered: dg.DagsterInstance) -> None:
    todo, seen = [(SEGMENTS, "segment_id")], {(SEGMENTS, "segment_id")}
    known: dict[str, Mapping[str, list[tuple[str, str]]]] = {}
    while todo:
        asset, column = todo.pop()
        if asset != LANDING:
            known.setdefault(asset, lineage(delivered, asset))
            new = set(known[asset][column]) - seen
            seen |= new
            todo += sorted(new)

    assert {(LANDING, "fixes.tracked_at"), (LANDING, "fixes.latitude"), (LANDING, "venues.types")} <= seen
    assert ("mobility/layers/visits", "visits.venue_types") in seen
    assert ("mobility/layers/timeline", "legs.mode") in seen
    assert ("mobility/layers/driving", "drives.smooth_v2") in seen


def test_columns_of_the_lineage_are_those_of_the_asset(delivered: dg.DagsterInstance) -> None:
    visits = lineage(delivered, "mobility/layers/visits")

    assert set(lineage(delivered, SEGMENTS)) == {"user_id", "metadata_user_id", "segment_id"}
    assert {"app_id", "started_at", "moment_definition_id"} <= set(lineage(delivered, "mobility/models/moment_rows"))
    assert set(visits) == {f"{one.name}.{column}" for one in VISITS.tables.values() for column, _ in one.columns}
    assert (LANDING, "venues.brand") in visits["visits.venue_brand"]
    assert visits["day.until"] == []


def test_the_table_for_people_reads_as_it_stands(delivered: dg.DagsterInstance) -> None:
    event = materializations(delivered, "mobility/layers/visits")[0]
    lines = str(event.metadata["lineage"].value).splitlines()

    assert lines[:2] == ["| column | is made of |", "| --- | --- |"]
    assert "| `trips.distance` | legs: distance |" in lines
    assert "| `day.day` | nothing: it is constant |" in lines


def test_a_wide_file_is_told_by_families(delivered: dg.DagsterInstance) -> None:
    event = materializations(delivered, "mobility/offload/attributes_wide")[0]
    lines = str(event.metadata["lineage"].value).splitlines()

    assert len(lineage(delivered, "mobility/offload/attributes_wide")) == 527
    assert len(lines) < 40
    assert any(line.startswith("| `stationary. …` (") and "attribute_values: texts" in line for line in lines)


def test_exports_of_landed_tables_have_their_lineage_too(house: House) -> None:
    assert house.run(["media/delta/users"]).failed == ()

    with house.instance() as instance:
        made = lineage(instance, "media/delta/users")
    assert made["id"] == [("landing/media", "users.id")]
