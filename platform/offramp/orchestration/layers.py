"""Layers and stored models as assets: the steps between a landing and the exports that are made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from offramp.domain.errors import OfframpError
from offramp.orchestration.daily_assets import daily_asset
from offramp.orchestration.days import days_of
from offramp.orchestration.describe import column_schema, table
from offramp.orchestration.keys import landing_key, layer_key, model_key
from offramp.orchestration.lineage import layer_lineage, model_lineage
from offramp.orchestration.workplace import WORKPLACE, Workplace
from offramp.sql.compiled import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from offramp.domain.exports import Model
    from offramp.domain.layers import Layer
    from offramp.pipeline.rooms import Rooms
    from offramp.sql.project import Project

_THE_DAY_BEFORE = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)


@dataclass(frozen=True, slots=True)
class Steps:
    """What stands between landings and exports, as assets."""

    project: Project
    layers: Mapping[str, Mapping[str, Layer]]

    def read_by(self, model: Model) -> list[dg.AssetKey]:
        """Return the assets that a model reads: landings, layers and stored models."""
        uses = self.project.compile(model.name).relations
        return _sorted(self._key_of(use.source, use.table) for use in uses)

    def before(self, models: Iterable[Model]) -> list[dg.AssetKey]:
        """Return all assets that models are made of, from the landings on."""
        keys: set[dg.AssetKey] = set()
        for model in models:
            for use in self.project.compile(model.name).relations:
                keys.add(self._key_of(use.source, use.table))
                if use.source == MODELS:
                    keys.update(self.before([self.project.model(use.table).model]))
                elif use.source in self.layers:
                    keys.update(self.below(use.source, [self._layer_of(use.source, use.table).name]))
        return _sorted(keys)

    def below(self, source: str, names: Iterable[str]) -> list[dg.AssetKey]:
        """Return layers of a source with the layers and the landing that they are made of."""
        keys: set[dg.AssetKey] = set()
        for name in names:
            layer = self.layers[source][name]
            keys |= {layer_key(source, name), landing_key(layer.source)}
            keys.update(self.below(source, layer.after))
        return _sorted(keys)

    def _key_of(self, source: str, name: str) -> dg.AssetKey:
        if source == MODELS:
            return model_key(*name.split(".", 1))
        return (
            landing_key(source) if source not in self.layers else layer_key(source, self._layer_of(source, name).name)
        )

    def _layer_of(self, source: str, name: str) -> Layer:
        return next(one for one in self.layers[source].values() if name in one.tables)


def _sorted(keys: Iterable[dg.AssetKey]) -> list[dg.AssetKey]:
    return sorted(set(keys), key=lambda key: list(key.path))


def layer_asset(source: str, layer: Layer, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Return the asset of a layer, one build per day. One that is carried needs its own build of the day before."""
    key = layer_key(source, layer.name)
    before = [dg.AssetDep(key, partition_mapping=_THE_DAY_BEFORE)] if layer.is_carried else []
    spec = dg.AssetSpec(
        key,
        deps=[landing_key(layer.source), *(layer_key(source, name) for name in layer.after), *before],
        group_name=source,
        description=layer.description,
        kinds={"polars", "parquet"},
        metadata={
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(f"{spec.name}.{column}", kind)
                    for spec in layer.tables.values()
                    for column, kind in spec.columns
                ]
            ),
            "tables": table(["table", "what it holds"], [[one.name, one.description] for one in layer.tables.values()]),
        },
    )

    def build(rooms: Rooms, day: date, workplace: Workplace, log: dg.DagsterLogManager) -> dict[str, Any]:
        # The rooms behind it load pyarrow and polars, which the code location does not wait for.
        from offramp.orchestration.pictures.layers import layer_pictures  # noqa: PLC0415
        from offramp.pipeline.layers import build_day  # noqa: PLC0415

        record = build_day(rooms, source, layer.name, day, workplace.told(log))
        rows = [[name, record.rows.get(name, 0)] for name in layer.tables]
        return {
            "dagster/partition_row_count": sum(record.rows.values()),
            "rows": table(["table", "rows"], rows),
            "landing": record.landing,
            **layer_lineage(workplace, source, layer),
            **{f"rows_{name}": record.rows.get(name, 0) for name in layer.tables},
            **layer_pictures(rooms, source, layer, record),
        }

    return daily_asset(spec, _by_day(key, build), partitions=partitions)


def model_asset(steps: Steps, model: Model, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Return the asset of a stored model, computed once for the landing of each day."""
    project = steps.project
    key = model_key(model.feed, model.entity)
    spec = dg.AssetSpec(
        key,
        deps=steps.read_by(model),
        group_name=f"{model.feed}_models",
        description=model.description,
        owners=list(model.owners),
        kinds={"duckdb", "parquet"},
        metadata={
            "dagster/column_schema": column_schema(model.contract),
            "model": dg.MetadataValue.path(str(project.path / model.file)),
        },
    )

    def build(rooms: Rooms, day: date, workplace: Workplace, log: dg.DagsterLogManager) -> dict[str, Any]:
        # The rooms behind it load pyarrow and polars, which the code location does not wait for.
        from offramp.pipeline.stored import store_day  # noqa: PLC0415

        rows = store_day(rooms, model, day, workplace.told(log))
        return {"dagster/partition_row_count": rows, **model_lineage(workplace, model)}

    return daily_asset(spec, _by_day(key, build), partitions=partitions)


def _by_day(
    key: dg.AssetKey, build: Callable[[Rooms, date, Workplace, dg.DagsterLogManager], dict[str, Any]]
) -> Callable[[dg.AssetExecutionContext], Iterator[dg.MaterializeResult[None]]]:
    """Return the body that builds days in order; the days before one that fails stay built."""

    def body(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        workplace: Workplace = getattr(context.resources, WORKPLACE)
        done: dict[date, dict[str, Any]] = {}
        try:
            for day in days_of(context):
                done[day] = build(workplace.rooms, day, workplace, context.log)
        except OfframpError as error:
            for day, metadata in done.items():
                context.log_event(dg.AssetMaterialization(key, partition=day.isoformat(), metadata=metadata))
            raise dg.Failure(str(error)) from error
        for day, metadata in done.items():
            context.add_asset_metadata(metadata, key, day.isoformat())
        yield dg.MaterializeResult()

    return body
