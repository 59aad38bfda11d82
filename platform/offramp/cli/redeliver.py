"""``offramp redeliver``: what was delivered, once more: as it was, or made again as a correction."""
# ruff: noqa: PLC0415 - imports wait until a command needs them, so that quick commands stay quick

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from offramp.cli.choosing import QuietOption, choose_export, choose_recipients
from offramp.cli.invocation import Invocation
from offramp.cli.output import byte_text, count_text, print_table, say
from offramp.domain.deliveries import DELIVERED, State
from offramp.domain.errors import DeliveryRefused, WrongUse, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offramp.domain.deliveries import DeliveryRecord

_KEPT = DELIVERED | {State.STAGED}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(redeliver)


def redeliver(
    context: typer.Context,
    target: Annotated[
        list[str],
        typer.Argument(metavar="DELIVERY | RECIPIENT EXPORT DATE", help="An id from 'offramp deliveries', or which."),
    ],
    correct: Annotated[bool, typer.Option("--correct", help="Make it again, as the next revision.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why it is corrected; stands in the manifest.")] = None,
    quiet: QuietOption = False,
) -> None:
    """Deliver again: the kept parts as they are, or with --correct and --reason made again from the source."""
    if correct != bool(reason and reason.strip()):
        raise typer.BadParameter("--correct and --reason TEXT go together")
    invocation = Invocation.of(context)
    records = _find(invocation, target)
    if correct:
        _correct(invocation, records, reason or "", is_quiet=quiet)
    else:
        _again(invocation, records, is_quiet=quiet)


def _find(invocation: Invocation, target: "Sequence[str]") -> "list[DeliveryRecord]":
    """Return the newest revision of each delivery that the target names."""
    ledger = invocation.ledger()
    if len(target) == 1:
        found = [record for record in ledger.find() if record.delivery_id == target[0]]
        todo = nearest(target[0], {record.delivery_id for record in ledger.find()}) if not found else None
    elif len(target) == 3:
        recipient, export, text = target
        choose_recipients(invocation.settings, [recipient])
        choose_export(invocation.exports(), export)
        day = _day(text)
        found = list(ledger.find(recipient=recipient, export=export, first_day=day, last_day=day))
        todo = f"see what there is: offramp deliveries --recipient {recipient} --export {export}"
    else:
        raise typer.BadParameter("give a delivery's id, or recipient, export and date")
    if not found:
        raise WrongUse(f"there is no delivery '{' '.join(target)}'", todo=todo)
    newest: dict[str, DeliveryRecord] = {}
    for record in sorted(found, key=lambda one: one.revision):
        newest[record.delivery_id] = record
    return list(newest.values())


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        message = f"'{text}' is not a day; write it as 2026-11-21"
        raise typer.BadParameter(message) from error


def _again(invocation: Invocation, records: "Sequence[DeliveryRecord]", *, is_quiet: bool) -> None:
    from offramp.cli.progress import progress
    from offramp.pipeline.deliver import redeliver as publish_again

    with progress(is_quiet=is_quiet) as report:
        outcomes = publish_again(invocation.rooms, records, report)
    print_table(
        ("recipient", "export", "data day", "rev", "rows", "bytes", "to"),
        (
            (
                one.staged.delivery.subscription.recipient,
                one.staged.delivery.export.name,
                str(one.staged.delivery.data_day),
                f"r{one.staged.delivery.revision}",
                count_text(one.staged.rows),
                byte_text(one.staged.bytes),
                ", ".join(one.staged.delivery.subscription.destinations),
            )
            for one in outcomes
        ),
        numbers=("rows", "bytes"),
    )
    failures = [failure for one in outcomes for failure in one.failures]
    for failure in failures:
        say(
            invocation.redact(f"error: {failure.delivery.label} -> {failure.destination}: {failure.error}"),
            to_stderr=True,
        )
    if failures:
        raise typer.Exit(1)
    say("the kept parts are in place, byte for byte as they were")


def _correct(invocation: Invocation, records: "Sequence[DeliveryRecord]", reason: str, *, is_quiet: bool) -> None:
    from offramp.cli.running import Request, run_and_print
    from offramp.pipeline.plan import PlanOptions

    for record in records:
        if record.state not in _KEPT:
            raise DeliveryRefused(
                "only what was delivered can be corrected",
                where=f"{record.subscription_id} {record.export} {record.data_day} r{record.revision}",
                expected="state published, submitted or accepted",
                found=record.state.value,
                todo=f"deliver the day: offramp deliver {record.feed} --date {record.data_day}",
            )
        request = Request(
            exports=[choose_export(invocation.exports(), record.export)],
            days=[record.data_day],
            options=PlanOptions(recipients=(record.recipient,), correction=reason.strip()),
        )
        run_and_print(invocation, request, is_quiet=is_quiet)
