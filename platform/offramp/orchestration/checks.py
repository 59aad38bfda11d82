"""Checks of an export: its data tests, which stop a delivery, and what is known once it is delivered.

They are values made by the export's own step. As steps of their own they would cost a step each, and could not stop
anything. Each evaluation names its day, so a range shows a result per partition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from offramp.domain.deliveries import DELIVERED, State
from offramp.domain.exports import Mode
from offramp.orchestration.describe import placements_text, records_of, table
from offramp.orchestration.keys import export_key
from offramp.sql.data_tests import CONTRACT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from offramp.domain.exports import Export
    from offramp.orchestration.extract import Fault
    from offramp.pipeline.deliver import DayReport
    from offramp.pipeline.gate import GateReport, GateResult
    from offramp.pipeline.rooms import Rooms
    from offramp.sql.project import Project

DELIVERED_CHECK = "delivered"
ADDS_UP = "adds_up"


def check_specs(export: Export, project: Project) -> list[dg.AssetCheckSpec]:
    """Return the checks of an export: its data tests by group, and delivery."""
    said = {CONTRACT: ["Columns and types are those of the contract."]}
    for test in project.model(export.model.name).tests:
        subject = f"`{test.column}`: " if test.column else ""
        said.setdefault(test.group, []).append(f"{subject}{test.description}")
    described = {group: "\n\n".join(lines) for group, lines in said.items()}
    described[DELIVERED_CHECK] = "Every subscription that is due has its files, verified at every destination."
    if export.mode is Mode.DELTA:
        described[ADDS_UP] = "Previous landing + delta + deletes is the new landing, key by key."
    return [dg.AssetCheckSpec(name, asset=export_key(export), description=text) for name, text in described.items()]


def gate_evaluations(
    rooms: Rooms, export: Export, day: str, reports: Sequence[GateReport]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield one result per group of data tests over the landings of a day; none where nothing was tested.

    A group warns where only tests that do not block failed; its description names what failed.
    """
    groups = {test.name: test.group for test in rooms.project.model(export.model.name).tests}
    by_group: dict[str, list[tuple[str, GateResult]]] = {}
    for report in reports:
        for result in report.results:
            by_group.setdefault(groups.get(result.test, CONTRACT), []).append((report.landing_id, result))
    for group, results in by_group.items():
        failed = [(landing, result) for landing, result in results if not result.has_passed]
        is_warning = bool(failed) and not any(result.is_blocking for _, result in failed)
        yield dg.AssetCheckEvaluation(
            asset_key=export_key(export),
            check_name=group,
            passed=not failed,
            partition=day,
            severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
            description="; ".join(_failure(result) for _, result in failed) or f"{len(results)} tests passed",
            metadata=_gate_metadata(failed, [landing for landing, _ in results]),
        )


def _failure(result: GateResult) -> str:
    return f"{result.test}: {result.description} Not so in {result.failing:,} rows."


def _gate_metadata(failed: Sequence[tuple[str, GateResult]], landings: Sequence[str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "failing_rows": sum(result.failing for _, result in failed),
        "landing": ", ".join(dict.fromkeys(landing for landing, _ in failed) or dict.fromkeys(landings)),
    }
    if failed:
        metadata["tests"] = table(
            ["test", "failing rows", "kept rows", "landing"],
            [[one.test, f"{one.failing:,}", str(one.kept or ""), landing] for landing, one in failed],
        )
    kept = [result.kept for _, result in failed if result.kept]
    if kept:
        metadata["kept_rows"] = dg.MetadataValue.path(str(kept[-1]))
    return metadata


def delivery_evaluations(rooms: Rooms, report: DayReport) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield what is known after a day's delivery. A destination that failed warns: the export itself is good."""
    export, day = report.export, report.data_day
    records = records_of(rooms, export, day)
    waiting = [one for one in records if one.state not in DELIVERED and one.state is not State.SUPERSEDED]
    if records:
        said = f"{len(waiting)} of {len(records)} wait for a destination" if waiting else f"{len(records)} delivered"
        yield dg.AssetCheckEvaluation(
            asset_key=export_key(export),
            check_name=DELIVERED_CHECK,
            passed=not waiting,
            partition=day.isoformat(),
            severity=dg.AssetCheckSeverity.WARN,
            description=said,
            metadata={
                "deliveries": table(
                    ["recipient", "state", "destinations", "error"],
                    [[one.recipient, one.state.value, placements_text(one), one.error or ""] for one in records],
                )
            },
        )
    proven = [out for out in report.outcomes if out.staged.counts.adds_up is not None]
    if proven:
        yield dg.AssetCheckEvaluation(
            asset_key=export_key(export),
            check_name=ADDS_UP,
            passed=all(outcome.staged.counts.adds_up for outcome in proven),
            partition=day.isoformat(),
            metadata={"deliveries": len(proven)},
        )


def not_delivered(key: dg.AssetKey, fault: Fault) -> dg.AssetCheckEvaluation:
    """Return the failed check of a day that broke while it was being delivered."""
    return dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=DELIVERED_CHECK,
        passed=False,
        partition=fault.day.isoformat(),
        description=fault.message,
    )
