"""``offramp demo``: the whole way on generated data, and ``offramp demo load``: that data into a real database."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offramp.cli.choosing import DateOption, QuietOption, check_due, crons_of, last_due_day
from offramp.cli.invocation import Invocation
from offramp.cli.output import byte_text, count_text, counted, print_table, say
from offramp.cli.sums import MANY, print_sums
from offramp.domain.deliveries import DELIVERED, Delivery
from offramp.domain.errors import WrongUse
from offramp.domain.windows import DAY

if TYPE_CHECKING:
    from datetime import date

    from offramp.cli.running import Finished
    from offramp.domain.deliveries import DeliveryRecord
    from offramp.domain.exports import Export
    from offramp.settings.values import Settings
    from offramp.sources.demo.source import DemoSource

_DEMO = "demo"
_KINDS = frozenset({_DEMO, "phones"})


def add_to(app: typer.Typer) -> None:
    """Add the group ``demo``, which does something by itself, too."""
    group = typer.Typer(help="Deliver the demo's last full data day, or load the demo into a database.")
    group.callback(invoke_without_command=True)(demo)
    group.command("load")(load)
    app.add_typer(group, name="demo")


def demo(
    context: typer.Context,
    day: DateOption = None,
    days: Annotated[int, typer.Option(min=1, help="How many data days, up to that one.")] = 1,
    scale: Annotated[
        float | None, typer.Option(min=0.01, max=10_000, help="How much of everything, in a folder of its own.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Generate the demo where it is missing, land it, deliver the last full data day, and read it all back."""
    if context.invoked_subcommand is not None:
        if (day, days, scale) != (None, 1, None):
            raise WrongUse("--date, --days and --scale are for the demo itself", todo="leave them out before a command")
        return
    invocation = Invocation.of(context)
    if scale is not None:
        invocation.use(_at_scale(invocation.settings, scale))
    settings = invocation.settings
    _refuse_remote(settings)
    exports = _demo_exports(invocation)
    crons = crons_of(exports, settings.subscriptions)
    now = invocation.now()
    last = day or last_due_day(crons, now)
    chosen = [one for one in (last - number * DAY for number in reversed(range(days))) if one >= settings.first_day]
    if not chosen:
        raise WrongUse(f"{last} is before the first data day", expected=f"a day from {settings.first_day} on")
    check_due(chosen, crons, now)

    from offramp.cli.running import Request, fail, run
    from offramp.pipeline.plan import PlanOptions

    _build_missing(invocation, chosen[0], is_quiet=quiet)

    finished = run(invocation, Request(exports=exports, days=chosen, options=PlanOptions()), is_quiet=quiet)
    differences = _print_read_back(invocation, finished)
    shown = str(chosen[-1]) if len(chosen) == 1 else f"{chosen[0]} to {chosen[-1]}"
    if finished.new:
        say(f"delivered: data day {shown}, {counted(len(finished.new), 'delivery')}")
    elif not finished.failures:
        say(f"nothing was delivered anew: data day {shown} was delivered before, and is as it was")
    for folder in sorted({str(folder) for one in finished.records for folder in _folders(settings, one).values()}):
        say(f"  files: {folder}")
    if scale is None:
        say("  runs, assets and checks in the browser: make ui")
    fail(invocation, [*finished.failures, *differences])


def _build_missing(invocation: Invocation, first: "date", *, is_quiet: bool) -> None:
    """Build the days between the last time that the demo ran and this, for what goes on from day to day."""
    from offramp.cli.running import build_and_print
    from offramp.domain.layers import feed_of_layers
    from offramp.pipeline.layers import missing_days

    rooms = invocation.rooms
    offered = {export.feed for export in rooms.exports.values()}
    for source in rooms.layers:
        days = missing_days(rooms, source, first - DAY) if feed_of_layers(source) in offered else ()
        if days:
            build_and_print(invocation, feed_of_layers(source), days, f"{days[0]} to {days[-1]}", is_quiet=is_quiet)


def _at_scale(settings: "Settings", scale: float) -> "Settings":
    """Return settings in which demos have a scale, and all that is written stands in a folder of its own.

    Another scale is another life: in one lake its rows would be changes of the first one's.
    """
    from pydantic import SecretStr

    from offramp.settings.destinations import LocalDestination
    from offramp.settings.shapes import EMBEDDED

    home = settings.lake.parent / f"scale-{scale:g}"
    return replace(
        settings,
        lake=home / "lake",
        ledger=SecretStr(f"sqlite:///{home / 'ledger.db'}"),
        scratch=home / "scratch",
        dagster_home=home / "dagster",
        sources={
            name: one.model_copy(update={"scale": scale}) if isinstance(one, EMBEDDED) else one
            for name, one in settings.sources.items()
        },
        destinations={
            name: LocalDestination(kind="local", path=home / name.replace(":", "-") / "{subscription}")
            for name in settings.destinations
        },
    )


def _refuse_remote(settings: "Settings") -> None:
    """Refuse to send generated rows to anybody's server."""
    used = {name for one in settings.subscriptions for name in one.destinations}
    remote = sorted(name for name in used if settings.destinations[name].kind != "local")
    if remote:
        raise WrongUse(
            "the demo delivers to folders of this machine alone",
            where=str(settings.file),
            found=", ".join(f"{name} ({settings.destinations[name].kind})" for name in remote),
            todo="to send its rows there all the same: offramp deliver; to keep them here: offramp demo --scale 1",
        )


def _demo_exports(invocation: Invocation) -> "list[Export]":
    """Return the exports of demo sources that somebody takes."""
    settings, project = invocation.settings, invocation.project
    demos = {name for name, source in settings.sources.items() if source.kind in _KINDS}
    if not demos:
        todo = "set kind: demo at a source, or deliver what there is: offramp deliver <feed>"
        raise WrongUse("no source is a demo", where=str(settings.file), found=", ".join(settings.sources), todo=todo)
    found = [
        export
        for export in invocation.exports().values()
        if project.source_of(export.model.name) in demos and crons_of([export], settings.subscriptions)
    ]
    if not found:
        todo = "add a recipient with a subscription"
        raise WrongUse("nobody takes an export of the demo", where=str(settings.file), todo=todo)
    return found


def _print_read_back(invocation: Invocation, finished: "Finished") -> list[str]:
    """Read every delivery back at its destinations, print what was found, and return the differences."""
    differences: list[str] = []
    rows = []
    checks: dict[tuple[str, int], str] = {}
    for record in finished.records:
        problems = _problems(invocation, record)
        differences += [f"{record.subscription_id} {record.export} {record.data_day}: {one}" for one in problems]
        first, others = (record.files or ("",))[0].rpartition("/")[2], len(record.files) - 1
        check = "differs" if problems else "good" if record.state in DELIVERED else record.state.value
        checks[record.delivery_id, record.revision] = check.removeprefix("good")
        size = (count_text(record.rows), byte_text(record.bytes))
        rows.append((record.recipient, record.export, *size, first + (f" +{others}" if others > 0 else ""), check))
    if len(rows) > MANY:
        print_sums(finished.records, lambda record: checks[record.delivery_id, record.revision])
    elif rows:
        print_table(("recipient", "export", "rows", "bytes", "file", "check"), rows, numbers=("rows", "bytes"))
    bad = sum(bool(check) for check in checks.values())
    if rows:
        say(f"{counted(len(rows), 'delivery')} read back, {bad or 'none'} with differences")
    return differences


def _problems(invocation: Invocation, record: "DeliveryRecord") -> list[str]:
    from offramp.pipeline.shelves import FolderShelf
    from offramp.pipeline.verify import verify_delivery

    if record.state not in DELIVERED:
        return []
    name = _manifest_name(invocation, record)
    folders = _folders(invocation.settings, record).values()
    checks = [verify_delivery(FolderShelf(folder), name) for folder in folders]
    return [f"{check.manifest}: {problem}" for check in checks for problem in check.problems]


def _manifest_name(invocation: Invocation, record: "DeliveryRecord") -> str:
    rooms = invocation.rooms
    subscription = next(one for one in rooms.subscriptions if one.id == record.subscription_id)
    delivery = Delivery(
        subscription, rooms.exports[record.export], record.data_day, record.tick, record.until, None, None, record.kind
    )
    return rooms.feeds[record.feed].manifest_name(replace(delivery, revision=record.revision))


def _folders(settings: "Settings", record: "DeliveryRecord") -> "dict[str, Path]":
    """Return the folders of a delivery's local destinations, by name; others are read back by publishing alone."""
    subscription = next((one for one in settings.subscriptions if one.id == record.subscription_id), None)
    if subscription is None:
        return {}
    places = {name: settings.destinations[name] for name in subscription.destinations}
    return {name: Path(place.folder(subscription)) for name, place in places.items() if place.kind == "local"}


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"'{text}' is not an instant; write it as 2026-11-22T00:05"
        raise typer.BadParameter(message) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def load(
    context: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="SOURCE", help="A PostgreSQL source of the settings.")],
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", parser=_instant, metavar="INSTANT", help="The state to load, UTC. Default: now."),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Bring a PostgreSQL source to the demo's state as of an instant; a second call changes only what differs."""
    from offramp.cli.progress import progress
    from offramp.settings.shapes import PostgresSource
    from offramp.sources.demo.load import load_demo

    invocation = Invocation.of(context)
    settings = invocation.settings
    target = settings.source(to)
    if not isinstance(target, PostgresSource):
        raise WrongUse(f"the source '{to}' is no database", expected="kind: postgres", found=f"kind: {target.kind}")
    instant = as_of or invocation.now()
    with progress(is_quiet=quiet) as report:

        def tell(step: str, *, rows: int = 0, bytes_: int = 0) -> None:
            report("load", step, rows=rows, bytes_=bytes_)

        demo_source = _demo_source(invocation)
        dsn = target.url.get_secret_value()
        loaded = load_demo(demo_source, dsn, schema=target.schema_name, as_of=instant, progress=tell)
    print_table(("table", "rows"), ((name, count_text(rows)) for name, rows in loaded.items()), numbers=("rows",))
    say(f"'{to}' holds the demo as of {instant:%Y-%m-%d %H:%M:%S} UTC")


def _demo_source(invocation: Invocation) -> "DemoSource":
    """Return the demo of the settings, or where there is none, one that begins on the first data day."""
    from offramp.sources.demo.source import DemoSource

    settings = invocation.settings
    configured = next((one for one in invocation.rooms.sources.values() if isinstance(one, DemoSource)), None)
    return configured or DemoSource(
        name=_DEMO,
        folder=settings.lake.parent / _DEMO,
        seed=7,
        start_on=settings.first_day,
        days=None,
        scale=1,
        clock=invocation.now,
        memory_bytes=settings.limits.memory_bytes,
    )
