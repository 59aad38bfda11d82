"""Shows how far long work is: a live line in a terminal, one line per finished piece elsewhere."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from rich.progress import Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from offramp.cli.output import byte_text, console
from offramp.pipeline.rooms import no_report
from offramp.pipeline.uploads import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import Task, TaskID

    from offramp.pipeline.rooms import Report

_PUBLISH, _LAND = "publish", "land"
_TOLD = frozenset({"retry", "warning"})


@contextmanager
def progress(*, is_quiet: bool) -> "Iterator[Report]":
    """Give what pipeline reports to. It writes to stderr, so that stdout holds results only."""
    shown_at = console(to_stderr=True)
    if is_quiet:
        yield no_report
    elif shown_at.is_terminal:
        what = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
        columns = (SpinnerColumn(), what, _Far(table_column=Column(no_wrap=True)), TimeElapsedColumn())
        with Progress(*columns, console=shown_at, transient=True, expand=True) as live:
            yield _Live(live, live.add_task("starting", total=None))
    else:
        yield _Lines(shown_at)


@contextmanager
def counting(what: str, *, is_quiet: bool) -> "Iterator[Callable[[int, int], None]]":
    """Give what is told how many of how many pieces are done. Only a terminal shows it."""
    shown_at = console(to_stderr=True)
    if is_quiet or not shown_at.is_terminal:
        yield lambda _done, _of: None
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=shown_at,
                  transient=True) as live:  # fmt: skip
        task = live.add_task(what, total=None)
        yield lambda done, of: live.update(task, description=f"{what}: {done:,} of {of:,}")


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
    uploads: "dict[str, TaskID]" = field(default_factory=dict)

    def __call__(self, step: str, subject: str, *, rows: int = 0, bytes_: int = 0, of_bytes: int = 0) -> None:
        """Show the step under way and the totals; long uploads have lines of their own while they last."""
        if of_bytes:
            self._upload(subject, bytes_, of_bytes)
            return
        if step in _TOLD:
            self.live.console.print(f"{step} {subject}", soft_wrap=True)
            return
        self.live.update(self.task, description=f"{self.totals.add(step, rows, bytes_)} | {step} {subject}")

    def _upload(self, subject: str, bytes_: int, of_bytes: int) -> None:
        with self.totals.lock:
            if subject not in self.uploads:
                self.uploads[subject] = self.live.add_task(f"upload {subject}", total=of_bytes)
            task = self.uploads[subject]
            self.live.advance(task, bytes_)
            if next(one.finished for one in self.live.tasks if one.id == task):
                self.live.remove_task(self.uploads.pop(subject))


class _Far(ProgressColumn):
    """How far an upload is: bytes, rate, and the time that is left. Nothing for tasks without an end."""

    def render(self, task: "Task") -> Text:
        if task.total is None:
            return Text()
        rate, left = task.speed, task.time_remaining
        said = f"{task.percentage:.0f} % of {byte_text(int(task.total))}"
        said += f", {byte_text(int(rate))}/s" if rate else ""
        return Text(said + (f", {left:,.0f} s left" if left is not None else ""))


@dataclass(slots=True)
class _Lines:
    shown_at: "Console"
    meter: Meter = field(default_factory=Meter)

    def __call__(self, step: str, subject: str, *, rows: int = 0, bytes_: int = 0, of_bytes: int = 0) -> None:
        """Print what is finished, a landed table or a published delivery, what is tried again, and long uploads."""
        if of_bytes:
            far = self.meter.add(subject, bytes_, of_bytes)
            if far is not None:
                self.shown_at.print(f"{step} {subject}: {far}", soft_wrap=True)
        elif step in _TOLD:
            self.shown_at.print(f"{step} {subject}", soft_wrap=True)
        elif step == _PUBLISH or (step == _LAND and rows):
            size = f", {byte_text(bytes_)}" if bytes_ else ""
            self.shown_at.print(f"{step} {subject}: {rows:,} rows{size}", soft_wrap=True)
