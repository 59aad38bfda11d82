"""Turns what the caller wrote (feeds, entities, days, recipients) into values, or says which names are valid."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from offramp.domain.errors import NotYetDue, WrongUse, nearest
from offramp.domain.exports import Export, Mode
from offramp.domain.windows import DAY, tick_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from offramp.domain.subscriptions import Subscription
    from offramp.settings.values import Settings

_LOOK_BACK = timedelta(days=7)


def parse_day(text: str) -> date:
    """Read a day as callers write it; typer.BadParameter where it is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        message = f"'{text}' is not a day; write it as 2026-11-21"
        raise typer.BadParameter(message) from error


_DAY_METAVAR = "YYYY-MM-DD"
DateOption = Annotated[
    date | None,
    typer.Option(
        "--date", parser=parse_day, metavar=_DAY_METAVAR, help="The data day, UTC: the day whose rows are meant."
    ),
]
FromOption = Annotated[
    date | None, typer.Option("--from", parser=parse_day, metavar=_DAY_METAVAR, help="The first data day of a range.")
]
ToOption = Annotated[
    date | None, typer.Option("--to", parser=parse_day, metavar=_DAY_METAVAR, help="The last data day of a range.")
]
EntityOption = Annotated[
    list[str] | None, typer.Option("--entity", metavar="NAME", help="Only this entity; may be repeated.")
]
ModeOption = Annotated[list[Mode] | None, typer.Option("--mode", help="Only this mode; may be repeated.")]
RecipientOption = Annotated[
    list[str] | None, typer.Option("--recipient", metavar="NAME", help="Only this one; may be repeated.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress.")]
FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help="The feed, for example media.")]


def choose_exports(
    exports: "Iterable[Export]", *, feed: str, entities: "Sequence[str]" = (), modes: "Sequence[Mode]" = ()
) -> list[Export]:
    """Return a feed's exports of some entities and modes, by name; WrongUse names the nearest of a wrong name."""
    known = list(exports)
    feeds = {export.feed for export in known}
    if feed not in feeds:
        raise WrongUse(f"'{feed}' is not a feed", todo=nearest(feed, feeds))
    own = [export for export in known if export.feed == feed]
    for entity in entities:
        if entity not in {export.entity for export in own}:
            todo = nearest(entity, {export.entity for export in own})
            raise WrongUse(f"'{entity}' is not an entity of the feed {feed}", todo=todo)
    mine = [export for export in own if not entities or export.entity in entities]
    chosen = [export for export in mine if not modes or export.mode in modes]
    if not chosen:
        raise WrongUse(
            f"none of these is delivered as {', '.join(modes)}",
            expected=", ".join(export.name for export in mine),
        )
    return chosen


def choose_export(exports: "Mapping[str, Export]", name: str) -> Export:
    """Return an export by its name; WrongUse names the nearest."""
    if name not in exports:
        raise WrongUse(f"'{name}' is not an export", todo=nearest(name, exports))
    return exports[name]


def choose_recipients(settings: "Settings", names: "Sequence[str]", *, feed: str | None = None) -> tuple[str, ...]:
    """Return recipients that have a subscription (of the feed); WrongUse names the nearest of a wrong name."""
    known = {one.recipient for one in settings.subscriptions}
    subscribed = {one.recipient for one in settings.subscriptions if feed in {None, one.feed}}
    for name in names:
        if name not in known:
            raise WrongUse(f"'{name}' is not a recipient", todo=nearest(name, known))
        if name not in subscribed:
            todo = f"add a subscription of {feed} to {settings.file.name}"
            raise WrongUse(f"'{name}' does not take the feed {feed}", expected=", ".join(sorted(subscribed)), todo=todo)
    return tuple(names)


def choose_days(
    settings: "Settings", day: date | None, first: date | None, last: date | None, *, now: datetime
) -> list[date]:
    """Return the data days asked for: one, a range, or yesterday (UTC) where nothing is said."""
    yesterday = now.date() - DAY
    if day is not None and (first is not None or last is not None):
        raise WrongUse("--date is one day, --from and --to are a range", todo="give the one or the other")
    if last is not None and first is None:
        raise WrongUse("--to needs --from", todo="give the first day of the range, too")
    if day is None and first is None:
        day = yesterday
    start = first or day
    assert start is not None  # noqa: S101 - narrows the type: one of the two is there
    end = last or (start if first is None else max(start, yesterday))
    if end < start:
        raise WrongUse("the range ends before it starts", found=f"--from {start} --to {end}")
    if start < settings.first_day:
        raise WrongUse(
            f"{start} is before the first data day",
            expected=f"a day from {settings.first_day} on",
            todo=f"ask for a later day, or set first_day in {settings.file.name} earlier",
        )
    return [start + number * DAY for number in range((end - start).days + 1)]


def crons_of(exports: "Iterable[Export]", subscriptions: "Iterable[Subscription]") -> list[str]:
    """Return the crons by which subscriptions take exports, each once."""
    from offramp.feeds.registry import FEEDS

    taken = list(subscriptions)
    found = (FEEDS[export.feed].cron(one, export) for export in exports for one in taken if one.feed == export.feed)
    return sorted({cron for cron in found if cron})


def check_due(days: "Sequence[date]", crons: "Sequence[str]", now: datetime) -> None:
    """Raise NotYetDue where nothing of the last day can be due yet, saying when it will be."""
    day = days[-1]
    ticks = [tick for tick in (tick_of(cron, day) for cron in crons) if tick is not None]
    # A day that no schedule fires for owes nothing; that is said where its deliveries are listed.
    if (ticks and min(ticks) > now) or (not ticks and day >= now.date()):
        due = f"it is due at {min(ticks):%Y-%m-%d %H:%M} UTC" if ticks else "no schedule fires for it"
        raise NotYetDue(
            f"the data day {day} is not {'over' if day >= now.date() else 'due yet'}: {due}",
            expected=f"a data day up to {last_due_day(crons, now)}",
            found=f"{day}, and it is {now:%Y-%m-%d %H:%M} UTC now",
            todo="ask for an earlier day, or again after that time",
        )


def last_due_day(crons: "Sequence[str]", now: datetime) -> date:
    """Return the last full data day whose schedules have all fired."""
    yesterday = now.date() - DAY
    day = yesterday
    while day > yesterday - _LOOK_BACK:
        ticks = [tick for tick in (tick_of(cron, day) for cron in crons) if tick is not None]
        if ticks and max(ticks) <= now:
            return day
        day -= DAY
    return yesterday
