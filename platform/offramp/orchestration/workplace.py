"""What the steps of one run share: the rooms, opened when first needed, and what each export did."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from offramp.pipeline.rooms import no_report
from offramp.pipeline.uploads import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from offramp.pipeline.deliver import DayReport
    from offramp.pipeline.rooms import Report, Rooms
    from offramp.sql.lineage import Lineages

WORKPLACE = "workplace"
_LOG_EVERY_ROWS = 1_000_000
_WARNINGS = frozenset({"retry", "warning"})
_IN_METADATA = frozenset({"stage", "publish"})


class Workplace:
    """The resource of a run. ``reports`` by export and day is how an asset learns what its IO manager did."""

    def __init__(
        self, open_rooms: Callable[[], Rooms], report: Report = no_report, redact: Callable[[str], str] = str
    ) -> None:
        self._open_rooms = open_rooms
        self._report = report
        self.redact = redact
        self.reports: dict[tuple[str, date], DayReport] = {}

    @cached_property
    def rooms(self) -> Rooms:
        """The rooms of this run."""
        return self._open_rooms()

    @cached_property
    def lineages(self) -> Lineages:
        """What the columns of models are made of."""
        # Only a run needs it: the code location does not wait for it.
        from offramp.sql.lineage import lineages_of  # noqa: PLC0415

        return lineages_of(self.rooms.project, self.rooms.layers)

    def leave(self) -> None:
        """Close the connections to destinations, if the rooms were opened."""
        if "rooms" in vars(self):
            self.rooms.hang_up()

    def touched(self, feed: str, day: date) -> frozenset[date]:
        """Return the days that this run's exports of a feed touched while they worked on a day."""
        mine = (report for (_, one), report in self.reports.items() if one == day and report.export.feed == feed)
        return frozenset(touched for report in mine for touched in report.days)

    def told(self, log: dg.DagsterLogManager) -> Report:
        """Return a report that writes to a run's log and passes on."""
        return _LoggedReport(log, self._report)


class _LoggedReport:
    """Writes what takes long, a line per million rows: an event in Dagster's storage costs milliseconds, a batch less.

    Small deliveries have no lines of their own: their files, rows and destinations stand in the day's metadata.
    """

    def __init__(self, log: dg.DagsterLogManager, onward: Report) -> None:
        self._log = log
        self._onward = onward
        self._rows: dict[tuple[str, str], int] = {}
        self._meter = Meter()

    def __call__(self, step: str, subject: str, *, rows: int = 0, bytes_: int = 0, of_bytes: int = 0) -> None:
        """Report rows and bytes of a step's subject."""
        self._onward(step, subject, rows=rows, bytes_=bytes_, of_bytes=of_bytes)
        if of_bytes:
            far = self._meter.add(subject, bytes_, of_bytes)
            if far is not None:
                self._log.info(f"{step} {subject}: {far}")
            return
        if step in _WARNINGS:
            self._log.warning(f"{step} {subject}")
            return
        is_first = (step, subject) not in self._rows
        before = self._rows.get((step, subject), 0)
        now = self._rows[step, subject] = before + rows
        is_table = step == "land" and "." in subject  # their rows stand in the landing's metadata
        is_told = is_first and step not in _IN_METADATA
        if not is_table and (is_told or before // _LOG_EVERY_ROWS != now // _LOG_EVERY_ROWS):
            size = f", {bytes_:,} bytes" if bytes_ else ""
            self._log.info(f"{step} {subject}: {now:,} rows{size}")


def workplace_resource(
    open_rooms: Callable[[], Rooms], report: Report = no_report, redact: Callable[[str], str] = str
) -> dg.ResourceDefinition:
    """Return the resource: a new workplace for each run, which hangs up at its end."""

    @contextmanager
    def opened(_: dg.InitResourceContext) -> Iterator[Workplace]:
        workplace = Workplace(open_rooms, report, redact)
        try:
            yield workplace
        finally:
            workplace.leave()

    return dg.ResourceDefinition(
        resource_fn=opened,
        description="The rooms of Offramp: sources, lake, engine, formats, destinations and ledger.",
    )
