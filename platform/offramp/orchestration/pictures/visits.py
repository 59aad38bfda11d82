"""The visits layer: the day of one person, and how stays and trips of the day are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offramp.orchestration.pictures.colours import MODES, PLACES
from offramp.orchestration.pictures.drawing import lying_bars, new_figure, said, shown, standing_bars
from offramp.orchestration.pictures.person import person_day, person_figure
from offramp.orchestration.pictures.results import pairs, whole

if TYPE_CHECKING:
    from offramp.domain.ports import Session


def numbers(session: Session, begins: str, ends: str) -> dict[str, Any]:
    """Return users, trips, stays, kilometres and hours of the day."""
    trips = session.rows(
        "select count(*), coalesce(sum(distance), 0) // 1000, count(distinct (app_id, user_id)) from trips"
        f" where {_ended('ended_at', begins, ends)}"
    )[0]
    stays = session.rows(
        f"select count(*), coalesce(sum(epoch(until_at) - epoch(greatest(started_at, {begins}))), 0) // 60"
        f" from visits where {_ended('until_at', begins, ends)}"
    )[0]
    users = session.rows("select count(*) from (select distinct app_id, user_id from places)")[0][0]
    return whole(
        {
            "users": users,
            "users_on_the_way": trips[2],
            "trips_of_the_day": trips[0],
            "kilometres": trips[1],
            "stays_of_the_day": stays[0],
            "minutes_stayed": stays[1],
        }
    )


def pictures(session: Session, begins: str, ends: str) -> dict[str, Any]:
    """Return a person's day and the day's distributions."""
    day = person_day(session, begins, ends)
    spread = _spread(session, begins, ends)
    return {
        "day_of_one_person": (
            shown(person_figure(day), "a day of one person") if day else said("nobody with a home moved on this day")
        ),
        "day_of_all": spread or said("nobody stayed or moved on this day"),
    }


def _spread(session: Session, begins: str, ends: str) -> Any:
    by_mode = session.rows(
        "select mode, count(*), sum(distance) / 1000 from trips"
        f" where {_ended('ended_at', begins, ends)} group by mode order by count(*) desc, mode"
    )
    by_place = session.rows(
        f"select significance, sum(epoch(until_at) - epoch(greatest(started_at, {begins}))) / 3600 from visits"
        f" where {_ended('until_at', begins, ends)} group by significance order by 2 desc, 1"
    )
    by_hour = session.rows(
        f"select hour(local_start), count(*) from trips where {_ended('ended_at', begins, ends)} group by 1"
    )
    if not by_mode and not by_place:
        return None
    figure = new_figure(8.4, 4.6, "All people of the day")
    axes = figure.subplots(2, 2)
    lying_bars(axes[0][0], "trips by mode", pairs(by_mode, 1), MODES)
    lying_bars(axes[0][1], "kilometres by mode", sorted(pairs(by_mode, 2), key=lambda one: -one[1]), MODES)
    lying_bars(axes[1][0], "hours stayed by kind of place", pairs(by_place, 1), PLACES)
    found = dict(pairs(by_hour))
    standing_bars(axes[1][1], "trips by local hour", [(f"{hour:02d}", found.get(str(hour), 0.0)) for hour in range(24)])
    axes[1][1].set_xticks(range(0, 24, 3))
    return shown(figure, "trips and stays of all people")


def _ended(column: str, begins: str, ends: str) -> str:
    return f"{column} > {begins} and {column} <= {ends}"
