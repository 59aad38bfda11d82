"""``offramp build``: what a feed computes day by day, where no export asked for it yet."""

from typing import TYPE_CHECKING, Annotated

import typer

from offramp.cli.choosing import DateOption, FeedArgument, FromOption, QuietOption, ToOption, choose_days
from offramp.cli.invocation import Invocation
from offramp.cli.output import counted, say
from offramp.domain.errors import WrongUse, nearest
from offramp.domain.layers import feed_of_layers, layers_source
from offramp.domain.windows import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(build)


def build(
    context: typer.Context,
    *,
    feed: FeedArgument,
    day: DateOption = None,
    first: FromOption = None,
    last: ToOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the days and build nothing.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Build the layers of a feed that go on from day to day. Default: the days that are missing up to yesterday."""
    invocation = Invocation.of(context)
    rooms = invocation.rooms
    source = layers_source(feed)
    if source not in rooms.layers or not any(export.feed == feed for export in rooms.exports.values()):
        offered = {export.feed for export in rooms.exports.values()}
        todo = nearest(feed, {feed_of_layers(name) for name in rooms.layers} & offered)
        raise WrongUse(f"'{feed}' computes nothing day by day here", todo=todo)
    days: Sequence[date]
    if day is None and first is None and last is None:
        from offramp.pipeline.layers import missing_days

        yesterday = invocation.now().date() - DAY
        days = missing_days(rooms, source, yesterday)
        if not days:
            say(f"nothing is missing up to {yesterday}; the first build is made when something needs it")
            return
    else:
        days = choose_days(invocation.settings, day, first, last, now=invocation.now())
    shown = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    if dry_run:
        say(f"to build: {shown}, {counted(len(days), 'day')}")
        return
    from offramp.cli.running import build_and_print

    build_and_print(invocation, feed, days, shown, is_quiet=quiet)
