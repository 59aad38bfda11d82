"""Shows how far long work is: a live line in a terminal, one line per finished piece elsewhere."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from offramp.cli.output import byte_text, console
from offramp.pipeline.rooms import no_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import TaskID

    from offramp.pipeline.rooms import Report

_PUBLISH, _LAND = "publish", "land"


@contextmanager
def progress(*, is_quiet: bool) -> "Iterator[Report]":
    """Give what pipeline reports to. It writes to stderr, so that stdout holds results only."""
    shown_at = console(to_stderr=True)
    if is_quiet:
        yield no_report
    elif shown_at.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=shown_at, transient=True) as live:
            yield _Live(live, live.add_task("starting"))
    else:
        yield _Lines(shown_at)


@dataclass(slots=True)
class _Totals:
    """What was done so far. Reports come from several threads."""

    rows: int = 0
    bytes: int = 0
    deliveries: int = 0
    lock: Lock = field(default_factory=Lock)

    def add(self, step: str, rows: int, count: int) -> str:
        with self.lock:
            if step == _PUBLISH:
                self.rows, self.bytes, self.deliveries = self.rows + rows, self.bytes + count, self.deliveries + 1
            return f"{self.deliveries} delivered, {self.rows:,} rows, {byte_text(self.bytes)}"


@dataclass(slots=True)
class _Live:
    live: Progress
    task: "TaskID"
    totals: _Totals = field(default_factory=_Totals)

    def __call__(self, step: str, subject: str, *, rows: int = 0, bytes_: int = 0) -> None:
        """Show the step under way and the totals."""
        self.live.update(self.task, description=f"{self.totals.add(step, rows, bytes_)} | {step} {subject}")


@dataclass(slots=True)
class _Lines:
    shown_at: "Console"

    def __call__(self, step: str, subject: str, *, rows: int = 0, bytes_: int = 0) -> None:
        """Print what is finished: a landed table, a published delivery."""
        if step == _PUBLISH or (step == _LAND and rows):
            size = f", {byte_text(bytes_)}" if bytes_ else ""
            self.shown_at.print(f"{step} {subject}: {rows:,} rows{size}", soft_wrap=True)
