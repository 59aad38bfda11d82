"""``offramp ui``: Dagster's own web interface over this configuration."""

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from offramp.cli.invocation import Invocation
from offramp.cli.output import say
from offramp.domain.errors import WrongUse

if TYPE_CHECKING:
    from subprocess import Popen

_WORKSPACE = "workspace.yaml"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ui)


def ui(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port on 127.0.0.1.")] = 3000,
) -> None:
    """Start the Dagster UI on 127.0.0.1 until it is interrupted."""
    settings = Invocation.of(context).settings
    workspace = settings.file.parent / _WORKSPACE
    if not workspace.is_file():
        todo = f"put {_WORKSPACE} beside {settings.file.name}; it names the module offramp.definitions"
        raise WrongUse(f"there is no {_WORKSPACE}", where=str(workspace), todo=todo)

    from offramp.orchestration.ui import start_ui

    say(f"opening http://127.0.0.1:{port} (end with Ctrl-C)")
    say("schedules are off until you switch them on there, under Automation")
    process = start_ui(settings, workspace=workspace, port=port)
    # Else the web server and its daemon would live on without the command that started them.
    signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())
    raise typer.Exit(_wait(process))


def _wait(process: "Popen[bytes]") -> int:
    """Wait for the end, also after Ctrl-C, which the child gets, too. Being ended by a signal is no failure."""
    while True:
        try:
            return max(process.wait(), 0)
        except KeyboardInterrupt:
            continue
