"""Land: make the landings that a plan needs. Runs of one partition share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.errors import NotYetDue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from offramp.domain.landings import Landing
    from offramp.domain.ports import LandingWriter, Source
    from offramp.pipeline.plan import LandingNeed
    from offramp.pipeline.rooms import Report, Rooms


def ensure_landings(rooms: Rooms, needs: Iterable[LandingNeed], report: Report) -> tuple[Landing, ...]:
    """Make each landing that is needed and missing, oldest first, and return those that serve the needs.

    Raises NotYetDue where the source's read point lies before a need.
    """
    made = []
    store = rooms.lake.landings
    for need in sorted(set(needs), key=lambda one: (one.at, one.source)):
        # Two runs that need the same landing make one: the second waits here, and then finds it.
        with store.exclusive(need.source):
            found = next((one for one in store.landings(need.source) if need.at <= one.data_as_of < need.before), None)
            made.append(found or _land(rooms, rooms.sources[need.source], need, report))
    return tuple(made)


def _land(rooms: Rooms, source: Source, need: LandingNeed, report: Report) -> Landing:
    reaches = rooms.clock() if source.can_read_as_of else source.read_point()
    if reaches < need.at:
        raise NotYetDue(
            f"source '{source.name}' cannot be landed yet",
            expected=f"a read point at or after {need.at:%Y-%m-%d %H:%M:%S} UTC (window's end plus safety lag)",
            found=f"{reaches:%Y-%m-%d %H:%M:%S} UTC",
            todo="run again after that time, or move the schedule behind it",
        )
    return land_source(rooms, source, as_of=need.at if source.can_read_as_of else None, report=report)


def land_source(rooms: Rooms, source: Source, *, as_of: datetime | None, report: Report) -> Landing:
    """Land all tables of a source from one consistent snapshot and commit them at once."""
    tables = rooms.tables_of(source.name)
    writers: list[LandingWriter] = []

    def begin(read_point: datetime) -> LandingWriter:
        rooms.at_step("land.begin")
        writers.append(rooms.lake.landings.begin(source.name, read_point))
        return writers[0]

    report("land", source.name)
    source.land(tables, begin, as_of=as_of)
    rooms.at_step("land.commit")
    landing = rooms.lake.landings.commit(writers[0])
    for table in landing.tables:
        report("land", f"{source.name}.{table.name}", rows=table.rows)
    return landing
