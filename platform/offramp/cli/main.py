"""The ``offramp`` command: its groups of commands, its global options, and how errors end it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from offramp.cli import build, catalog, config, deliver, deliveries, demo, destination, plan, redeliver, ui, verify
from offramp.cli.invocation import Invocation
from offramp.cli.output import say
from offramp.domain.errors import OfframpError, WrongUse

FAILED, WRONG_USE = 1, 2

app = typer.Typer(
    name="offramp",
    help="Deliver exports to recipients, every day, complete or not at all.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (demo, catalog, plan, build, deliver, deliveries, redeliver, verify, destination, config, ui):
    group.add_to(app)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        say(f"offramp {version('offramp')}")
        raise typer.Exit


@app.callback()
def _global_options(
    context: typer.Context,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="PATH", help="The settings; default: ./offramp.yaml.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    Invocation.of(context).config = config_file


def run(arguments: list[str] | None = None) -> None:
    """Run a command and end the process: 0 done, 1 something failed, 2 wrong use."""
    invocation = Invocation()
    try:
        app(args=arguments, prog_name="offramp", obj=invocation)
    except OfframpError as error:
        say(invocation.redact(f"error: {error}"), to_stderr=True)
        sys.exit(WRONG_USE if isinstance(error, WrongUse) else FAILED)
    finally:
        invocation.close()
