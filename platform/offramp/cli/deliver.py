"""``offramp deliver``: what a feed owes, through Dagster, as the schedules would."""

from typing import Annotated

import typer

from offramp.cli.choosing import (
    DateOption,
    EntityOption,
    FeedArgument,
    FromOption,
    ModeOption,
    QuietOption,
    RecipientOption,
    ToOption,
    check_due,
    choose_days,
    choose_exports,
    choose_recipients,
    crons_of,
)
from offramp.cli.invocation import Invocation


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(deliver)


def deliver(
    context: typer.Context,
    *,
    feed: FeedArgument,
    day: DateOption = None,
    first: FromOption = None,
    last: ToOption = None,
    entity: EntityOption = None,
    mode: ModeOption = None,
    recipient: RecipientOption = None,
    force: Annotated[bool, typer.Option("--force", help="Deliver days that a later delivery caught up.")] = False,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Cut a delta from a later landing where its own is gone.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and write nothing.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Deliver what is owed for data days; what was delivered before stays as it is. Default: yesterday, UTC."""
    from offramp.pipeline.plan import PlanOptions

    invocation = Invocation.of(context)
    settings = invocation.settings
    exports = choose_exports(invocation.exports().values(), feed=feed, entities=entity or (), modes=mode or ())
    recipients = choose_recipients(settings, recipient or (), feed=feed)
    days = choose_days(settings, day, first, last, now=invocation.now())
    options = PlanOptions(recipients=recipients, force=force, is_approximate=approximate)
    if dry_run:
        from offramp.cli.plan import print_plans

        print_plans(invocation, exports, days, options)
        return
    takers = [one for one in settings.subscriptions if not recipients or one.recipient in recipients]
    check_due(days, crons_of(exports, takers), invocation.now())

    from offramp.cli.running import Request, run_and_print

    run_and_print(invocation, Request(exports=exports, days=days, options=options), is_quiet=quiet)
