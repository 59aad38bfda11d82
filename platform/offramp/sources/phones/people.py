"""The people of a life, as columns: where they live and work, what they like, and how their phones behave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from offramp.sources.phones.choosing import Chooser
from offramp.sources.phones.personas import JOB_SHARES, MODE_SHARES, PLANTED, Job, Mode
from offramp.sources.phones.settlements import SETTLEMENTS, Size
from offramp.sources.phones.venue_kinds import EVERY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.town_plan import Venues

AT_SCALE_1 = 60
HOME = len(EVERY)
SPOT = HOME + 1
NOWHERE = -1
# By character: calm, aggressive, distracted.
_CHARACTER_SHARES = (0.62, 0.2, 0.18)
_SHARES = {
    "has_car": 0.45,
    "has_dog": 0.2,
    "has_children": 0.3,
    "is_speeding": 0.12,
    "is_flyer": 0.03,
    "is_silent": 0.04,
}
FAVOURITES = (
    "supermarket", "cafe", "bar", "park", "gas", "cinema", "museum", "clothes", "pets", "gym", "pool",
    "restaurant.italian", "restaurant.asian", "restaurant.fastfood", "restaurant.snack", "restaurant.grill",
    "beach", "forest", "clinic", "church", "club", "diy", "mall", "school",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class People:
    """Everybody, a person per row of each column. Places are numbers of venues, homes, and two spots outdoors each.

    ``latitude``, ``longitude``, ``place_town`` and ``kind`` are columns of places; a venue keeps its kind.
    """

    user_ids: tuple[str, ...]
    app: NDArray[np.int64]
    town: NDArray[np.int64]
    job: NDArray[np.int64]
    mode: NDArray[np.int64]
    character: NDArray[np.int64]
    has_car: NDArray[np.bool_]
    has_dog: NDArray[np.bool_]
    has_children: NDArray[np.bool_]
    is_speeding: NDArray[np.bool_]
    is_flyer: NDArray[np.bool_]
    is_silent: NDArray[np.bool_]
    home: NDArray[np.int64]
    work: NDArray[np.int64]
    board: NDArray[np.int64]
    alight: NDArray[np.int64]
    friend: NDArray[np.int64]
    lunch: NDArray[np.int64]
    spot: NDArray[np.int64]
    far_spot: NDArray[np.int64]
    starts_hour: NDArray[np.float64]
    favourites: dict[str, NDArray[np.int64]]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    place_town: NDArray[np.int64]
    kind: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.user_ids)


def count_people(scale: float) -> int:
    """Return how many people live at a scale; the planted ones always do."""
    return max(len(PLANTED) + 3, round(AT_SCALE_1 * scale))


def settle(seed: int, scale: float, venues: Venues) -> People:
    """Draw everybody."""
    rng = np.random.default_rng([seed, 2])
    count = count_people(scale)
    town, work_town, job, mode = _lives(rng, count)
    chooser = Chooser(rng, venues)
    lines = chooser.lines(town, work_town, mode)
    latitude, longitude = chooser.homes(town, lines[0])
    work = chooser.works(town, work_town, job, mode, (latitude, longitude, lines[1]))
    near, far = chooser.spots(latitude, longitude, 420.0), chooser.spots(latitude, longitude, 2_100.0)
    first = len(venues.ids) + np.arange(count)
    return People(
        user_ids=_hex(rng, count),
        app=np.arange(count) % 2,
        town=town,
        job=job,
        mode=mode,
        character=_characters(rng, count),
        home=first,
        work=work,
        board=lines[0],
        alight=lines[1],
        friend=_friends(rng, town, len(venues.ids)),
        lunch=chooser.lunches(work),
        spot=first + count,
        far_spot=first + 2 * count,
        starts_hour=rng.normal(8.4, 0.45, count).clip(7.2, 9.6),
        favourites={kind: chooser.favourites(kind, town, latitude, longitude) for kind in FAVOURITES},
        latitude=np.concatenate([venues.latitude, latitude, near[0], far[0]]),
        longitude=np.concatenate([venues.longitude, longitude, near[1], far[1]]),
        place_town=np.concatenate([venues.town, town, town, town]),
        kind=np.concatenate([venues.kind, np.full(count, HOME), np.full(2 * count, SPOT)]),
        **_traits(rng, job, mode),
    )


def _lives(rng: np.random.Generator, count: int) -> tuple[NDArray[np.int64], ...]:
    """Return where people live and where they work, as towns, their jobs and their ways to work."""
    towns = {town.name: number for number, town in enumerate(SETTLEMENTS)}
    town, job, mode = _drawn(rng, count)
    work_town = _work_towns(rng, town, job)
    for number, persona in enumerate(PLANTED):
        town[number], job[number], mode[number] = towns[persona.town], persona.job, persona.mode
        work_town[number] = towns[persona.work_town or persona.town]
    _part_train_towns(town, work_town, mode)
    mode[(work_town != town) & (mode != Mode.TRAIN)] = Mode.CAR
    return town, work_town, job, mode


def _characters(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    character = rng.choice(3, count, p=_CHARACTER_SHARES)
    character[: len(PLANTED)] = [persona.character for persona in PLANTED]
    return np.asarray(character)


def _traits(rng: np.random.Generator, job: NDArray[np.int64], mode: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Return what is true of whom: who drives to work has a car, and who has children takes them to school."""
    traits = {name: rng.random(len(job)) < share for name, share in _SHARES.items()}
    traits["has_children"] &= (job == Job.OFFICE) & np.isin(mode, (Mode.CAR, Mode.BIKING, Mode.WALKING))
    for number, persona in enumerate(PLANTED):
        for name in ("has_dog", "has_children", "is_speeding", "is_flyer", "is_silent"):
            traits[name][number] = getattr(persona, name)
    traits["has_car"] |= (mode == Mode.CAR) | (job == Job.DRIVER)
    return traits


def _drawn(rng: np.random.Generator, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw home towns, jobs, and ways to work that exist in a town."""
    shares = np.array([town.share for town in SETTLEMENTS])
    town = rng.choice(len(SETTLEMENTS), count, p=shares / shares.sum())
    job = rng.choice(list(JOB_SHARES), count, p=list(JOB_SHARES.values()))
    size = np.array([town.size for town in SETTLEMENTS])[town]
    wanted = rng.random(count)
    mode = (wanted[:, None] > np.cumsum(MODE_SHARES, axis=1)[size]).sum(axis=1).clip(0, Mode.TRAIN)
    mode[np.isin(job, (Job.NIGHT, Job.DRIVER))] = Mode.CAR
    return town, job, mode


def _work_towns(rng: np.random.Generator, town: NDArray[np.int64], job: NDArray[np.int64]) -> NDArray[np.int64]:
    """Let people work in the first city of their region: all villagers, half of those in towns."""
    first = {one.region: number for number, one in reversed(list(enumerate(SETTLEMENTS)))}
    city = np.array([first[one.region] for one in SETTLEMENTS])[town]
    size = np.array([one.size for one in SETTLEMENTS])[town]
    leaves = (size == Size.TOWN) & (rng.random(len(town)) < 0.5) & (job == Job.OFFICE)
    return np.where(leaves | ((job == Job.STUDENT) & (size != Size.CITY)), city, town)


def _part_train_towns(town: NDArray[np.int64], work_town: NDArray[np.int64], mode: NDArray[np.int64]) -> None:
    """Let nobody take the train to work within one town where the line goes on to others."""
    for number, one in enumerate(SETTLEMENTS):
        others = [place for place, two in enumerate(SETTLEMENTS) if two.region == one.region and place != number]
        if others:
            work_town[(town == number) & (work_town == number) & (mode == Mode.TRAIN)] = others[0]


def _friends(rng: np.random.Generator, town: NDArray[np.int64], first_home: int) -> NDArray[np.int64]:
    """Return the home of somebody else in one's town, or nowhere."""
    friend = np.full(len(town), NOWHERE)
    for number in range(len(SETTLEMENTS)):
        here = np.flatnonzero(town == number)
        if len(here) > 1:
            friend[here] = first_home + np.roll(here, int(rng.integers(1, len(here))))
    return friend


def _hex(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    text = rng.bytes(12 * count).hex()
    return tuple(text[start : start + 24] for start in range(0, len(text), 24))
