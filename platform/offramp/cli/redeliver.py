"""``offramp redeliver``: what was delivered, once more: as it was, or made again as a correction."""

from typing import TYPE_CHECKING, Annotated

import typer

from offramp.cli.choosing import QuietOption, choose_export, choose_recipients, parse_day
from offramp.cli.deliveries import newest_revisions
from offramp.cli.invocation import Invocation
from offramp.cli.output import byte_text, count_text, print_table, say
from offramp.domain.deliveries import DELIVERED, State
from offramp.domain.errors import DeliveryRefused, NotYetDue, WrongUse, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offramp.domain.deliveries import DeliveryRecord


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(redeliver)


def redeliver(
    context: typer.Context,
    target: Annotated[
        list[str],
        typer.Argument(metavar="DELIVERY | RECIPIENT EXPORT DATE", help="An id from 'offramp deliveries', or which."),
    ],
    *,
    correct: Annotated[bool, typer.Option("--correct", help="Make it again, as the next revision.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why it is corrected; stands in the manifest.")] = None,
    reland: Annotated[
        bool, typer.Option("--reland", help="With --correct: land the source anew first, since it was mended.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Deliver again: the kept parts as they are, or with --correct and --reason made again from the landing."""
    if correct != bool(reason and reason.strip()):
        raise typer.BadParameter("--correct and --reason TEXT go together")
    if reland and not correct:
        raise typer.BadParameter("--reland goes with --correct: the kept parts stay as they are")
    invocation = Invocation.of(context)
    records = _find(invocation, target)
    if correct:
        for record in records:
            _check_correctable(record, is_relanded=reland)
        _correct(invocation, records, (reason or "").strip(), is_relanded=reland, is_quiet=quiet)
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
        day = parse_day(text)
        found = list(ledger.find(recipient=recipient, export=export, first_day=day, last_day=day))
        todo = f"see what there is: offramp deliveries --recipient {recipient} --export {export}"
    else:
        raise typer.BadParameter("give a delivery's id, or recipient, export and date")
    if not found:
        raise WrongUse(f"there is no delivery '{' '.join(target)}'", todo=todo)
    return newest_revisions(found)


def _again(invocation: Invocation, records: "Sequence[DeliveryRecord]", *, is_quiet: bool) -> None:
    from offramp.cli.progress import progress
    from offramp.pipeline.redeliver import redeliver as publish_again

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


def _check_correctable(record: "DeliveryRecord", *, is_relanded: bool) -> None:
    """Refuse what was never delivered. A correction that was begun can be ended; staged parts stay as they are."""
    is_begun = record.supersedes is not None and not (is_relanded and record.state is State.STAGED)
    if record.state not in DELIVERED and not is_begun:
        raise DeliveryRefused(
            "only what was delivered can be corrected",
            where=f"{record.subscription_id} {record.export} {record.data_day} r{record.revision}",
            expected="state published, submitted or accepted",
            found=record.state.value,
            todo=f"deliver the day: offramp deliver {record.feed} --date {record.data_day}",
        )


def _correct(
    invocation: Invocation, records: "Sequence[DeliveryRecord]", reason: str, *, is_relanded: bool, is_quiet: bool
) -> None:
    """Make the next revision. The records are of one recipient, export and day: one run corrects them all."""
    from offramp.cli.running import Request, run_and_print
    from offramp.pipeline.plan import PlanOptions

    first = records[0]
    landing_id = _land_anew(invocation, records, is_quiet=is_quiet) if is_relanded else None
    request = Request(
        exports=[choose_export(invocation.exports(), first.export)],
        days=[first.data_day],
        options=PlanOptions(recipients=(first.recipient,), correction=reason, landing_id=landing_id),
    )
    run_and_print(invocation, request, is_quiet=is_quiet)


def _land_anew(invocation: Invocation, records: "Sequence[DeliveryRecord]", *, is_quiet: bool) -> str:
    """Land the source of an export once more, as of the records' time where it can be read so, and return the id."""
    from offramp.cli.progress import progress
    from offramp.pipeline.land import land_source

    rooms = invocation.rooms
    source = rooms.source_of(rooms.exports[records[0].export])
    needed = max(record.until for record in records) + rooms.safety_lag
    if not source.can_read_as_of and (reaches := source.read_point()) < needed:
        raise NotYetDue(
            f"source '{source.name}' is older than what it corrects",
            expected=f"a read point at or after {needed:%Y-%m-%d %H:%M:%S} UTC (window's end plus safety lag)",
            found=f"{reaches:%Y-%m-%d %H:%M:%S} UTC",
            todo="bring the source up to that time, or leave --reland out",
        )
    with progress(is_quiet=is_quiet) as report, rooms.lake.landings.exclusive(source.name):
        as_of = needed if source.can_read_as_of else None
        return land_source(rooms, source, as_of=as_of, report=report).id
