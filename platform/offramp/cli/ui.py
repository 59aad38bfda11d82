"""``offramp ui``: Dagster's own web interface over this configuration."""
# ruff: noqa: PLC0415 - imports wait until a command needs them, so that quick commands stay quick

from typing import Annotated

import typer

from offramp.cli.invocation import Invocation
from offramp.cli.output import say


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ui)


def ui(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port on 127.0.0.1.")] = 3000,
) -> None:
    """Start the Dagster UI on 127.0.0.1 until it is interrupted."""
    from offramp.orchestration.run import start_ui

    settings = Invocation.of(context).settings
    say(f"opening http://127.0.0.1:{port} (end with Ctrl-C)")
    say("schedules are off until you switch them on there, under Automation")
    start_ui(settings, port=port)
