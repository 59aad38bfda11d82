"""The day of one person as a map and a timeline, masked: kilometres from the home, no id, no place on earth, no date.

Who is shown follows from the rows: somebody who made several trips in several modes near home, the same in each run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.orchestration.pictures.colours import MODES, PLACES
from offramp.orchestration.pictures.drawing import INK, PALE, new_figure, plain
from offramp.orchestration.pictures.results import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from offramp.domain.ports import Session

_METRES_PER_DEGREE = 111_195
_MOST_TRIPS = 12
_FAR_METRES = 60_000
# A leg of a thousand points looks the same with a hundred.
_POINTS_PER_TRIP = 100
_CHOSEN = "person_of_the_day"


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay: hours of the local day from midnight on, and kilometres from home."""

    since: float
    until: float
    kind: str
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip with its line, kilometres from home."""

    since: float
    until: float
    mode: str
    east: tuple[float, ...]
    north: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PersonDay:
    """What one person did on a day."""

    stays: tuple[Stay, ...]
    trips: tuple[Trip, ...]


def person_day(session: Session, begins: str, ends: str) -> PersonDay | None:
    """Return the day of the person who is shown, or None where nobody with a home moved. Instants as SQL text."""
    session.hold(_who(begins, ends), _CHOSEN)
    if not session.rows(f"select 1 from {_CHOSEN}"):
        return None
    stays = tuple(
        Stay(number(since), number(until), str(kind), number(east), number(north))
        for since, until, kind, east, north in _stays(session, begins, ends)
    )
    trips: dict[tuple[float, float, str], tuple[list[float], list[float]]] = {}
    for since, until, mode, east, north in _points(session, begins, ends):
        line = trips.setdefault((number(since), number(until), str(mode)), ([], []))
        line[0].append(number(east))
        line[1].append(number(north))
    return PersonDay(stays, tuple(Trip(*key, tuple(line[0]), tuple(line[1])) for key, line in trips.items()))


def _who(begins: str, ends: str) -> str:
    """Return the SELECT of the one person who is shown, with the home and what its clock is ahead of UTC."""
    return f"""
    with moved as (
        select
            app_id, user_id, count(*) as trips, count(distinct mode) as modes, max(start_offset) as clock_offset,
            max(distance) as longest
        from trips
        where ended_at > {begins} and ended_at <= {ends} and mode <> 'insufficient_data'
        group by app_id, user_id
    ),
    homes as (
        select app_id, user_id, latitude, longitude
        from places
        where significance = 'home'
        qualify row_number() over (partition by app_id, user_id order by seconds desc, place_id) = 1
    )
    select t.app_id, t.user_id, t.clock_offset, h.latitude, h.longitude
    from moved as t
    join homes as h on h.app_id = t.app_id and h.user_id = t.user_id
    order by
        t.trips <= {_MOST_TRIPS} and t.longest <= {_FAR_METRES} desc, t.modes desc, t.trips desc, t.app_id, t.user_id
    limit 1"""


def _hours(instant: str, begins: str) -> str:
    return f"(epoch({instant}) - epoch({begins}) + w.clock_offset) / 3600.0"


def _kilometres(latitude: str, longitude: str) -> str:
    east = f"({longitude} - w.longitude) * cos(radians(w.latitude)) * {_METRES_PER_DEGREE} / 1000"
    north = f"({latitude} - w.latitude) * {_METRES_PER_DEGREE} / 1000"
    return f"round({east}, 2) as east, round({north}, 2) as north"


def _stays(session: Session, begins: str, ends: str) -> list[tuple[object, ...]]:
    return session.rows(
        f"select {_hours(f'greatest(v.started_at, {begins})', begins)}, {_hours(f'least(v.until_at, {ends})', begins)},"
        f" v.significance, {_kilometres('v.latitude', 'v.longitude')} from visits as v"
        f" join {_CHOSEN} as w on w.app_id = v.app_id and w.user_id = v.user_id"
        f" where v.until_at > {begins} and v.started_at < {ends} order by v.started_at"
    )


def _points(session: Session, begins: str, ends: str) -> list[tuple[object, ...]]:
    return session.rows(
        "with points as ("
        f" select {_hours('t.started_at', begins)} as since, {_hours('t.ended_at', begins)} as until, t.mode,"
        " len(t.waypoints) as total, unnest(t.waypoints) as point, generate_subscripts(t.waypoints, 1) as number"
        f" from trips as t join {_CHOSEN} as w on w.app_id = t.app_id and w.user_id = t.user_id"
        f" where t.ended_at > {begins} and t.started_at < {ends})"
        f" select p.since, p.until, p.mode, {_kilometres('p.point.latitude', 'p.point.longitude')}"
        f" from points as p cross join {_CHOSEN} as w"
        f" where (p.number - 1) % (1 + p.total // {_POINTS_PER_TRIP}) = 0 or p.number = p.total"
        " order by p.since, p.number"
    )


def person_figure(day: PersonDay) -> Figure:
    """Draw a map above, and what happened when below."""
    figure = new_figure(7.4, 6.4, "A day of one person")
    above, below = figure.subplots(2, 1, height_ratios=[6, 1])
    _map(above, day)
    _timeline(below, day)
    return figure


def _map(axes: Axes, day: PersonDay) -> None:
    plain(axes, "stays by duration, trips by mode")
    for trip in day.trips:
        axes.plot(trip.east, trip.north, color=MODES.get(trip.mode, INK), linewidth=1.8, solid_capstyle="round")
    for stay in sorted(day.stays, key=lambda one: one.since - one.until):
        area = 40 + 45 * max(stay.until - stay.since, 0.0)
        colour = PLACES.get(stay.kind, INK)
        axes.scatter([stay.east], [stay.north], s=area, color=colour, alpha=0.55, linewidths=1, edgecolors=colour)
    axes.plot([], [], " ", label="trips")
    for mode in sorted({trip.mode for trip in day.trips}):
        axes.plot([], [], color=MODES.get(mode, INK), linewidth=2, label=mode.replace("_", " "))
    axes.plot([], [], " ", label="stays")
    for kind in sorted({stay.kind for stay in day.stays}):
        axes.scatter([], [], s=40, color=PLACES.get(kind, INK), alpha=0.7, label=kind)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, frameon=False, handlelength=1.4)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.12)
    axes.grid(color=PALE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("km east of home", fontsize=8, color=INK)
    axes.set_ylabel("km north of home", fontsize=8, color=INK)


def _timeline(axes: Axes, day: PersonDay) -> None:
    plain(axes, "local time")
    for stay in day.stays:
        axes.barh(0, stay.until - stay.since, left=stay.since, height=0.5, color=PLACES.get(stay.kind, INK), alpha=0.6)
    for trip in day.trips:
        axes.barh(0, trip.until - trip.since, left=trip.since, height=0.9, color=MODES.get(trip.mode, INK))
    spans = [(one.since, one.until) for one in day.stays] + [(one.since, one.until) for one in day.trips]
    since, until = min(spans)[0], max(until for _, until in spans)
    axes.set_xlim(since, until)
    ticks = range(-24, 49, 3)
    shown = [tick for tick in ticks if since <= tick <= until]
    axes.set_xticks(shown, [f"{tick % 24:02d}:00" for tick in shown])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
