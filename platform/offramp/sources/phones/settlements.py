"""Where people live: real towns with their centres and time zones, and the lines that join them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Size(IntEnum):
    """How much there is in a settlement."""

    VILLAGE = 0
    TOWN = 1
    CITY = 2


@dataclass(frozen=True, slots=True)
class Settlement:
    """A town. ``region`` joins towns that people commute between; its train line calls at them in this order.

    ``share`` is the part of the people that live here. A ``resort`` is only travelled to.
    """

    name: str
    region: str
    latitude: float
    longitude: float
    zone: str
    size: Size
    share: float


SETTLEMENTS = (
    Settlement("Oslo", "oslo", 59.9139, 10.7522, "Europe/Oslo", Size.CITY, 0.16),
    Settlement("Drammen", "oslo", 59.7440, 10.2045, "Europe/Oslo", Size.TOWN, 0.05),
    Settlement("Kongsberg", "oslo", 59.6689, 9.6502, "Europe/Oslo", Size.TOWN, 0.04),
    Settlement("Rollag", "oslo", 59.9870, 9.2740, "Europe/Oslo", Size.VILLAGE, 0.04),
    Settlement("Gent", "ghent", 51.0543, 3.7174, "Europe/Brussels", Size.CITY, 0.13),
    Settlement("Aalst", "ghent", 50.9383, 4.0392, "Europe/Brussels", Size.TOWN, 0.04),
    Settlement("Brussel", "ghent", 50.8467, 4.3525, "Europe/Brussels", Size.CITY, 0.04),
    Settlement("London", "london", 51.5074, -0.1278, "Europe/London", Size.CITY, 0.13),
    Settlement("Reading", "london", 51.4543, -0.9781, "Europe/London", Size.TOWN, 0.05),
    Settlement("Lisboa", "lisbon", 38.7223, -9.1393, "Europe/Lisbon", Size.CITY, 0.10),
    Settlement("Cascais", "lisbon", 38.6979, -9.4215, "Europe/Lisbon", Size.TOWN, 0.03),
    Settlement("New York", "newyork", 40.7306, -73.9866, "America/New_York", Size.CITY, 0.08),
    Settlement("Newark", "newyork", 40.7357, -74.1724, "America/New_York", Size.TOWN, 0.03),
    Settlement("Singapore", "singapore", 1.3000, 103.8500, "Asia/Singapore", Size.CITY, 0.08),
    Settlement("Barcelona", "barcelona", 41.3874, 2.1686, "Europe/Madrid", Size.CITY, 0.0),
    Settlement("Bangkok", "bangkok", 13.7563, 100.5018, "Asia/Bangkok", Size.CITY, 0.0),
    Settlement("Chicago", "chicago", 41.8781, -87.6298, "America/Chicago", Size.CITY, 0.0),
)

REGIONS = tuple(dict.fromkeys(town.region for town in SETTLEMENTS))

# Region: airport code, latitude, longitude.
AIRPORTS = {
    "oslo": ("OSL", 60.1939, 11.1004),
    "ghent": ("BRU", 50.9010, 4.4844),
    "london": ("LHR", 51.4700, -0.4543),
    "lisbon": ("LIS", 38.7742, -9.1342),
    "newyork": ("JFK", 40.6413, -73.7781),
    "singapore": ("SIN", 1.3644, 103.9915),
    "barcelona": ("BCN", 41.2974, 2.0833),
    "bangkok": ("BKK", 13.6900, 100.7501),
    "chicago": ("ORD", 41.9742, -87.9073),
}

# Where people of a region fly to: near enough that they are there, or back, before the next day of theirs begins.
FLIGHTS = {
    "oslo": ("London", "Barcelona", "New York"),
    "ghent": ("Lisboa", "Oslo", "Barcelona"),
    "london": ("Oslo", "Lisboa", "New York"),
    "lisbon": ("London", "Barcelona", "Gent"),
    "newyork": ("Chicago", "Chicago", "Chicago"),
    "singapore": ("Bangkok", "Bangkok", "Bangkok"),
}
