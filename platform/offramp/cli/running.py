"""Runs deliveries through Dagster and tells what came of them, as the ledger has it: for ``deliver`` and ``demo``.

Importing it loads Dagster, which takes a second or more, so only commands that run something do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from offramp.cli.deliveries import newest_revisions
from offramp.cli.output import byte_text, count_text, counted, print_table, say
from offramp.cli.progress import progress
from offramp.cli.sums import MANY, print_sums
from offramp.domain.deliveries import DELIVERED, Kind
from offramp.orchestration.run import FailedStep, build_days, materialize_days
from offramp.orchestration.run_tags import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from offramp.cli.invocation import Invocation
    from offramp.domain.deliveries import DeliveryRecord
    from offramp.domain.exports import Export
    from offramp.pipeline.plan import PlanOptions


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller wants delivered."""

    exports: Sequence[Export]
    days: Sequence[date]
    options: PlanOptions


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a request: the newest revision of each delivery, and the ids of those that this run made."""

    records: Sequence[DeliveryRecord]
    new: frozenset[tuple[str, int]]
    failures: Sequence[str]


def run(invocation: Invocation, request: Request, *, is_quiet: bool) -> Finished:
    """Deliver through Dagster, showing progress."""
    rooms = invocation.rooms
    before = _delivered(_records(invocation, request))
    with progress(is_quiet=is_quiet) as report:
        result = materialize_days(
            invocation.settings,
            rooms,
            [rooms.exports[one.name] for one in request.exports],
            request.days,
            tags_of(request.options),
            report=report,
        )
    records = _records(invocation, request)
    return Finished(
        newest_revisions(records), _delivered(records) - before, [_failure_text(one) for one in result.failed]
    )


def run_and_print(invocation: Invocation, request: Request, *, is_quiet: bool) -> None:
    """Deliver, print a summary, and end with exit code 1 if anything failed."""
    finished = run(invocation, request, is_quiet=is_quiet)
    rows = [
        (
            record.recipient,
            record.export,
            str(record.data_day),
            f"r{record.revision}" + ("" if record.kind is Kind.REGULAR else f" {record.kind}"),
            count_text(record.rows),
            byte_text(record.bytes),
            record.state.value,
            "new" if (record.delivery_id, record.revision) in finished.new else "",
        )
        for record in finished.records
    ]
    columns = ("recipient", "export", "data day", "rev", "rows", "bytes", "state", "")
    if len(rows) > MANY:
        print_sums(finished.records, lambda record: "" if record.state in DELIVERED else record.state.value)
    elif rows:
        print_table(columns, rows, numbers=("rows", "bytes"))
    if finished.new:
        missing = f"; {counted(len(finished.failures), 'failure')}, told below" if finished.failures else ""
        say(f"{len(finished.new)} delivered now, {len(rows)} in all{missing}")
    elif not finished.failures:
        say("nothing was delivered anew: all that is owed was delivered before")
    fail(invocation, finished.failures)


def build_and_print(invocation: Invocation, feed: str, days: Sequence[date], shown: str, *, is_quiet: bool) -> None:
    """Build the layers of a feed through Dagster, say so, and end with exit code 1 if anything failed."""
    with progress(is_quiet=is_quiet) as report:
        result = build_days(invocation.settings, invocation.rooms, feed, days, report=report)
    if result.success:
        say(f"built: {feed}, {shown}")
    fail(invocation, [_failure_text(one) for one in result.failed])


def fail(invocation: Invocation, failures: Sequence[str]) -> None:
    """Print failures and end with exit code 1, or do nothing where there are none."""
    for failure in failures:
        say(invocation.redact(f"error: {failure}"), to_stderr=True)
    if failures:
        raise typer.Exit(1)


def _failure_text(failed: FailedStep) -> str:
    first, last = failed.days
    days = f"{first}" if first == last else f"{first} to {last}"
    return f"{failed.name}, {days}: {failed.message}"


def _records(invocation: Invocation, request: Request) -> list[DeliveryRecord]:
    """Return the ledger's lines of what was asked for."""
    names = {export.name for export in request.exports}
    days, recipients = set(request.days), request.options.recipients
    found = invocation.rooms.ledger.find(first_day=min(days), last_day=max(days))
    return [
        record
        for record in found
        if record.export in names
        and record.data_day in days
        and (not recipients or record.recipient in recipients)
        and record.covered_by is None
    ]


def _delivered(records: Sequence[DeliveryRecord]) -> frozenset[tuple[str, int]]:
    return frozenset((record.delivery_id, record.revision) for record in records if record.state in DELIVERED)
