"""All numbers of the rules by which visits are made. They are part of the layer's version; nothing heavy is imported.

Which rule a number belongs to is said in the module that it is named after.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

_HOUR = 3_600
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class ClusterRule:
    """How stays become places (clusters.py)."""

    group_metres: float = 50.0
    unite_metres: float = 100.0
    founders_metres: float = 150.0


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What makes a home or a work (evidence.py, roles.py)."""

    night_seconds: int = 6 * _HOUR
    """Night is from 00:00 to 06:00."""
    office_from_seconds: int = 8 * _HOUR
    office_to_seconds: int = 18 * _HOUR
    longest_rest_seconds: int = _DAY
    """A rest longer than a day counts as a day, else a week in bed would outweigh a month of nights."""
    least_dates: int = 3
    least_share: float = 0.2
    least_nights: int = 3
    rest_seconds: int = 4 * _HOUR
    slept_seconds: int = 3 * _HOUR
    at_home_seconds: int = 5 * _HOUR
    second_home_nights: int = 10
    second_home_weeks: int = 3
    work_seconds: int = 4 * _HOUR
    second_work_share: float = 0.3
    no_work_types: tuple[str, ...] = ("hotel", "hostel", "motel", "airport", "aerodrome")
    """Nobody's work, and nobody's second home: who travels every week is there for longer than at many an office."""
    believed_hours: int = 24
    """How long an open stay is believed in without a fix, where it is asked for rest, work and opening hours: phones
    stay silent for hours while they lie still, but a phone that was lost must not be at home for weeks."""


@dataclass(frozen=True, slots=True)
class CityRule:
    """Which settlement a point belongs to (cities.py, addresses.py)."""

    big_city_people: int = 500_000
    city_people: int = 50_000
    town_people: int = 5_000
    metres_per_root: float = 9.0
    """A settlement reaches as far as a disc of its people at 3,930 per square kilometre: 100,000 people reach 2.8 km,
    a million 9 km. At least 1.5 km, since villages are wide; at most 30 km, since the largest are denser."""
    least_reach_metres: float = 1_500.0
    most_reach_metres: float = 30_000.0
    rings_metres: tuple[float, ...] = (5_000.0, 20_000.0, 60_000.0)
    """Where what is left looks for its nearest settlement. Few points are left to the wide rings, in which each has
    hundreds of settlements."""
    named_metres: float = 10_000.0


@dataclass(frozen=True, slots=True)
class VenueRule:
    """Which venue a place is (venues.py, venue_types.py)."""

    match_metres: float = 50.0
    unknown_hours_share: float = 0.7
    least_score: float = 0.15
    otherwise_minutes: tuple[int, int] = (5, 12 * 60)
    plausible_minutes: dict[str, tuple[int, int]] = field(default_factory=lambda: dict(_PLAUSIBLE_MINUTES))


@dataclass(frozen=True, slots=True)
class VisitRule:
    """Meaning of places and neighbours of trips (places.py, trips.py)."""

    window_days: int = 63
    """Nine weeks (mobility_offloads.md, section 8, rule 1)."""
    regular_visits: int = 3
    regular_days: int = 3
    beside_minutes: int = 30
    outlier_seconds: int = 900
    """Stays last five minutes or more (timeline, rule.py), so that a place of one false position has no less."""
    outlier_metres: float = 500_000.0
    outlier_minutes: int = 30
    """500 km in half an hour are 1,000 km/h: faster than airliners."""
    points_per_degree: int = 200
    """Kinds of cities on the way are looked up at points of 0.005 degrees, 0.4 km away at most: cities reach 1.5 km or
    further, and the legs of a commuter share their points."""


# How long visits to venues of a type last, in minutes, both ends included. Bounds are wide: a school is visited for
# three minutes by who brings a child, and for a day by the child.
_PLAUSIBLE_MINUTES: dict[str, tuple[int, int]] = {
    "residential": (0, 30 * 1440),
    "office": (5, 16 * 60),
    "private": (5, 16 * 60),
    "commercial": (5, 16 * 60),
    "industrial": (5, 16 * 60),
    "education": (3, 12 * 60),
    "shop": (3, 3 * 60),
    "drink": (10, 8 * 60),
    "bar": (15, 8 * 60),
    "cafe": (10, 4 * 60),
    "club": (30, 10 * 60),
    "food": (3, 4 * 60),
    "resto": (15, 5 * 60),
    "restaurant": (15, 5 * 60),
    "fastfood": (5, 2 * 60),
    "supermarket": (5, 2 * 60),
    "sport": (15, 6 * 60),
    "health": (5, 2 * 1440),
    "culture": (15, 6 * 60),
    "leisure": (10, 12 * 60),
    "religion": (10, 4 * 60),
    "hotel": (3 * 60, 30 * 1440),
    "gasstation": (2, 60),
    "publictransport": (1, 90),
    "trainstation": (1, 2 * 60),
    "airport": (20, 12 * 60),
}

CLUSTERS = ClusterRule()
ROLES = RoleRule()
CITIES = CityRule()
VENUES = VenueRule()
VISITS = VisitRule()

PARAMETERS = tuple(asdict(rule) for rule in (CLUSTERS, ROLES, CITIES, VENUES, VISITS))
