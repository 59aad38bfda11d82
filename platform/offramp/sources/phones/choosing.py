"""Choices of places: which line to take, where to live and work, which shop to like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.ground import distance_metres, moved
from offramp.sources.phones.personas import RIDES, Job, Mode
from offramp.sources.phones.settlements import SETTLEMENTS
from offramp.sources.phones.town_plan import CELL_METRES, RADIUS_METRES
from offramp.sources.phones.venue_kinds import NUMBER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.town_plan import Line, Venues

_CANDIDATES = 12
_LUNCH_METRES = 1_500.0
# What a way to work is chosen for, in metres.
_WISHED_METRES = {
    Mode.WALKING: 900.0,
    Mode.RUNNING: 900.0,
    Mode.BIKING: 3_000.0,
    Mode.CAR: 5_000.0,
    Mode.BUS: 300.0,
    Mode.TRAM: 300.0,
    Mode.TRAIN: 400.0,
}
_WORK_KINDS = {Job.OFFICE: "office", Job.NIGHT: "hospital", Job.STUDENT: "university", Job.DRIVER: "warehouse"}


class Chooser:
    """Draws choices with one stream."""

    def __init__(self, rng: np.random.Generator, venues: Venues) -> None:
        self.rng = rng
        self.venues = venues

    def lines(
        self, town: NDArray[np.int64], work_town: NDArray[np.int64], mode: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the stops at which people board and alight on their way to work; -1 where they do not ride."""
        board, alight = np.full(len(town), -1), np.full(len(town), -1)
        turn = self.rng.random((2, len(town)))
        for number, settlement in enumerate(SETTLEMENTS):
            for way in RIDES:
                riders = np.flatnonzero((town == number) & (mode == way))
                lines = [line for line in self.venues.lines if line.mode == way.name.lower()]
                lines = [line for line in lines if line.region == settlement.region]
                if way is not Mode.TRAIN:
                    lines = [line for line in lines if line.town == number]
                if not lines:
                    mode[riders] = Mode.CAR
                    continue
                for place, line in enumerate(lines):
                    mine = riders[(turn[0, riders] * len(lines)).astype(int) == place]
                    board[mine], alight[mine] = self._ends(line, mine, (number, work_town[mine]), turn[1])
        return board, alight

    def _ends(
        self,
        line: Line,
        people: NDArray[np.int64],
        towns: tuple[int, NDArray[np.int64]],
        turn: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where people enter and leave a line: near their towns' centres, or some stops apart within one."""
        stops = np.arange(line.first, line.first + line.stops)
        if line.mode == "train":
            nearest = self._nearest_stops(stops)
            board, alight = np.full(len(people), nearest[towns[0]]), nearest[towns[1]]
        else:
            board = alight = np.full(len(people), -1)
        apart = max(2, round(line.stops * 0.45))
        within = board == alight
        first = line.first + (turn[people] * (line.stops - apart)).astype(int)
        return np.where(within, first, board), np.where(within, first + apart, alight)

    def _nearest_stops(self, stops: NDArray[np.int64]) -> NDArray[np.int64]:
        towns = np.array([[town.latitude, town.longitude] for town in SETTLEMENTS])
        away = distance_metres(
            towns[:, :1], towns[:, 1:], self.venues.latitude[stops][None], self.venues.longitude[stops][None]
        )
        return np.asarray(stops[away.argmin(axis=1)])

    def homes(
        self, town: NDArray[np.int64], board: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return homes: between venues, near the stop for those who ride."""
        count = len(town)
        radius = np.array([RADIUS_METRES[one.size] for one in SETTLEMENTS])[town][:, None]
        away = radius * 0.85 * np.sqrt(self.rng.random((count, _CANDIDATES)))
        away = np.where(board[:, None] >= 0, self.rng.uniform(180, 600, (count, _CANDIDATES)), away)
        bearing = self.rng.uniform(0, 2 * np.pi, (count, _CANDIDATES))
        centre = np.array([[one.latitude, one.longitude] for one in SETTLEMENTS])[town]
        at_stop = np.stack([self.venues.latitude[board], self.venues.longitude[board]], axis=1)
        centre = np.where(board[:, None] >= 0, at_stop, centre)
        latitude, longitude = moved(centre[:, :1], centre[:, 1:], away * np.sin(bearing), away * np.cos(bearing))
        best = self._room(town, latitude, longitude).argmax(axis=1)[:, None]
        chosen = [np.take_along_axis(column, best, axis=1)[:, 0] for column in (latitude, longitude)]
        return np.round(chosen[0], 6), np.round(chosen[1], 6)

    def _room(
        self, town: NDArray[np.int64], latitude: NDArray[np.float64], longitude: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return how far the nearest venue of the town is from each candidate, capped at what suffices."""
        room = np.zeros(latitude.shape)
        for number in range(len(SETTLEMENTS)):
            venues = np.flatnonzero(self.venues.town == number)
            for people in _chunks(np.flatnonzero(town == number)):
                away = distance_metres(
                    latitude[people][:, :, None],
                    longitude[people][:, :, None],
                    self.venues.latitude[venues],
                    self.venues.longitude[venues],
                )
                room[people] = away.min(axis=2)
        return np.minimum(room, CELL_METRES * 0.4)

    def works(
        self,
        town: NDArray[np.int64],
        work_town: NDArray[np.int64],
        job: NDArray[np.int64],
        mode: NDArray[np.int64],
        near: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
    ) -> NDArray[np.int64]:
        """Return where people work or study, about as far as their way to move likes; -1 for those who do not."""
        latitude, longitude, alight = near
        work = np.full(len(town), -1)
        latitude = np.where(alight >= 0, self.venues.latitude[alight], latitude)
        longitude = np.where(alight >= 0, self.venues.longitude[alight], longitude)
        wished = np.array([_WISHED_METRES[Mode(way)] for way in range(Mode.FLIGHT)])[mode]
        for way, kind in _WORK_KINDS.items():
            for number in range(len(SETTLEMENTS)):
                people = np.flatnonzero((job == way) & (work_town == number))
                venues = self.venues.of_kind(kind, number)
                venues = venues if len(venues) else self.venues.of_kind("office", number)
                away = distance_metres(
                    latitude[people][:, None],
                    longitude[people][:, None],
                    self.venues.latitude[venues],
                    self.venues.longitude[venues],
                )
                unlike = np.abs(np.log((away + 1) / wished[people][:, None])) + self.rng.random(away.shape) * 0.4
                work[people] = venues[unlike.argmin(axis=1)]
        return work

    def favourites(
        self,
        kind: str,
        town: NDArray[np.int64],
        latitude: NDArray[np.float64],
        longitude: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Return the venue of a kind that each person likes: near home; -1 where the town has none."""
        chosen = np.full(len(town), -1)
        for number in range(len(SETTLEMENTS)):
            people, venues = np.flatnonzero(town == number), self.venues.of_kind(kind, number)
            if not len(venues):
                continue
            away = distance_metres(
                latitude[people][:, None],
                longitude[people][:, None],
                self.venues.latitude[venues],
                self.venues.longitude[venues],
            )
            chosen[people] = venues[(away * self.rng.uniform(0.6, 1.4, away.shape)).argmin(axis=1)]
        return chosen

    def lunches(self, work: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where people eat near work, -1 for those without work or a place in reach."""
        kinds = [NUMBER[f"restaurant.{name}"] for name in ("snack", "asian", "italian", "international")]
        venues = np.flatnonzero(np.isin(self.venues.kind, kinds))
        lunch = np.full(len(work), -1)
        for people in _chunks(np.flatnonzero(work >= 0)):
            at = work[people]
            away = distance_metres(
                self.venues.latitude[at][:, None],
                self.venues.longitude[at][:, None],
                self.venues.latitude[venues],
                self.venues.longitude[venues],
            )
            best = (away * self.rng.uniform(0.7, 1.3, away.shape)).argmin(axis=1)
            is_near = away[np.arange(len(people)), best] < _LUNCH_METRES
            lunch[people] = np.where(is_near, venues[best], -1)
        return lunch

    def spots(
        self, latitude: NDArray[np.float64], longitude: NDArray[np.float64], metres: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a point outdoors for each home, some metres from it."""
        bearing = self.rng.uniform(0, 2 * np.pi, len(latitude))
        away = metres * self.rng.uniform(0.85, 1.15, len(latitude))
        spots = moved(latitude, longitude, away * np.sin(bearing), away * np.cos(bearing))
        return np.round(spots[0], 6), np.round(spots[1], 6)


def _chunks(people: NDArray[np.int64], size: int = 200) -> list[NDArray[np.int64]]:
    return [people[start : start + size] for start in range(0, len(people), size)]
