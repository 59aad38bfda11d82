"""``offramp config check``: are the settings and the project right, and what will be delivered when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offramp.cli.choosing import JsonOption, last_due_day
from offramp.cli.invocation import Invocation
from offramp.cli.output import counted, instant_json, place_text, print_json, print_table, say, until_text, window_json
from offramp.domain.errors import OfframpError, SettingsError, WrongUse, nearest
from offramp.domain.exports import Export, Mode
from offramp.domain.windows import Window, tick_of

if TYPE_CHECKING:
    from offramp.domain.subscriptions import Subscription

_PROBE = "_manifests/connection-check"


@dataclass(slots=True)
class _Findings:
    errors: list[OfframpError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    exports: dict[str, Export] = field(default_factory=dict)


def add_to(app: typer.Typer) -> None:
    """Add the group ``config``."""
    group = typer.Typer(help="Settings.", no_args_is_help=True)
    group.callback()(_config)
    group.command("check")(check)
    app.add_typer(group, name="config")


def _config() -> None:
    """Check the settings."""


def check(
    context: typer.Context,
    connect: Annotated[bool, typer.Option("--connect", help="Also try each source and destination.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check settings, models and options, and print what each subscription receives and when. Exit code 2: wrong."""
    invocation = Invocation.of(context)
    findings = _findings(invocation, connect=connect)
    document = _document(invocation, findings)
    if as_json:
        print_json(document)
    else:
        _print(document, findings, invocation)
    if findings.errors:
        raise typer.Exit(2 if any(isinstance(error, WrongUse) for error in findings.errors) else 1)


def _findings(invocation: Invocation, *, connect: bool) -> _Findings:
    """Collect as many faults as can be told apart: what is wrong early hides what depends on it."""
    findings = _Findings()
    try:
        settings = invocation.settings
        findings.exports = dict(invocation.exports())
        findings.errors += _model_faults(invocation)
        from offramp.settings.checking import check_subscriptions

        findings.warnings += check_subscriptions(settings, findings.exports.values())
    except WrongUse as error:
        findings.errors.append(error)
    if connect and not findings.errors:
        findings.errors += _connection_faults(invocation)
    return findings


def _model_faults(invocation: Invocation) -> Iterator[OfframpError]:
    from offramp.sql.tenancy import tenancy_problems

    settings, project = invocation.settings, invocation.project
    yield from tenancy_problems(project)
    for source in sorted({project.source_of(export.model.name) for export in invocation.exports().values()}):
        if source not in settings.sources:
            yield SettingsError(
                f"the models read the source '{source}', and no source has that name",
                file=settings.file,
                todo=f"declare it under sources:; {nearest(source, settings.sources)}",
            )


def _connection_faults(invocation: Invocation) -> Iterator[OfframpError]:
    rooms = invocation.rooms
    for source in rooms.sources.values():
        try:
            source.read_point()
        except OfframpError as error:
            yield error
    for subscription in rooms.subscriptions:
        for name in subscription.destinations:
            try:
                rooms.destination(name, subscription).stat(_PROBE)
            except OfframpError as error:
                yield error


def _document(invocation: Invocation, findings: _Findings) -> dict[str, Any]:
    is_read = not findings.errors or bool(findings.exports)
    subscriptions = invocation.settings.subscriptions if is_read else ()
    return {
        "file": str(invocation.settings.file) if is_read else None,
        "is_good": not findings.errors,
        "errors": [_error(error, invocation) for error in findings.errors],
        "warnings": findings.warnings,
        "subscriptions": [_subscription(one, invocation, findings) for one in subscriptions],
    }


def _error(error: OfframpError, invocation: Invocation) -> dict[str, Any]:
    facts = {"where": error.where, "what": error.what, "expected": error.expected, "found": error.found}
    texts = {**facts, "todo": error.todo}
    return {name: None if text is None else invocation.redact(str(text)) for name, text in texts.items()}


def _subscription(one: "Subscription", invocation: Invocation, findings: _Findings) -> dict[str, Any]:
    settings = invocation.settings
    now = invocation.now()
    exports = [export for export in findings.exports.values() if export.feed == one.feed]
    return {
        "id": one.id,
        "recipient": one.recipient,
        "feed": one.feed,
        "tenants": list(one.tenants),
        "starts_on": one.starts_on.isoformat(),
        "initial": one.initial.value,
        "prefix": one.prefix,
        "options": {
            name: {"value": value, "from": _origin(one, name, invocation)} for name, value in one.options.items()
        },
        "personal": _personal(one, exports),
        "destinations": [
            {
                "name": name,
                "kind": settings.destinations[name].kind,
                "place": settings.destinations[name].shown(one),
                "endpoint": settings.destinations[name].endpoint,
            }
            for name in one.destinations
        ],
        "exports": [_export(one, export, now) for export in exports],
    }


def _origin(one: "Subscription", option: str, invocation: Invocation) -> str:
    file, line = invocation.settings.place(one, option)
    return str(file) if line is None else f"line {line}"


def _personal(one: "Subscription", exports: Iterable[Export]) -> dict[str, list[str]]:
    """Return the personal columns that the subscription receives hashed or not at all, as entity.column."""
    from offramp.domain.personal import Treatment

    contracts = {export.entity: export.contract for export in exports if one.takes(export.entity)}
    return {
        treatment.value: [
            f"{entity}.{name}"
            for entity, contract in contracts.items()
            for name in one.personal.of(entity, contract, treatment)
        ]
        for treatment in (Treatment.HASHED, Treatment.LEFT_OUT)
    }


def _export(one: "Subscription", export: Export, now: datetime) -> dict[str, Any]:
    from offramp.feeds.registry import FEEDS

    feed = FEEDS[one.feed]
    cron = feed.cron(one, export)
    facts = ("data_day", "tick", "until", "window")
    found: dict[str, Any] = {"export": export.name, "cron": cron, "off": feed.off_reason(one, export)}
    found |= dict.fromkeys(facts)
    day = last_due_day([cron], now) if cron else None
    tick = tick_of(cron, day) if cron and day else None
    if day is None or tick is None:
        return found
    window = feed.window(one, export, tick)
    is_delta = export.mode is Mode.DELTA
    return found | {
        "data_day": day.isoformat(),
        "tick": instant_json(tick),
        "until": instant_json(window.end),
        "window": window_json(window) if is_delta else None,
    }


def _window_text(export: dict[str, Any]) -> str:
    window = export["window"] or {}
    instants = {name: datetime.fromisoformat(text) for name, text in window.items()}
    if export["until"] is None:
        return ""
    return until_text(Window(**instants) if instants else None, datetime.fromisoformat(export["until"]))


def _print_sums(one: dict[str, Any]) -> None:
    """Print what empty schedules and lists came to, which options are set, and what becomes of personal columns."""
    off: dict[str, list[str]] = {}
    for export in one["exports"]:
        if export["off"]:
            off.setdefault(export["off"], []).append(export["export"])
    due = len(one["exports"]) - sum(map(len, off.values()))
    say(f"  {due} of {counted(len(one['exports']), 'export')} are due")
    for reason, names in off.items():
        _say_wrapped(f"off because {reason}: {', '.join(names)}")
    for name, option in one["options"].items():
        _say_wrapped(f"{name}={option['value'].replace(',', ', ')!r} ({option['from']})")
    for treatment, columns in one["personal"].items():
        if columns:
            _say_wrapped(f"{treatment.replace('_', ' ')}: {', '.join(columns)}")


def _say_wrapped(text: str) -> None:
    say(
        fill(
            text,
            width=98,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
            break_long_words=False,
        )
    )


def _print(document: dict[str, Any], findings: _Findings, invocation: Invocation) -> None:
    for one in document["subscriptions"]:
        subscription = next(it for it in invocation.settings.subscriptions if it.id == one["id"])
        say(
            f"{one['id']}: {one['recipient']} takes {one['feed']} of {', '.join(one['tenants'])}"
            f" from {one['starts_on']} on"
        )
        for place in one["destinations"]:
            say(f"  to {place['name']} ({place['kind']}): {place_text(place['place'], place['endpoint'])}")
        print_table(
            ("export", "schedule (UTC)", "last window (UTC)"),
            (
                (export["export"], export["cron"] or "off", _window_text(export))
                for export in one["exports"]
                if subscription.takes(findings.exports[export["export"]].entity)
            ),
        )
        _print_sums(one)
        say()
    for warning in findings.warnings:
        say(f"warning: {warning}")
    for error in findings.errors:
        say(invocation.redact(f"error: {error}"), to_stderr=True)
    exports, subscriptions = len(findings.exports), len(document["subscriptions"])
    state = counted(len(findings.errors), "error") if findings.errors else "the configuration is right"
    warnings = counted(len(findings.warnings), "warning")
    say(f"{state}: {counted(exports, 'export')}, {counted(subscriptions, 'subscription')}, {warnings}")
