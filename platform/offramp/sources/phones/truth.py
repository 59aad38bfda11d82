"""What really happened: stays, legs and people of the same schedule that the phones' rows are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.domain.windows import midnight
from offramp.sources.phones.people import HOME, SPOT
from offramp.sources.phones.personas import PLANTED, Character, Job, Mode
from offramp.sources.phones.phones import NEVER
from offramp.sources.phones.schema import APP_IDS
from offramp.sources.phones.settlements import SETTLEMENTS
from offramp.sources.phones.uploads import instants, names
from offramp.sources.phones.venue_kinds import EVERY

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from offramp.sources.phones.life import Life
    from offramp.sources.phones.people import People

_PLACE_KINDS = (*(kind.name for kind in EVERY), "friend", "outdoors", "home", "work")


@dataclass(frozen=True, slots=True)
class Truth:
    """What happened to everybody, whether a phone noticed it or not. Instants in UTC.

    ``stays``: app_id, user_id, started_at (null: from the life's beginning), ended_at (null: still there at the end of
    what was asked for), latitude, longitude, kind (home, work, friend, outdoors, or the kind of venue), venue_id, town.
    Every halt between two legs is one, also of seconds. ``legs``: app_id, user_id, started_at, ended_at, mode,
    distance (metres), role (driver or passenger in cars), from_kind, to_kind. ``people``: a row per user.
    """

    stays: pl.DataFrame
    legs: pl.DataFrame
    people: pl.DataFrame


def truth(life: Life, first: date, last: date) -> Truth:
    """Return what happened between two UTC days, both included, and what reaches into them."""
    numbers = range((last - life.start_on).days + 2)
    legs = [one for number in numbers for one in life.schedule.legs(number)]
    columns = {
        name: np.concatenate([getattr(one, name) for one in legs])
        for name in ("person", "start", "end", "mode", "is_passenger", "started", "ended")
    }
    metres = np.concatenate([one.ways.total_metres for one in legs])
    order = np.lexsort((columns["started"], columns["person"]))
    columns = {name: column[order] for name, column in columns.items()}
    since, until = midnight(first).timestamp(), midnight(last + timedelta(days=1)).timestamp()
    people = life.schedule.people
    return Truth(
        _stays(life, columns, (since, until)), _legs(people, columns, metres[order], (since, until)), _who(life)
    )


def _kinds(people: People, person: NDArray[np.int64], place: NDArray[np.int64]) -> pl.Series:
    """Return what each place is to a person."""
    kind = people.kind[place]
    kind = np.where(kind == HOME, len(EVERY), np.where(kind == SPOT, len(EVERY) + 1, kind))
    kind = np.where(place == people.home[person], len(EVERY) + 2, kind)
    return names(np.where(place == people.work[person], len(EVERY) + 3, kind), _PLACE_KINDS)


def _legs(
    people: People, columns: dict[str, NDArray[np.int64]], metres: NDArray[np.float64], span: tuple[float, float]
) -> pl.DataFrame:
    inside = (columns["started"] < span[1]) & (columns["ended"] > span[0])
    one = {name: column[inside] for name, column in columns.items()}
    role = np.where(one["mode"] != Mode.CAR, 2, one["is_passenger"].astype(np.int64))
    return pl.DataFrame(
        {
            "app_id": names(people.app[one["person"]], APP_IDS),
            "user_id": names(one["person"], people.user_ids),
            "started_at": instants(one["started"].astype(np.float64)),
            "ended_at": instants(one["ended"].astype(np.float64)),
            "mode": names(one["mode"], tuple(mode.name.lower() for mode in Mode)),
            "distance": pl.Series(metres[inside].round().astype(np.int64)),
            "role": names(role, ("driver", "passenger", None)),
            "from_kind": _kinds(people, one["person"], one["start"]),
            "to_kind": _kinds(people, one["person"], one["end"]),
        }
    ).sort("app_id", "user_id", "started_at")


def _stays(life: Life, columns: dict[str, NDArray[np.int64]], span: tuple[float, float]) -> pl.DataFrame:
    """Return the times between legs; each person's first one is where the first leg started."""
    people, venues = life.schedule.people, life.schedule.venues
    is_first = np.diff(columns["person"], prepend=-1) != 0
    is_last = np.append(np.diff(columns["person"]) != 0, [True])
    ended = np.where(is_last, np.nan, np.roll(columns["started"], -1))
    person = np.concatenate([columns["person"], columns["person"][is_first]])
    place = np.concatenate([columns["end"], columns["start"][is_first]])
    started = np.concatenate([columns["ended"], np.full(int(is_first.sum()), np.nan)])
    ended = np.concatenate([ended, columns["started"][is_first]])
    never_left = np.setdiff1d(np.arange(len(people)), person)
    person, place = np.append(person, never_left), np.append(place, people.home[never_left])
    unknown = np.full(len(never_left), np.nan)
    started, ended = np.append(started, unknown), np.append(ended, unknown)
    inside = ~(started >= span[1]) & ~(ended <= span[0])
    person, place, started, ended = person[inside], place[inside], started[inside], ended[inside]
    ended = np.where(ended > span[1], np.nan, ended)
    return pl.DataFrame(
        {
            "app_id": names(people.app[person], APP_IDS),
            "user_id": names(person, people.user_ids),
            "started_at": _known(started),
            "ended_at": _known(ended),
            "latitude": people.latitude[place],
            "longitude": people.longitude[place],
            "kind": _kinds(people, person, place),
            "venue_id": names(np.minimum(place, len(venues.ids)), (*venues.ids, None)),
            "town": names(people.place_town[place], tuple(town.name for town in SETTLEMENTS)),
        }
    ).sort("app_id", "user_id", "started_at")


def _who(life: Life) -> pl.DataFrame:
    """Return a row per user: who they are, and when their phones take part."""
    people, phones, venues = life.schedule.people, life.phones, life.schedule.venues
    number = np.arange(len(people))
    work = people.work
    return pl.DataFrame(
        {
            "app_id": names(people.app, APP_IDS),
            "user_id": people.user_ids,
            "label": names(np.minimum(number, len(PLANTED)), (*(one.label for one in PLANTED), None)),
            "job": names(people.job, tuple(job.name.lower() for job in Job)),
            "commute_mode": names(np.where(work < 0, len(Mode), people.mode), (*(m.name.lower() for m in Mode), None)),
            "character": names(people.character, tuple(one.name.lower() for one in Character)),
            "has_car": people.has_car,
            "has_dog": people.has_dog,
            "has_children": people.has_children,
            "is_speeding": people.is_speeding,
            "is_flyer": people.is_flyer,
            "town": names(people.town, tuple(town.name for town in SETTLEMENTS)),
            "timezone": names(people.town, tuple(town.zone for town in SETTLEMENTS)),
            "home_latitude": people.latitude[people.home],
            "home_longitude": people.longitude[people.home],
            "work_venue_id": names(np.where(work < 0, len(venues.ids), work), (*venues.ids, None)),
            "work_latitude": pl.Series(np.where(work < 0, np.nan, people.latitude[work])).fill_nan(None),
            "work_longitude": pl.Series(np.where(work < 0, np.nan, people.longitude[work])).fill_nan(None),
            "joined_at": _known(phones.joined),
            "left_at": _known(np.where(phones.left >= NEVER, np.nan, phones.left)),
            "silent_from": _known(np.where(phones.silent_from >= NEVER, np.nan, phones.silent_from)),
            "silent_until": _known(np.where(phones.silent_until >= NEVER, np.nan, phones.silent_until)),
        }
    ).sort("app_id", "user_id")


def _known(seconds: NDArray[np.float64]) -> pl.Series:
    """Return instants, null where there is none."""
    texts = instants(np.nan_to_num(seconds))
    return pl.select(pl.when(pl.Series(~np.isnan(seconds))).then(texts)).to_series()
