"""How the phones' demo lives: all that the people's days of one number upload, whenever it arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.domain.windows import midnight
from offramp.sources.phones.driving import sensor_events, waypoints
from offramp.sources.phones.events import payloads, sdk_events
from offramp.sources.phones.fixes import fixes
from offramp.sources.phones.phones import NEVER, Phones, equip
from offramp.sources.phones.schedule import Schedule
from offramp.sources.phones.schema import APP_IDS, UPLOADED
from offramp.sources.phones.uploads import instants, names, nullable, uploaded

if TYPE_CHECKING:
    from datetime import date

    from offramp.sources.phones.people import People
    from offramp.sources.phones.schedule import Legs

# Part of every path of the demo's files: raise it when the same seed would give other rows.
LIFE_VERSION = 1
_LINKED = 2 / 3
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Life:
    """What decides every row of the demo."""

    seed: int
    start_on: date
    scale: float

    def day(self, number: int) -> date:
        """Return the date of a day; day 0 is the first."""
        return self.start_on + timedelta(days=number)

    @cached_property
    def schedule(self) -> Schedule:
        """What really happens."""
        return Schedule(self.seed, self.start_on, self.scale)

    @cached_property
    def phones(self) -> Phones:
        """Everybody's phone."""
        return equip(self.seed, self.schedule.people, midnight(self.start_on).timestamp())

    def live(self, number: int) -> dict[str, pl.DataFrame]:
        """Return what phones noticed on the people's days of a number, with when it arrives."""
        people, phones = self.schedule.people, self.phones
        parts: dict[str, list[pl.DataFrame]] = {name: [] for name in UPLOADED}
        for legs in self.schedule.legs(number):
            for place, (name, make) in enumerate(_MADE.items()):
                rng = np.random.default_rng([self.seed, 7, number, legs.span.chunk, place])
                parts[name].append(make(rng, legs, people, phones))
        return {name: pl.concat(frames, rechunk=True) for name, frames in parts.items()}

    def begin(self) -> dict[str, pl.DataFrame]:
        """Return the tables that no day adds to: venues, and all versions of links, each from its ``linked_at`` on."""
        venues = self.schedule.venues
        table = pl.DataFrame(
            {
                "venue_id": venues.ids,
                "name": venues.names,
                "brand": pl.Series(venues.brands, dtype=pl.String),
                "latitude": venues.latitude,
                "longitude": venues.longitude,
                "types": venues.types(),
                "opening_hours": pl.Series(venues.hours, dtype=pl.String),
            }
        )
        return {"venues": table, "user_links": self._links()}

    def _links(self) -> pl.DataFrame:
        """Link two thirds of the users some time after they joined; a few get another id later."""
        people, phones = self.schedule.people, self.phones
        rng = np.random.default_rng([self.seed, 8])
        person = np.flatnonzero(rng.random(len(people)) < _LINKED)
        linked = phones.joined[person] + rng.exponential(4 * _DAY_SECONDS, len(person)) + 60
        linked = np.where(
            rng.random(len(person)) < 0.4, phones.joined[person] + rng.uniform(60, 900, len(person)), linked
        )
        again = rng.random(len(person)) < 0.04
        later = linked[again] + rng.uniform(3, 20, int(again.sum())) * _DAY_SECONDS
        who, when = np.append(person, person[again]), np.append(linked, later)
        external = pl.Series(
            who * 7 + 100_003 + np.append(np.zeros(len(person)), np.full(int(again.sum()), 5e6)).astype(int)
        )
        rows = pl.DataFrame(
            {
                "app_id": names(people.app[who], APP_IDS),
                "user_id": names(who, people.user_ids),
                "external_id": "customer-" + external.cast(pl.String),
                "linked_at": instants(when),
            }
        )
        return rows.filter(pl.Series(when < NEVER)).sort("app_id", "user_id", "linked_at")


def _fixes(rng: np.random.Generator, legs: Legs, people: People, phones: Phones) -> pl.DataFrame:
    found = fixes(rng, legs, people, phones)
    return uploaded(
        "fixes",
        (found.person, found.happened),
        {
            "tracked_at": instants(found.tracked),
            "latitude": pl.Series(np.round(found.latitude, 6)),
            "longitude": pl.Series(np.round(found.longitude, 6)),
            "accuracy": nullable(found.accuracy, 1),
            "speed": nullable(found.speed, 2),
        },
        people=people,
        phones=phones,
    )


_MADE = {
    "fixes": _fixes,
    "sdk_events": sdk_events,
    "payloads": payloads,
    "sensor_events": sensor_events,
    "waypoints": waypoints,
}
