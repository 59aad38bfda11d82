"""``offramp deliveries``: what the ledger knows."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from offramp.cli.choosing import FromOption, JsonOption, ToOption, choose_export, choose_exports, choose_recipients
from offramp.cli.invocation import Invocation
from offramp.cli.output import count_text, counted, instant_json, print_json, print_table, say
from offramp.domain.deliveries import Kind, State
from offramp.domain.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offramp.domain.deliveries import DeliveryRecord


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(deliveries)


def deliveries(
    context: typer.Context,
    *,
    recipient: Annotated[str | None, typer.Option(help="Only this recipient.")] = None,
    feed: Annotated[str | None, typer.Option(help="Only this feed.")] = None,
    export: Annotated[str | None, typer.Option(help="Only this export, for example media/delta/users.")] = None,
    first: FromOption = None,
    last: ToOption = None,
    state: Annotated[list[State] | None, typer.Option(help="Only this state; may be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List deliveries and their states, as the ledger has them."""
    invocation = Invocation.of(context)
    if recipient is not None:
        choose_recipients(invocation.settings, [recipient])
    if feed is not None:
        choose_exports(invocation.exports().values(), feed=feed)
    if export is not None:
        choose_export(invocation.exports(), export)
    found = invocation.ledger().find(
        recipient=recipient, feed=feed, export=export, first_day=first, last_day=last, states=state or None
    )
    if as_json:
        print_json({"deliveries": [record_json(record) for record in found]})
    else:
        _print_records(found)


def _print_records(found: "tuple[DeliveryRecord, ...]") -> None:
    rows = [
        (
            record.delivery_id,
            str(record.data_day),
            record.recipient,
            record.export,
            f"r{record.revision}" + ("" if record.kind is Kind.REGULAR else f" {record.kind}"),
            record.state.value,
            count_text(record.rows),
        )
        for record in found
    ]
    if rows:
        print_table(("delivery", "data day", "recipient", "export", "rev", "state", "rows"), rows, numbers=("rows",))
    errors: dict[str, list[str]] = {}
    for record in found:
        revision = f"{record.delivery_id} r{record.revision}"
        if record.error:
            errors.setdefault(record.error, []).append(revision)
        if record.covered_by:
            say(f"{revision}: caught up by {record.covered_by}")
    for error, revisions in errors.items():
        say(f"{some_of(revisions)}: {error}")
    say(counted(len(rows), "delivery"))


def newest_revisions(records: "Iterable[DeliveryRecord]") -> "list[DeliveryRecord]":
    """Return the newest revision of each delivery, by day, recipient and export."""
    from offramp.pipeline.plan import latest_revision

    revisions: dict[str, list[DeliveryRecord]] = {}
    for record in records:
        revisions.setdefault(record.delivery_id, []).append(record)
    newest = (latest_revision(of_one, of_one[0].data_day) for of_one in revisions.values())
    found = [record for record in newest if record is not None]
    return sorted(found, key=lambda one: (one.data_day, one.recipient, one.export))


def record_json(record: "DeliveryRecord") -> dict[str, Any]:
    """Return a line of the ledger as JSON."""
    return {
        "delivery_id": record.delivery_id,
        "revision": record.revision,
        "subscription": record.subscription_id,
        "recipient": record.recipient,
        "feed": record.feed,
        "export": record.export,
        "data_day": record.data_day.isoformat(),
        "tick": instant_json(record.tick),
        "window_start": instant_json(record.window_start),
        "until": instant_json(record.until),
        "kind": record.kind.value,
        "state": record.state.value,
        "landing": record.landing_id,
        "supersedes": record.supersedes,
        "reason": record.reason,
        "covered_by": record.covered_by,
        "is_approximate": record.is_approximate,
        "rows": record.rows,
        "bytes": record.bytes,
        "files": list(record.files),
        "error": record.error,
        "updated_at": instant_json(record.updated_at),
        "destinations": [
            {
                "name": place.destination,
                "state": place.state.value,
                "verified_by": place.verified_by,
                "error": place.error,
            }
            for place in record.placements
        ],
    }
