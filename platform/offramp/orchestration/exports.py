"""Exports as assets: each runs its gates over the lake, and only what passed goes on to its IO manager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from offramp.domain.deliveries import DELIVERED, State
from offramp.domain.errors import OfframpError
from offramp.domain.exports import Mode
from offramp.orchestration.daily_assets import daily_asset
from offramp.orchestration.days import days_of
from offramp.orchestration.describe import column_schema, placements_text, records_of, table
from offramp.orchestration.extract import Extract, Fault
from offramp.orchestration.io_manager import DELIVERED_CHECK
from offramp.orchestration.landing import landing_key
from offramp.orchestration.run_tags import options_of
from offramp.orchestration.workplace import WORKPLACE, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from offramp.domain.exports import Export
    from offramp.pipeline.gate import GateReport, GateResult
    from offramp.pipeline.plan import PlanOptions
    from offramp.sql.project import Project

ADDS_UP_CHECK = "adds_up"
CONTRACT_CHECK = "contract"


@dataclass(frozen=True, slots=True)
class _Checked:
    """A day after its gates: the results per landing, and the fault that keeps it from being delivered."""

    day: date
    reports: tuple[GateReport, ...] = ()
    fault: Fault | None = None


def export_key(export: Export) -> dg.AssetKey:
    """Return the asset key of an export."""
    return dg.AssetKey(list(export.key))


def export_asset(export: Export, project: Project, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Return the asset of an export."""
    model = export.model
    spec = dg.AssetSpec(
        export_key(export),
        deps=[landing_key(project.source_of(model.name))],
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

    def extract(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Extract]]:
        yield from _extract(context, export)

    return daily_asset(spec, extract, partitions=partitions, check_specs=_check_specs(export, project))


def _check_specs(export: Export, project: Project) -> list[dg.AssetCheckSpec]:
    described = {CONTRACT_CHECK: "The model's columns and types are those of the contract."}
    for test in project.model(export.model.name).tests:
        subject = f"`{test.column}`: " if test.column else ""
        described[test.name] = f"{subject}{test.description}"
    described[DELIVERED_CHECK] = "Every subscription that is due has its files, verified at every destination."
    if export.mode is Mode.DELTA:
        described[ADDS_UP_CHECK] = "Previous landing + delta + deletes is the new landing, key by key."
    return [dg.AssetCheckSpec(name, asset=export_key(export), description=text) for name, text in described.items()]


def _extract(context: dg.AssetExecutionContext, export: Export) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Extract]]:
    workplace: Workplace = getattr(context.resources, WORKPLACE)
    days = days_of(context)
    try:
        options = options_of(context.run.tags, (one.recipient for one in workplace.rooms.subscriptions))
        checked = [_check(context, workplace, export, day, options=options) for day in days]
    except OfframpError as error:
        raise dg.Failure(str(error)) from error
    yield from _gate_results(checked)
    faults = tuple(one.fault for one in checked if one.fault is not None)
    good = tuple(one.day for one in checked if one.fault is None)
    if not good:
        raise dg.Failure("\n".join(map(str, faults)))
    yield dg.MaterializeResult(value=Extract(export, good, options, faults))
    # Here the IO manager is done.
    yield from _delivery_results(workplace, export, good)


def _check(
    context: dg.AssetExecutionContext, workplace: Workplace, export: Export, day: date, *, options: PlanOptions
) -> _Checked:
    """Run the gates of a day over each landing that its deliveries are made of."""
    # The rooms behind them load pyarrow and polars, which the code location does not wait for.
    from offramp.pipeline.deliver import plan_with_landings  # noqa: PLC0415
    from offramp.pipeline.gate import gate  # noqa: PLC0415

    rooms = workplace.rooms
    reports: list[GateReport] = []
    # What is staged has passed its gate, and only waits for its destination.
    staged = {(one.delivery_id, one.revision) for one in records_of(rooms, export, day) if one.state is State.STAGED}
    try:
        plan = plan_with_landings(rooms, export, day, options, workplace.told(context.log))
        source = rooms.source_of(export).name
        fresh = {one.landing_id for one in plan.owed if one.landing_id and (one.id, one.revision) not in staged}
        reports += [gate(rooms, export, day, rooms.lake.landings.get(source, one)) for one in sorted(fresh)]
        for report in reports:
            report.raise_if_failed()
    except OfframpError as error:
        return _Checked(day, tuple(reports), Fault(day, str(error)))
    return _Checked(day, tuple(reports))


def _gate_results(checked: Sequence[_Checked]) -> Iterator[dg.AssetCheckResult]:
    """Yield one result per data test over all days; none where nothing was tested."""
    by_test: dict[str, list[tuple[date, str, GateResult]]] = {}
    for one in checked:
        for report in one.reports:
            for result in report.results:
                by_test.setdefault(result.test, []).append((one.day, report.landing_id, result))
    for name, results in by_test.items():
        failed = [(day, landing, result) for day, landing, result in results if not result.has_passed]
        metadata: dict[str, Any] = {
            "failing_rows": sum(result.failing for _, _, result in results),
            "days": ", ".join(sorted({day.isoformat() for day, _, _ in failed or results})),
            "landing": ", ".join(sorted({landing for _, landing, _ in failed or results})),
        }
        kept = [(day, result.failing, result.kept) for day, _, result in failed if result.kept]
        if len(kept) == 1:
            metadata["kept_rows"] = dg.MetadataValue.path(str(kept[0][2]))
        elif kept:
            metadata["kept_rows"] = table(["day", "failing rows", "kept in"], kept)
        yield dg.AssetCheckResult(
            passed=not failed,
            check_name=name,
            severity=dg.AssetCheckSeverity.ERROR,
            description=(failed or results)[0][2].description,
            metadata=metadata,
        )


def _delivery_results(workplace: Workplace, export: Export, days: Sequence[date]) -> Iterator[dg.AssetCheckResult]:
    """Yield what is known after the delivery. A destination that failed warns: the export itself is good."""
    rooms = workplace.rooms
    records = [record for day in days for record in records_of(rooms, export, day)]
    waiting = [one for one in records if one.state not in DELIVERED and one.state is not State.SUPERSEDED]
    if records:
        yield dg.AssetCheckResult(
            passed=not waiting,
            check_name=DELIVERED_CHECK,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(waiting)} of {len(records)} wait for a destination"
            if waiting
            else f"{len(records)} delivered and verified",
            metadata={
                "deliveries": table(
                    ["recipient", "day", "state", "destinations", "error"],
                    [
                        [one.recipient, one.data_day, one.state.value, placements_text(one), one.error or ""]
                        for one in waiting or records
                    ],
                )
            },
        )
    reports = [workplace.reports[export.name, day] for day in days]
    proven = [out for report in reports for out in report.outcomes if out.staged.counts.adds_up is not None]
    if proven:
        yield dg.AssetCheckResult(
            passed=all(outcome.staged.counts.adds_up for outcome in proven),
            check_name=ADDS_UP_CHECK,
            metadata={"deliveries": len(proven)},
        )
