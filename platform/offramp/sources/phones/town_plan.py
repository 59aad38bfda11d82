"""Venues of every town and the stops of every line, at places that follow from the seed alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.ground import moved
from offramp.sources.phones.settlements import AIRPORTS, REGIONS, SETTLEMENTS, Settlement, Size
from offramp.sources.phones.venue_kinds import AIRPORT, BUS_STOP, EVERY, KINDS, NUMBER, STATION, TRAM_STOP, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Venues stand on a grid, at least 160 m apart, so that a stay can be told from one next door.
CELL_METRES = 260.0
RADIUS_METRES = {Size.VILLAGE: 1_000.0, Size.TOWN: 2_200.0, Size.CITY: 4_200.0}
_STATION_METRES = 6_000.0
_STOP_METRES = 480.0
_LONELY_LINE_METRES = 9_000.0


@dataclass(frozen=True, slots=True)
class Line:
    """Stops that vehicles call at one after another: venues ``first`` up to ``first + stops``."""

    mode: str
    region: str
    town: int
    first: int
    stops: int


@dataclass(frozen=True, slots=True)
class Venues:
    """All venues as columns: place in the world, town, kind, and what the table says of them."""

    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    town: NDArray[np.int64]
    kind: NDArray[np.int64]
    ids: tuple[str, ...]
    names: tuple[str, ...]
    brands: tuple[str | None, ...]
    hours: tuple[str | None, ...]
    lines: tuple[Line, ...]

    def of_kind(self, kind: str, town: int) -> NDArray[np.int64]:
        """Return the venues of a kind in a town."""
        return np.flatnonzero((self.kind == NUMBER[kind]) & (self.town == town))

    def types(self) -> list[str]:
        """Return each venue's types as the text of a JSON list."""
        texts = [json.dumps(list(kind.types)) for kind in EVERY]
        return [texts[number] for number in self.kind.tolist()]


class _Plan:
    """Venues collected one after another."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.rows: list[tuple[float, float, int, int, str, str | None, str | None]] = []
        self.lines: list[Line] = []

    def add(self, kind: Kind, town: int, latitude: float, longitude: float, number: int) -> None:
        brand = kind.brands[number % len(kind.brands)] if kind.brands else None
        where = SETTLEMENTS[town].name
        name = f"{brand} {where} {number + 1}" if brand else f"{where} {kind.name.split('.')[-1]} {number + 1}"
        hours = kind.hours if self.rng.random() < 0.9 else None
        self.rows.append((latitude, longitude, town, NUMBER[kind.name], name, brand, hours))

    def build_town(self, town: int) -> None:
        """Set a town's venues on the nodes of its grid, dense in the middle."""
        settlement = SETTLEMENTS[town]
        radius = RADIUS_METRES[settlement.size]
        steps = np.arange(-radius // CELL_METRES, radius // CELL_METRES + 1) * CELL_METRES
        east, north = (axis.ravel() for axis in np.meshgrid(steps, steps))
        away = np.hypot(east, north)
        inside = np.flatnonzero(away <= radius)
        kinds = [(kind, number) for kind in KINDS for number in range(kind.counts[settlement.size])]
        weight = np.exp(-away[inside] / (radius * 0.6))
        nodes = self.rng.choice(inside, len(kinds), replace=False, p=weight / weight.sum())
        jitter = self.rng.uniform(-45, 45, (2, len(nodes)))
        latitude, longitude = _around(settlement, east[nodes] + jitter[0], north[nodes] + jitter[1])
        for place, (kind, number) in enumerate(kinds):
            self.add(kind, town, float(latitude[place]), float(longitude[place]), number)

    def build_local_line(self, kind: Kind, town: int) -> None:
        """Lay a bus or tram line through a town."""
        settlement = SETTLEMENTS[town]
        half = RADIUS_METRES[settlement.size] * 0.9
        along = np.arange(-half, half, _STOP_METRES * self.rng.uniform(0.9, 1.1))
        bend = half * 0.2 * np.sin(along / half * np.pi * self.rng.uniform(0.5, 1.5))
        bearing = self.rng.uniform(0, np.pi)
        east = along * np.cos(bearing) - bend * np.sin(bearing)
        north = along * np.sin(bearing) + bend * np.cos(bearing)
        self._add_line(kind, town, *_around(settlement, east, north))

    def build_railway(self, region: str) -> None:
        """Lay a train line through the towns of a region, or across its only one."""
        towns = [number for number, town in enumerate(SETTLEMENTS) if town.region == region]
        if len(towns) == 1:
            along = np.arange(-_LONELY_LINE_METRES, _LONELY_LINE_METRES, 1_800.0)
            latitude, longitude = _around(SETTLEMENTS[towns[0]], along, 0.15 * along + 130)
            self._add_line(STATION, towns[0], latitude, longitude)
            return
        latitudes, longitudes = [], []
        for one, other in pairwise(towns):
            here, there = SETTLEMENTS[one], SETTLEMENTS[other]
            metres = 111_195 * np.hypot(
                there.latitude - here.latitude,
                (there.longitude - here.longitude) * np.cos(np.radians(here.latitude)),
            )
            parts = np.arange(0, max(2, round(metres / _STATION_METRES))) / max(2, round(metres / _STATION_METRES))
            latitudes.append(here.latitude + parts * (there.latitude - here.latitude))
            longitudes.append(here.longitude + parts * (there.longitude - here.longitude))
        last = SETTLEMENTS[towns[-1]]
        latitude = np.append(np.concatenate(latitudes), last.latitude) + 0.0012
        longitude = np.append(np.concatenate(longitudes), last.longitude) + 0.0012
        self._add_line(STATION, towns[0], latitude, longitude)

    def _add_line(self, kind: Kind, town: int, latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> None:
        first, region = len(self.rows), SETTLEMENTS[town].region
        near = [number for number, one in enumerate(SETTLEMENTS) if one.region == region]
        for number, (one, other) in enumerate(zip(latitude.tolist(), longitude.tolist(), strict=True)):
            away = [
                abs(SETTLEMENTS[place].latitude - one) + abs(SETTLEMENTS[place].longitude - other) for place in near
            ]
            at = near[away.index(min(away))] if kind is STATION else town
            self.add(kind, at, one, other, number)
        self.lines.append(Line(kind.name, region, town, first, len(latitude)))


def plan_venues(seed: int) -> Venues:
    """Build all towns."""
    plan = _Plan(np.random.default_rng([seed, 1]))
    for number, settlement in enumerate(SETTLEMENTS):
        plan.build_town(number)
        for _ in range(int(settlement.size)):
            plan.build_local_line(BUS_STOP, number)
        for _ in range(2 if settlement.size is Size.CITY else 0):
            plan.build_local_line(TRAM_STOP, number)
    for region in REGIONS:
        plan.build_railway(region)
        code, latitude, longitude = AIRPORTS[region]
        first = next(number for number, one in enumerate(SETTLEMENTS) if one.region == region)
        plan.add(AIRPORT, first, latitude, longitude, 0)
        plan.rows[-1] = (*plan.rows[-1][:4], f"{code} airport", None, "24/7")
    latitudes, longitudes, towns, kinds, names, brands, hours = zip(*plan.rows, strict=True)
    return Venues(
        np.round(np.array(latitudes), 6),
        np.round(np.array(longitudes), 6),
        np.array(towns, np.int64),
        np.array(kinds, np.int64),
        tuple(f"v{number:05d}" for number in range(len(names))),
        names,
        brands,
        hours,
        tuple(plan.lines),
    )


def _around(
    settlement: Settlement, east_metres: NDArray[np.float64], north_metres: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    centre = np.full(len(east_metres), settlement.latitude), np.full(len(east_metres), settlement.longitude)
    return moved(*centre, east_metres, north_metres)
