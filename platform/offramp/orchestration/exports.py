"""Exports as assets: each runs its gates over the lake, and only what passed goes on to its IO manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from offramp.domain.deliveries import State
from offramp.domain.errors import OfframpError
from offramp.orchestration.checks import check_specs, delivery_evaluations, gate_evaluations
from offramp.orchestration.daily_assets import daily_asset
from offramp.orchestration.days import days_of
from offramp.orchestration.describe import column_schema, records_of
from offramp.orchestration.extract import Extract, Fault
from offramp.orchestration.keys import export_key
from offramp.orchestration.lineage import model_lineage
from offramp.orchestration.run_tags import options_of
from offramp.orchestration.workplace import WORKPLACE, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from offramp.domain.exports import Export
    from offramp.pipeline.gate import GateReport
    from offramp.pipeline.plan import PlanOptions
    from offramp.sql.project import Project


def export_asset(
    export: Export, project: Project, reads: Sequence[dg.AssetKey], partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """Return the asset of an export. ``reads`` are the landings, layers and stored models that it is made of."""
    model = export.model
    spec = dg.AssetSpec(
        export_key(export),
        deps=reads,
        group_name=f"{export.feed}_{export.mode}",
        description=model.description,
        owners=list(model.owners),
        kinds={export.default_format.value, "duckdb"},
        metadata={
            "dagster/column_schema": column_schema(export.contract),
            "model": dg.MetadataValue.path(str(project.path / model.file)),
            "key": ", ".join(export.contract.key),
        },
    ).with_io_manager_key(export.default_format.value)

    def extract(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.AssetCheckEvaluation | dg.MaterializeResult[Extract]]:
        yield from _extract(context, export)

    return daily_asset(spec, extract, partitions=partitions, check_specs=check_specs(export, project))


def _extract(
    context: dg.AssetExecutionContext, export: Export
) -> Iterator[dg.AssetCheckEvaluation | dg.MaterializeResult[Extract]]:
    workplace: Workplace = getattr(context.resources, WORKPLACE)
    rooms = workplace.rooms
    good: list[date] = []
    faults: list[Fault] = []
    try:
        options = options_of(context.run.tags, (one.recipient for one in rooms.subscriptions))
    except OfframpError as error:
        raise dg.Failure(str(error)) from error
    for day in days_of(context):
        reports: list[GateReport] = []
        try:
            _gate(context, workplace, export, day, options=options, reports=reports)
            good.append(day)
        except OfframpError as error:
            faults.append(Fault(day, str(error)))
        yield from gate_evaluations(rooms, export, day.isoformat(), reports)
    if not good:
        raise dg.Failure("\n".join(map(str, faults)))
    context.add_asset_metadata(model_lineage(workplace, export.model, export.contract.names))
    yield dg.MaterializeResult(value=Extract(export, tuple(good), options, tuple(faults)))
    # Here the IO manager is done.
    for day in good:
        yield from delivery_evaluations(rooms, workplace.reports[export.name, day])


def _gate(
    context: dg.AssetExecutionContext,
    workplace: Workplace,
    export: Export,
    day: date,
    *,
    options: PlanOptions,
    reports: list[GateReport],
) -> None:
    """Run the gates of a day over each landing that its deliveries are made of; the first that fails raises.

    ``reports`` is filled as they are run, so that what failed can be shown.
    """
    # The rooms behind them load pyarrow and polars, which the code location does not wait for.
    from offramp.pipeline.deliver import plan_with_landings  # noqa: PLC0415
    from offramp.pipeline.gate import gate  # noqa: PLC0415

    rooms = workplace.rooms
    known = records_of(rooms, export, day)
    # What is staged has passed its gate, and only waits for its destination.
    staged = {(one.delivery_id, one.revision) for one in known if one.state is State.STAGED}
    plan = plan_with_landings(rooms, export, day, options, workplace.told(context.log))
    waiting = {one.id for one in plan.owed if (one.id, one.revision) in staged and rooms.lake.staged.load(one)}
    fresh = {one.landing_id for one in plan.owed if one.landing_id and one.id not in waiting}
    # A run that has nothing to stage still shows what the gates said of the rows that were delivered.
    shown = fresh or {one.landing_id for one in known if one.landing_id}
    for landing_id in sorted(shown):
        landing = rooms.lake.landings.get(rooms.source_of(export).name, landing_id)
        reports.append(gate(rooms, export, day, landing))
    for report in reports if fresh else ():
        report.raise_if_failed()
