"""``offramp plan``: what would be delivered. Nothing is written."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

import typer

from offramp.cli.choosing import (
    DateOption,
    EntityOption,
    FeedArgument,
    FromOption,
    JsonOption,
    ModeOption,
    RecipientOption,
    ToOption,
    choose_days,
    choose_exports,
    choose_recipients,
)
from offramp.cli.invocation import Invocation
from offramp.cli.output import instant_json, instant_text, print_json, print_table, say, until_text, window_json
from offramp.domain.deliveries import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, timedelta

    from offramp.domain.deliveries import Delivery
    from offramp.domain.exports import Export
    from offramp.pipeline.plan import Plan, PlanOptions, Skipped


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plan)


def plan(
    context: typer.Context,
    *,
    feed: FeedArgument,
    day: DateOption = None,
    first: FromOption = None,
    last: ToOption = None,
    entity: EntityOption = None,
    mode: ModeOption = None,
    recipient: RecipientOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what would be delivered, from which landing, and what is skipped and why. Nothing is written."""
    from offramp.pipeline.plan import PlanOptions

    invocation = Invocation.of(context)
    settings = invocation.settings
    exports = choose_exports(invocation.exports().values(), feed=feed, entities=entity or (), modes=mode or ())
    recipients = choose_recipients(settings, recipient or (), feed=feed)
    days = choose_days(settings, day, first, last, now=invocation.now())
    print_plans(invocation, exports, days, PlanOptions(recipients=recipients), as_json=as_json)


def print_plans(
    invocation: Invocation,
    exports: "Iterable[Export]",
    days: "Sequence[date]",
    options: "PlanOptions",
    *,
    as_json: bool = False,
) -> None:
    """Plan each export's days and print the plans."""
    from offramp.pipeline.deliver import plan_export

    rooms = invocation.rooms
    plans = [plan_export(rooms, rooms.exports[one.name], day, options) for day in days for one in exports]
    if as_json:
        print_json({"plans": [_document(one, rooms.safety_lag) for one in plans]})
        return
    for day, found in groupby(plans, key=lambda one: one.data_day):
        _print_day(day, list(found), rooms.safety_lag)


def _print_day(day: "date", plans: "list[Plan]", lag: "timedelta") -> None:
    owed = [delivery for plan in plans for delivery in plan.owed]
    skipped = [one for plan in plans for one in plan.skipped]
    say(f"data day {day}: {len(owed)} to deliver, {len(skipped)} skipped\n")
    if owed:
        print_table(
            ("recipient", "export", "kind", "window (UTC)", "landing", "base"),
            ((_recipient(one), one.export.name, _kind(one), _window(one), *_origin(one, lag)) for one in owed),
        )
        say()
    if skipped:
        rows = ((one.subscription.recipient, one.export.name, _reason(one)) for one in skipped)
        print_table(("recipient", "export", "skipped because"), rows)
        say()
    for plan in plans:
        for delivery, reason in plan.refused:
            say(f"cannot be made: {delivery.label}: {reason}")


def _recipient(delivery: "Delivery") -> str:
    return delivery.subscription.recipient


def _kind(delivery: "Delivery") -> str:
    revision = f" r{delivery.revision}" if delivery.revision > 1 else ""
    return f"{delivery.kind}{revision}{' (approximate)' if delivery.is_approximate else ''}"


def _window(delivery: "Delivery") -> str:
    caught_up = f", with {', '.join(map(str, delivery.covers))}" if delivery.covers else ""
    return until_text(delivery.window, delivery.until) + caught_up


def _origin(delivery: "Delivery", lag: "timedelta") -> tuple[str, str]:
    """Return the landing, or the read point that the one to be made needs, and the base of a delta."""
    landing = delivery.landing_id or f"to be made, read point >= {instant_text(delivery.until + lag)}"
    previous = delivery.previous
    if previous is None:
        return landing, "first delivery" if delivery.kind is Kind.INITIAL else ""
    return landing, f"{previous.delivery_id[:8]} r{previous.revision}"


def _reason(skipped: "Skipped") -> str:
    due = f", due {instant_text(skipped.due_at)}" if skipped.due_at and skipped.record is None else ""
    return f"{skipped.reason}{due}"


def _document(plan: "Plan", lag: "timedelta") -> dict[str, Any]:
    return {
        "export": plan.export.name,
        "data_day": plan.data_day.isoformat(),
        "owed": [_delivery(one, lag) for one in plan.owed],
        "skipped": [
            {
                "subscription": one.subscription.id,
                "recipient": one.subscription.recipient,
                "reason": one.reason.name.lower(),
                "text": one.reason.value,
                "due_at": instant_json(one.due_at),
            }
            for one in plan.skipped
        ],
        "needs": [
            {"source": one.source, "at": instant_json(one.at), "before": instant_json(one.before)} for one in plan.needs
        ],
        "refused": [{**_delivery(one, lag), "reason": reason} for one, reason in plan.refused],
    }


def _delivery(delivery: "Delivery", lag: "timedelta") -> dict[str, Any]:
    previous = delivery.previous
    return {
        "delivery_id": delivery.id,
        "revision": delivery.revision,
        "subscription": delivery.subscription.id,
        "recipient": delivery.subscription.recipient,
        "kind": delivery.kind.value,
        "window": window_json(delivery.window),
        "until": instant_json(delivery.until),
        "tick": instant_json(delivery.tick),
        "landing": delivery.landing_id,
        "read_point_from": instant_json(delivery.until + lag),
        "base": {"delivery_id": previous.delivery_id, "revision": previous.revision} if previous else None,
        "covers": [day.isoformat() for day in delivery.covers],
        "is_approximate": delivery.is_approximate,
    }
