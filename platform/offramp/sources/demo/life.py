"""How the demo lives: the first state, and one day after another.

Every day is drawn from (seed, start, day) and the state that the day before left, so it is the same in every run.
Every tenth day is quiet: nothing changes, and the second tenant has no views. Platforms change every ninth day,
asset types every fifth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from offramp.sources.demo import (
    accounts,
    acquisition,
    audits,
    catalogue,
    churn,
    descriptions,
    files,
    orders,
    payments,
    people,
    placements,
    products,
    views,
    voucher_service,
)
from offramp.sources.demo.chapter import Beginning, Chapter, Shift, ingested
from offramp.sources.demo.draw import DAY, Draw, microseconds
from offramp.sources.demo.moments import Part
from offramp.sources.demo.schema import TABLES
from offramp.sources.demo.versions import State, latest

if TYPE_CHECKING:
    from datetime import date

# Part of every path of the demo's files: raise it when the same seed would give other rows.
LIFE_VERSION = 3

# In this order they begin: a chapter's first rows may point to those of the chapters before it.
CHAPTERS: dict[str, Chapter] = {
    "catalogue": Chapter(catalogue.begin, catalogue.live),
    "people": Chapter(people.begin, people.live),
    "placements": Chapter(placements.begin, placements.live),
    "descriptions": Chapter(descriptions.begin, descriptions.live),
    "files": Chapter(files.begin, files.live),
    "products": Chapter(products.begin, products.live),
    "accounts": Chapter(accounts.begin, accounts.live),
    "orders": Chapter(orders.begin, orders.live),
    "payments": Chapter(payments.begin, payments.live),
    "voucher_service": Chapter(voucher_service.begin, voucher_service.live),
    "acquisition": Chapter(acquisition.begin, acquisition.live),
    "churn": Chapter(churn.begin, churn.live),
    "audits": Chapter(audits.begin, audits.live),
}

# Ids of events rise with ingestion; a block holds ten times the events of an average part of a day.
_PARTS = len(Part)
_EVENTS = 4_000


@dataclass(frozen=True, slots=True)
class Life:
    """What decides every row of the demo."""

    seed: int
    start_on: date
    scale: float

    def day(self, number: int) -> date:
        """Return the date of a day; day 0 is the first."""
        return self.start_on + timedelta(days=number)

    def is_quiet(self, number: int) -> bool:
        """Say whether nothing changes on a day."""
        return number % 10 == 6

    def begin(self) -> State:
        """Return the state with which the demo begins; all of it is visible when its first day begins."""
        state = State()
        for place, chapter in enumerate(CHAPTERS.values()):
            draw = self._draw(-1, 0, place)
            first = chapter.begin(Beginning(draw, state, microseconds(self.start_on), self.scale))
            for name, rows in first.items():
                state.tables[name] = latest(TABLES[name], [rows])
        return state

    def live(self, number: int, state: State) -> dict[str, pl.DataFrame]:
        """Return the versions of a day and leave in ``state`` what it ends with."""
        midnight = microseconds(self.start_on) + number * DAY
        is_quiet = self.is_quiet(number)
        logs: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
        viewed = views.day_of_views(
            self._draw(number, 9, 0),
            state,
            midnight,
            first_id=1 + number * self._block(40_000),
            mean=4000 * self.scale,
            is_quiet=is_quiet,
        )
        logs["assets_views"].append(viewed)
        for place, part in enumerate(() if is_quiet else Part):
            for name, versions in self._part(number, place, part, state).items():
                logs[name].append(versions)
                if not TABLES[name].is_log:
                    state.apply(TABLES[name], versions)
        return {name: pl.concat(log, rechunk=True) for name, log in logs.items() if log}

    def _part(self, number: int, place: int, part: Part, state: State) -> dict[str, pl.DataFrame]:
        """Return a part's versions by table. Everything is drawn before anything is applied."""
        midnight = microseconds(self.start_on) + number * DAY
        drawn: dict[str, list[pl.DataFrame]] = {}
        for chapter_place, chapter in enumerate(CHAPTERS.values()):
            draw = self._draw(number, place, chapter_place)
            shift = Shift(draw, state, number, midnight, part, self.scale)
            for name, frames in chapter.live(shift).items():
                drawn.setdefault(name, []).extend(frame for frame in frames if len(frame))
        last = Shift(self._draw(number, place, 99), state, number, midnight, part, self.scale)
        first_id = 1 + (number * _PARTS + place) * self._block(_EVENTS)
        return {
            name: ingested(name, frames, last, first_id=first_id) if TABLES[name].is_log else pl.concat(frames)
            for name, frames in drawn.items()
            if frames
        }

    def _block(self, events: int) -> int:
        return max(1_000, round(events * self.scale))

    def _draw(self, number: int, place: int, chapter: int) -> Draw:
        return Draw(self.seed, self.start_on.toordinal(), number + 1, place, chapter)
