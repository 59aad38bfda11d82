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

from offramp.sources.demo import catalogue, people, views, vouchers
from offramp.sources.demo.draw import DAY, Draw, microseconds
from offramp.sources.demo.moments import Part
from offramp.sources.demo.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from offramp.sources.demo.versions import State

# Part of every path of the demo's files: raise it when the same seed would give other rows.
LIFE_VERSION = 1


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

    def begin(self) -> dict[str, pl.DataFrame]:
        """Return the versions with which the demo begins, all visible when its first day begins."""
        midnight = microseconds(self.start_on)
        draw = self._draw(-1, 0)
        types = catalogue.new_types(draw, 1, catalogue.at_the_start(draw, midnight, max(6, round(30 * self.scale))))
        asset_moments = catalogue.at_the_start(draw, midnight, max(20, round(400 * self.scale)))
        return {
            "users": people.first_users(draw, midnight, self.scale),
            "platforms": catalogue.first_platforms(draw, midnight),
            "asset_types": types,
            "categories": catalogue.first_categories(draw, types, midnight),
            "assets": catalogue.new_assets(draw, types, 1, asset_moments, drafts=0.08),
            "vvs_pools": vouchers.first_pools(draw, midnight, self.scale),
        }

    def live(self, number: int, state: State) -> dict[str, pl.DataFrame]:
        """Return the versions of a day and leave in ``state`` what it ends with."""
        midnight = microseconds(self.start_on) + number * DAY
        mean = 4000 * self.scale
        logs: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
        logs["assets_views"].append(
            views.day_of_views(
                self._draw(number, 9),
                state,
                midnight,
                first_id=self._first_view(number),
                mean=mean,
                is_quiet=self.is_quiet(number),
            )
        )
        for place, part in enumerate(() if self.is_quiet(number) else Part):
            for name, versions in self._part(self._draw(number, place), number, state, part).items():
                log = pl.concat(versions) if versions else None
                if log is not None and len(log):
                    logs[name].append(log)
                    state.apply(TABLES[name], log)
        return {name: pl.concat(log, rechunk=True) for name, log in logs.items() if log}

    def _part(self, draw: Draw, number: int, state: State, part: Part) -> Mapping[str, list[pl.DataFrame]]:
        midnight = microseconds(self.start_on) + number * DAY
        # Everything is drawn before anything is applied: within a part, rows point only to what was there before it.
        types, shows = catalogue.live_types(draw, state, midnight, part) if number % 5 == 2 else ([], [])
        return {
            "users": people.live_users(draw, state, midnight, part, self.scale),
            "platforms": catalogue.live_platforms(draw, state, midnight, part) if number % 9 == 4 else [],
            "asset_types": types,
            "categories": catalogue.live_categories(draw, state, midnight, part) + shows,
            "assets": catalogue.live_assets(draw, state, midnight, part, self.scale),
            "vvs_pools": vouchers.live_pools(draw, state, midnight, part, self.scale),
        }

    def _first_view(self, number: int) -> int:
        """Ids of views rise with ingestion; a day's block holds ten times the views of an average day."""
        return 1 + number * max(1_000, round(40_000 * self.scale))

    def _draw(self, number: int, place: int) -> Draw:
        return Draw(self.seed, self.start_on.toordinal(), number + 1, place)
