"""``offramp catalog`` and ``offramp show``: what can be delivered, and one export in full."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offramp.cli.choosing import JsonOption, choose_export, choose_exports
from offramp.cli.definitions import definition_lists, print_counts, print_definitions
from offramp.cli.invocation import Invocation
from offramp.cli.output import print_json, print_table, say
from offramp.domain.deliveries import Delivery, Kind
from offramp.domain.exports import Export, Mode
from offramp.domain.subscriptions import Subscription
from offramp.domain.windows import tick_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_EXAMPLE_CRON = "10 0 * * *"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(catalog)
    app.command()(show)


def catalog(
    context: typer.Context,
    feed: Annotated[
        str | None, typer.Option("--feed", metavar="NAME", help="Only this feed, and how much of it is computed.")
    ] = None,
    definitions: Annotated[
        bool,
        typer.Option("--definitions", help="What each attribute, moment or segment means, and which are computed."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List all exports: kind, columns, schedule and who takes them."""
    invocation = Invocation.of(context)
    exports = list(invocation.exports().values())
    chosen = exports if feed is None else choose_exports(exports, feed=feed)
    found = [_summary(export, invocation.settings.subscriptions) for export in chosen]
    feeds = sorted({export.feed for export in chosen}) if feed is not None or definitions else []
    lists = definition_lists(invocation, feeds)
    if as_json:
        told = {"definitions": [one.as_json(has_rows=definitions) for one in lists]} if feeds else {}
        print_json({"exports": found, **told})
        return
    if definitions:
        print_definitions(lists)
    else:
        _print_exports(found)
    print_counts(lists)


def _print_exports(found: "Sequence[dict[str, Any]]") -> None:
    print_table(
        ("export", "kind", "format", "columns", "schedule", "recipients"),
        (
            (
                one["export"],
                one["kind"],
                one["format"],
                str(one["columns"]),
                ", ".join(one["schedules"]) or "off",
                ", ".join(one["recipients"]) or "nobody",
            )
            for one in found
        ),
        numbers=("columns",),
    )
    say(f"{len(found)} exports; one in full: offramp show {found[0]['export'] if found else '<export>'}")


def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="EXPORT", help="Its name, for example media/delta/users.")],
    as_json: JsonOption = False,
) -> None:
    """Show one export: columns, key, tests, schedule, file names and who takes it."""
    invocation = Invocation.of(context)
    export = choose_export(invocation.exports(), name)
    subscriptions, today = invocation.settings.subscriptions, invocation.now().date()
    document = _summary(export, subscriptions) | {
        "description": export.model.description,
        "owners": list(export.model.owners),
        "key": list(export.contract.key),
        "change_column": export.contract.change_column,
        "tenant_column": export.model.tenant_column,
        "file": export.model.file,
        "columns": export.contract.as_json(),
        "tests": [
            {"name": test.name, "column": test.column, "severity": test.severity, "description": test.description}
            for test in invocation.project.model(export.model.name).tests
        ],
        "example": _example_names(export, _anybody(export), today),
        "subscriptions": [_subscription(export, one, today) for one in subscriptions if _cron(export, one)],
    }
    if as_json:
        print_json(document)
    else:
        _print_export(document)


def _print_export(document: dict[str, Any]) -> None:
    say(f"{document['export']}: {document['description']}")
    say(f"  {document['kind']} rows as {document['format']}, key {', '.join(document['key'])}", to_stderr=False)
    say(f"  changes are dated by {document['change_column'] or 'nothing'}; the model is {document['file']}")
    default = document["default_schedule"]
    say(f"  schedule {default['variable']}, by default '{default['cron']}' (UTC)" if default else "  no schedule")
    say(f"  file, for example {document['example']['rows']}\n")
    print_table(
        ("column", "type", "null", "key", "meaning"),
        (
            (
                column["name"],
                column["type"],
                "yes" if column["nullable"] else "",
                "key" if column["key"] else (column["references"] or ""),
                column["description"],
            )
            for column in document["columns"]
        ),
    )
    say()
    print_table(("test", "on failure", "meaning"), _test_rows(document["tests"]))
    say()
    rows = [
        (one["recipient"], one["id"], one["cron"], ", ".join(one["destinations"]), one["example"]["rows"])
        for one in document["subscriptions"]
    ]
    print_table(("recipient", "subscription", "schedule", "to", "next file"), rows)
    if not rows:
        say("nobody takes it")


def _test_rows(tests: "Sequence[dict[str, Any]]") -> list[tuple[str, str, str]]:
    return [
        (test["name"], "nothing is delivered" if test["severity"] == "error" else "a warning", test["description"])
        for test in tests
    ]


def _summary(export: Export, subscriptions: "Sequence[Subscription]") -> dict[str, Any]:
    takers = {one.recipient: cron for one in subscriptions if (cron := _cron(export, one))}
    schedule = next((one for one in export.model.schedules if export.mode in one.modes), None)
    return {
        "export": export.name,
        "feed": export.feed,
        "mode": export.mode.value,
        "entity": export.entity,
        "kind": export.model.kind.value,
        "format": export.default_format.value,
        "columns": len(export.contract.columns),
        "default_schedule": {"variable": schedule.variable, "cron": schedule.default} if schedule else None,
        "schedules": sorted(set(takers.values())),
        "recipients": sorted(takers),
    }


def _cron(export: Export, subscription: Subscription) -> str | None:
    from offramp.feeds.registry import FEEDS

    return FEEDS[export.feed].cron(subscription, export) if subscription.feed == export.feed else None


def _destinations(export: Export, subscription: Subscription) -> tuple[str, ...]:
    from offramp.feeds.registry import FEEDS

    return FEEDS[export.feed].destinations(subscription, export)


def _subscription(export: Export, one: Subscription, today: date) -> dict[str, Any]:
    return {
        "id": one.id,
        "recipient": one.recipient,
        "tenants": list(one.tenants),
        "cron": _cron(export, one),
        "destinations": list(_destinations(export, one)),
        "example": _example_names(export, one, today),
    }


def _anybody(export: Export) -> Subscription:
    return Subscription("example", "example", export.feed, tenants=("example",), starts_on=date.min, destinations=())


def _example_names(export: Export, subscription: Subscription, today: date) -> dict[str, Any]:
    """Return the names that the delivery of today's data day will have."""
    from offramp.feeds.registry import FEEDS

    feed = FEEDS[export.feed]
    tick = _next_tick(_cron(export, subscription) or _EXAMPLE_CRON, today)
    until = feed.window(subscription, export, tick).end
    delivery = Delivery(subscription, export, today, tick, until, None, None, Kind.REGULAR)
    sends_deletes = subscription.sends_deletes and export.mode is Mode.DELTA
    return {
        "rows": feed.rows_name(delivery, 1, 1),
        "deletes": feed.deletes_name(delivery) if sends_deletes else None,
        "manifest": feed.manifest_name(delivery),
    }


def _next_tick(cron: str, day: date) -> "datetime":
    while (tick := tick_of(cron, day)) is None:
        day += timedelta(days=1)
    return tick
