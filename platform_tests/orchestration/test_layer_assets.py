"""Layers and stored models in Dagster: the steps between the phones' landing and the mobility exports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from offramp.domain.windows import DAY
from offramp.feeds.registry import FEEDS, layers_of
from offramp.orchestration.code_location import build
from offramp.orchestration.run import build_days, open_instance
from platform_tests.orchestration.house import House, materializations
from platform_tests.scenarios.mobility_house import BEGINS, DRIVING, LIFESTYLE, MobilityHouse, phones, subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

LANDING, TIMELINE, DRIVES, VISITS = (
    dg.AssetKey(key)
    for key in (
        ["landing", "mobility"],
        ["mobility", "layers", "timeline"],
        ["mobility", "layers", "driving"],
        ["mobility", "layers", "visits"],
    )
)
ACTIVE = dg.AssetKey(["mobility", "models", "active_users"])
CARS = dg.AssetKey(["mobility", "delta", "transports_realtime"])
STAYS = dg.AssetKey(["mobility", "offload", "stationaries"])
WIDE = dg.AssetKey(["mobility", "offload", "attributes_wide"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> MobilityHouse:
    folder = tmp_path_factory.mktemp("mobility")
    linked = {"CRON_SCHEDULE_USER_LINKING": "15 1 * * *"}
    return MobilityHouse(folder, phones(folder / "phones"), [subscription("north", options=linked)])


@pytest.fixture(scope="module")
def repository(house: MobilityHouse) -> dg.RepositoryDefinition:
    return build(house.settings).get_repository_def()


def specs(repository: dg.RepositoryDefinition) -> dict[dg.AssetKey, dg.AssetSpec]:
    found = set(repository.assets_defs_by_key.values())
    return {key: spec for one in found for key, spec in one.specs_by_key.items()}


def above(every: dict[dg.AssetKey, dg.AssetSpec], key: dg.AssetKey) -> set[dg.AssetKey]:
    """Everything that an asset is made of, however far up, without itself."""
    found: set[dg.AssetKey] = set()
    waiting = [key]
    while waiting:
        fresh = {dep.asset_key for dep in every[waiting.pop()].deps} - found - {key}
        found |= fresh
        waiting += fresh
    return found


def test_layers_lie_between_the_landing_and_what_is_made_of_them(repository: dg.RepositoryDefinition) -> None:
    every = specs(repository)
    deps = {key: {dep.asset_key for dep in spec.deps} for key, spec in every.items()}

    assert deps[TIMELINE] == {LANDING, TIMELINE}
    assert deps[DRIVES] == {LANDING, TIMELINE, DRIVES}
    assert deps[VISITS] == {LANDING, TIMELINE}
    assert deps[ACTIVE] == {LANDING, VISITS}
    assert deps[CARS] == {LANDING, DRIVES}
    assert deps[STAYS] == {VISITS, ACTIVE}
    for entity in LIFESTYLE:
        assert {LANDING, TIMELINE, VISITS, ACTIVE} <= above(every, dg.AssetKey(["mobility", "offload", entity]))
    for entity in DRIVING:
        key = dg.AssetKey(["mobility", "delta", entity])
        assert above(every, key) == {LANDING, TIMELINE, DRIVES}
    assert above(every, dg.AssetKey(["mobility", "snapshot", "user_linking"])) == {LANDING}


def test_nothing_depends_on_itself_but_layers_on_their_day_before(repository: dg.RepositoryDefinition) -> None:
    every = specs(repository)
    own = {key for key, spec in every.items() if key in {dep.asset_key for dep in spec.deps}}
    assert own == {TIMELINE, DRIVES}
    for key in own:
        (dep,) = (one for one in every[key].deps if one.asset_key == key)
        assert dep.partition_mapping == dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    graph = {key: {dep.asset_key for dep in spec.deps} - {key} for key, spec in every.items()}
    while graph:
        free = {key for key, deps in graph.items() if not deps & graph.keys()}
        assert free, f"a cycle among {sorted(map(str, graph))}"
        graph = {key: deps for key, deps in graph.items() if key not in free}


def test_every_asset_has_a_group_and_a_description_and_layers_show_their_tables(
    repository: dg.RepositoryDefinition,
) -> None:
    every = specs(repository)
    groups = {key: spec.group_name for key, spec in every.items()}

    assert {groups[key] for key in (TIMELINE, DRIVES, VISITS)} == {"mobility_layers"}
    assert (groups[ACTIVE], groups[CARS], groups[STAYS]) == ("mobility_models", "mobility_delta", "mobility_offload")
    for key, spec in every.items():
        assert (spec.description or "").strip(), key
    schema = every[TIMELINE].metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    tables = {column.name.split(".")[0] for column in schema.columns}
    assert tables == set(layers_of(FEEDS)["mobility_layers"]["timeline"].tables) >= {"stays", "legs"}


def keys_of(repository: dg.RepositoryDefinition, job: str) -> set[dg.AssetKey]:
    return set(repository.get_job(job).asset_layer.executable_asset_keys)


def test_a_schedule_runs_what_its_exports_are_made_of(repository: dg.RepositoryDefinition) -> None:
    every = specs(repository)
    driving = {dg.AssetKey(["mobility", "delta", entity]) for entity in DRIVING}
    linking = dg.AssetKey(["mobility", "snapshot", "user_linking"])
    lifestyle = {dg.AssetKey(["mobility", "offload", entity]) for entity in LIFESTYLE}
    last = dg.AssetKey(["mobility", "deliveries"])

    early, late = keys_of(repository, "mobility_at_01_15"), keys_of(repository, "mobility_at_03_00")
    assert early == {LANDING, TIMELINE, DRIVES, last, linking} | driving
    assert late == set().union(*(above(every, key) for key in lifestyle)) | lifestyle | {last}
    assert {ACTIVE, VISITS, TIMELINE, LANDING} < late


def test_layers_are_built_every_day_by_a_schedule_of_their_own(repository: dg.RepositoryDefinition) -> None:
    schedule = repository.get_schedule_def("mobility_layers")
    with dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 10, 9, 0, 8, tzinfo=UTC), repository_def=repository
    ) as context:
        tick = schedule.evaluate_tick(context)

    assert schedule.cron_schedule == "8 0 * * *"
    assert [request.partition_key for request in tick.run_requests or []] == ["2026-10-08"]
    assert keys_of(repository, "mobility_layers") == {LANDING, TIMELINE, DRIVES}


@pytest.mark.parametrize("weekly", [{"CRON_SCHEDULE_LIFESTYLE": "0 3 * * 1"}, {"CRON_SCHEDULE_DRIVING": ""}])
def test_layers_are_built_daily_also_where_exports_are_due_once_a_week(
    house: MobilityHouse, tmp_path_factory: pytest.TempPathFactory, weekly: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("weekly")
    other = MobilityHouse(folder, house.source, [subscription("north", options=weekly)])

    assert "mobility_layers" in {one.name for one in build(other.settings).get_repository_def().schedule_defs}


def test_without_subscribers_there_is_no_schedule_and_all_assets_remain(
    house: MobilityHouse, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = MobilityHouse(tmp_path_factory.mktemp("nobody"), house.source, [])

    repository = build(other.settings).get_repository_def()

    assert repository.schedule_defs == []
    assert {TIMELINE, DRIVES, VISITS, CARS, STAYS} <= set(specs(repository))


def test_without_a_source_of_phones_there_are_no_mobility_assets(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    other = House.build(tmp_path_factory.mktemp("media") / "house")

    repository = build(other.settings).get_repository_def()

    assert not [key for key in specs(repository) if "mobility" in key.path]
    assert not [one for one in repository.schedule_defs if one.name.startswith("mobility")]


@pytest.fixture(scope="module")
def instance(house: MobilityHouse) -> Iterator[dg.DagsterInstance]:
    with open_instance(house.settings) as opened:
        yield opened


def materialize(house: MobilityHouse, instance: dg.DagsterInstance, keys: list[dg.AssetKey], day: str) -> bool:
    job = build(house.settings, rooms=house.rooms).resolve_implicit_global_asset_job_def()
    tags = {"dagster/partition": day}
    return job.execute_in_process(instance=instance, asset_selection=keys, tags=tags, raise_on_error=False).success


def test_an_export_alone_builds_what_is_missing(house: MobilityHouse, instance: dg.DagsterInstance) -> None:
    house.steps.clear()

    assert materialize(house, instance, [STAYS], BEGINS.isoformat())

    assert house.rows("stationaries", BEGINS).height
    assert house.steps.count("layer.begin") == 2, "timeline and visits, and no drives"
    assert house.steps.count("model") == 1, "active users"
    assert materialize(house, instance, [CARS], BEGINS.isoformat())
    assert house.steps.count("layer.begin") == 3
    (shown,) = materializations(instance, CARS.to_user_string(), BEGINS)
    assert shown.metadata["dagster/partition_row_count"].value == house.rows("transports_realtime", BEGINS).height
    assert materializations(instance, TIMELINE.to_user_string()) == [], "what it built by itself is no step of the run"


def test_each_day_of_a_range_shows_its_own_rows_and_landing(house: MobilityHouse, instance: dg.DagsterInstance) -> None:
    days = [BEGINS + number * DAY for number in range(3)]

    result = build_days(house.settings, house.rooms, "mobility", days)

    assert result.failed == ()
    assert len(result.run_ids) == 1
    for layer, key in (("timeline", TIMELINE), ("driving", DRIVES)):
        for day in days:
            (shown,) = materializations(instance, key.to_user_string(), day)
            record = house.record(layer, day)
            assert record is not None
            found = {
                name: shown.metadata[f"rows_{name}"].value
                for name in house.rooms.layers["mobility_layers"][layer].tables
            }
            assert {name: rows for name, rows in found.items() if rows} == record.rows
            assert shown.metadata["dagster/partition_row_count"].value == sum(record.rows.values())
            assert shown.metadata["landing"].value == record.landing
    landings = {materializations(instance, TIMELINE.to_user_string(), day)[0].metadata["landing"].value for day in days}
    assert len(landings) == 3


def test_days_before_one_that_fails_stay_built_and_are_shown(
    house: MobilityHouse, instance: dg.DagsterInstance
) -> None:
    """The clock stands in the middle of the last day of the range."""
    built = BEGINS + 3 * DAY
    house.now = datetime(2026, 10, 9, 12, tzinfo=UTC)
    try:
        job = build(house.settings, rooms=house.rooms).resolve_implicit_global_asset_job_def()
        tags = {
            "dagster/asset_partition_range_start": built.isoformat(),
            "dagster/asset_partition_range_end": (built + DAY).isoformat(),
        }
        result = job.execute_in_process(instance=instance, asset_selection=[TIMELINE], tags=tags, raise_on_error=False)
    finally:
        house.now = datetime(2026, 12, 20, tzinfo=UTC)

    assert not result.success
    assert len(materializations(instance, TIMELINE.to_user_string(), built)) == 1
    assert materializations(instance, TIMELINE.to_user_string(), built + DAY) == []
    assert house.record("timeline", built + timedelta(days=1)) is None


def test_a_stored_model_is_an_asset_of_its_own_and_computed_once(
    house: MobilityHouse, instance: dg.DagsterInstance
) -> None:
    day = BEGINS + DAY
    house.steps.clear()

    assert materialize(house, instance, [VISITS, ACTIVE, STAYS], day.isoformat())

    assert house.steps.count("model") == 1
    (shown,) = materializations(instance, ACTIVE.to_user_string(), day)
    count = shown.metadata["dagster/partition_row_count"].value
    assert isinstance(count, int)
    assert count > house.rows("stationaries", day)["user_id"].n_unique() // 2
