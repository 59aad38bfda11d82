"""Landings as assets: one per source and day, shared by the exports that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from offramp.domain.errors import NotYetDue, OfframpError
from offramp.orchestration.daily_assets import daily_asset
from offramp.orchestration.days import days_of
from offramp.orchestration.describe import landing_metadata
from offramp.orchestration.keys import export_key, landing_key
from offramp.orchestration.run_tags import options_of
from offramp.orchestration.workplace import WORKPLACE, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from offramp.domain.exports import Export
    from offramp.domain.landings import Landing
    from offramp.pipeline.plan import PlanOptions


def landing_asset(
    source: str, kind: str, exports: Sequence[Export], partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """Return the asset that lands a source for the exports of the run."""
    key = landing_key(source)
    spec = dg.AssetSpec(
        key,
        group_name="landing",
        description=f"Consistent copies of the tables of {source}, each with its read point. A copy that serves"
        " several exports is made once; none is overwritten.",
        kinds={kind, "parquet"},
    )

    def land(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        workplace: Workplace = getattr(context.resources, WORKPLACE)
        # Alone in a run it serves all exports; else only those that follow.
        selected = context.job_def.asset_layer.selected_asset_keys
        asked = [one for one in exports if export_key(one) in selected] or exports
        try:
            options = options_of(context.run.tags, (one.recipient for one in workplace.rooms.subscriptions))
            for day in days_of(context):
                landings = _land(context, workplace, asked, day, options=options)
                context.add_asset_metadata(landing_metadata(landings), key, day.isoformat())
        except OfframpError as error:
            raise dg.Failure(str(error)) from error
        yield dg.MaterializeResult()

    return daily_asset(spec, land, partitions=partitions)


def _land(
    context: dg.AssetExecutionContext,
    workplace: Workplace,
    exports: Sequence[Export],
    day: date,
    *,
    options: PlanOptions,
) -> list[Landing]:
    """Make the landings that the exports need for a day, and return all that they use."""
    # The rooms behind them load pyarrow and polars, which the code location does not wait for.
    from offramp.pipeline.deliver import plan_export  # noqa: PLC0415
    from offramp.pipeline.land import ensure_landings  # noqa: PLC0415

    rooms = workplace.rooms
    told = workplace.told(context.log)
    plans = [plan_export(rooms, export, day, options) for export in exports]
    used: dict[str, Landing] = {}
    for need in sorted({need for plan in plans for need in plan.needs}, key=lambda one: (one.at, one.before)):
        try:
            made = ensure_landings(rooms, [need], told)
        except NotYetDue as error:
            # Its exports say so themselves; the others of the run go on.
            context.log.warning(str(error))
            continue
        used |= {landing.id: landing for landing in made}
    for delivery in (delivery for plan in plans for delivery in plan.owed if delivery.landing_id):
        source = rooms.source_of(delivery.export).name
        found = rooms.lake.landings.get(source, str(delivery.landing_id))
        used[found.id] = found
    return sorted(used.values(), key=lambda landing: (landing.data_as_of, landing.id))
