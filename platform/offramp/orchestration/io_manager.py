"""The IO managers: they carry what an export asset yields to its recipients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from offramp.domain.errors import OfframpError
from offramp.domain.exports import FormatName
from offramp.orchestration.checks import delivery_evaluations, not_delivered
from offramp.orchestration.describe import day_metadata
from offramp.orchestration.extract import Extract, Fault
from offramp.orchestration.keys import deliveries_key, step_name
from offramp.orchestration.recipients import mark_complete
from offramp.orchestration.workplace import WORKPLACE, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from typing import NoReturn

    from offramp.pipeline.deliver import DayReport


class DeliveringIOManager(dg.IOManager):
    """Delivers each day of an extract: stages its files and publishes them to every destination.

    The format is the subscription's; the manager's own is what a subscription without a wish gets.
    """

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace

    def handle_output(  # type: ignore[override]  # Dagster takes a generator of events, its annotation does not say so
        self, context: dg.OutputContext, obj: Extract
    ) -> Iterator[dg.DagsterEvent]:
        """Deliver the days in order. A day that cannot be delivered stops no other and fails the step at its end."""
        done: dict[date, dict[str, Any]] = {}
        faults: list[Fault] = []
        for day in obj.days:
            try:
                done[day] = self._deliver(context, obj, day)
            except OfframpError as error:
                faults.append(Fault(day, str(error)))
        if faults or obj.faults:
            # Dagster would count every partition of the step, so the good ones are logged by hand.
            for day, metadata in done.items():
                yield _materialized(context, day, metadata)
            # The asset's body does not get the word any more once its IO manager raised.
            evaluations = [not_delivered(context.asset_key, fault) for fault in faults]
            for day in done:
                evaluations += delivery_evaluations(
                    self._workplace.rooms, self._workplace.reports[obj.export.name, day]
                )
            for evaluation in evaluations:
                yield dg.DagsterEvent.asset_check_evaluation(context.step_context, evaluation)
            raise dg.Failure("\n".join(map(str, sorted((*obj.faults, *faults), key=lambda fault: fault.day))))

    def _deliver(self, context: dg.OutputContext, extract: Extract, day: date) -> dict[str, Any]:
        # The rooms behind it load pyarrow and polars, which the code location does not wait for.
        from offramp.orchestration.pictures.exports import export_pictures  # noqa: PLC0415
        from offramp.pipeline.deliver import deliver_day  # noqa: PLC0415

        rooms = self._workplace.rooms
        report = deliver_day(rooms, extract.export, day, extract.options, self._workplace.told(context.log))
        self._workplace.reports[extract.export.name, day] = report
        for failure in report.failures:
            context.log.warning(
                "%s has not got %s at %s; its parts are staged: %s",
                failure.delivery.subscription.recipient,
                failure.delivery.label,
                failure.destination,
                failure.error,
            )
        metadata = day_metadata(rooms, extract.export, day) | export_pictures(rooms, extract.export, day)
        context.step_context.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=day.isoformat())
        feed, step = extract.export.feed, context.step_context
        if step_name(deliveries_key(feed)) not in step.execution_plan.step_keys_to_execute:
            # Else the run's last step does it once for all exports.
            mark_complete(step.instance, rooms, feed, report.days, _recipients(report))
        report.raise_if_incomplete()
        return metadata

    def load_input(self, context: dg.InputContext) -> NoReturn:
        """Refuse: what was delivered belongs to its recipients and is not read back."""
        key = context.asset_key.to_user_string()
        entity = context.asset_key.path[-1]
        raise dg.DagsterInvariantViolationError(
            f"{key} is an export, and exports are not read back. Depend on its model instead: ref('{entity}') in"
            f" dbt_like_sql, or deps=['{key}'] where only the order counts."
        )


def _recipients(report: DayReport) -> set[str]:
    return {outcome.staged.delivery.subscription.recipient for outcome in report.outcomes}


def _materialized(context: dg.OutputContext, day: date, metadata: dict[str, Any]) -> dg.DagsterEvent:
    materialization = dg.AssetMaterialization(context.asset_key, partition=day.isoformat(), metadata=metadata)
    return dg.DagsterEvent.asset_materialization(context.step_context, materialization)


def io_managers() -> dict[str, dg.IOManagerDefinition]:
    """Return the IO managers by the name of their format."""
    return {
        name.value: dg.IOManagerDefinition(
            resource_fn=lambda init: DeliveringIOManager(getattr(init.resources, WORKPLACE)),
            required_resource_keys={WORKPLACE},
            description=f"Delivers exports to their recipients, as {name.value} by default.",
        )
        for name in FormatName
    }
