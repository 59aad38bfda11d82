"""Writes down the lives of users as the tables that models of the mobility feed read.

Times are wall times where the user is: ``"2018-10-01 08:00"``, or a datetime. A life may break off with an open stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from platform_tests.mobility.model_house import APP
from platform_tests.mobility.models.life_rows import (
    PAYLOADS,
    PLACES,
    TRIPS,
    VISITS,
    WINDOW,
    frame,
    hexadecimal,
    place_rows,
    trip_rows,
    visit_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USER = "5c0a4f1e9b97e96000000a01"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place of a user: where it is, what it means to the user, and what stands there."""

    place_id: int
    significance: str = "nonregular"
    venue_types: tuple[str, ...] = ()
    venue_name: str | None = None
    venue_brand: str | None = None
    latitude: float = 59.9
    longitude: float = 10.7
    timezone: str = "Europe/Oslo"
    country_code: str = "NO"
    country: str = "Norge"
    region: str = "Oslo"
    city: str = "Oslo"
    city_type: str = "big_city"

    @property
    def venue_id(self) -> str | None:
        """The venue's id, by its name or types."""
        named = self.venue_name or (self.venue_types[-1] if self.venue_types else None)
        return None if named is None else f"v-{named}"


HOME = Spot(1, "home", latitude=59.91, longitude=10.75)
WORK = Spot(2, "work", latitude=59.95, longitude=10.70)
SHOP = Spot(3, "poi", ("shop", "food", "supermarket"), "kiwi", "kiwi", latitude=59.912, longitude=10.752)
GYM = Spot(4, "poi", ("sport", "activity", "fitness", "sportscentre"), "sats", latitude=59.93, longitude=10.76)
RESTAURANT = Spot(5, "nonregular", ("food", "restaurant", "italian"), "villa", latitude=59.92, longitude=10.73)
BAR = Spot(6, "nonregular", ("drinks", "bar"), "crow", latitude=59.922, longitude=10.731)
SCHOOL = Spot(7, "poi", ("education", "school"), "uranienborg", latitude=59.925, longitude=10.72)
PARK = Spot(8, "nonregular", (), None, latitude=59.93, longitude=10.69)
MADRID = Spot(
    9,
    "nonregular",
    ("travel", "hotel"),
    "sol",
    latitude=40.41,
    longitude=-3.7,
    timezone="Europe/Madrid",
    country_code="ES",
    country="España",
    region="Madrid",
    city="Madrid",
)
TOKYO = replace(
    MADRID,
    place_id=10,
    venue_name="sakura",
    latitude=35.68,
    longitude=139.69,
    timezone="Asia/Tokyo",
    country_code="JP",
    country="日本",
    region="Tokyo",
    city="Tokyo",
)
NEW_YORK = replace(
    MADRID,
    place_id=11,
    venue_name="plaza",
    latitude=40.71,
    longitude=-74.0,
    timezone="America/New_York",
    country_code="US",
    country="United States",
    region="New York",
    city="New York City",
)


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay at a spot, in instants of UTC without zone."""

    spot: Spot
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip between instants of UTC without zone; its ends lie in two zones if it crosses a border."""

    mode: str
    started_at: datetime
    ended_at: datetime
    zones: tuple[str, str]
    metres: int
    points: tuple[tuple[datetime, float, float], ...] = ()


@dataclass(slots=True)
class Life:
    """What one user does, written down in any order."""

    user_id: str = USER
    app_id: str = APP
    stays: list[Stay] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)

    def at(self, spot: Spot, start: str | datetime, end: str | datetime | None) -> Life:
        """Stay at a spot between two wall times there; without an end the stay goes on."""
        ended = None if end is None else instant(end, spot.timezone)
        self.stays.append(Stay(spot, instant(start, spot.timezone), ended))
        return self

    def go(
        self,
        mode: str,
        start: str | datetime,
        end: str | datetime,
        *,
        metres: int = 5000,
        zone: str = "Europe/Oslo",
        end_zone: str | None = None,
        points: Sequence[tuple[str, float, float]] = (),
    ) -> Life:
        """Go somewhere between two wall times, in the zones of the start and of the end; points in the former."""
        zones = (zone, end_zone or zone)
        track = tuple((instant(at, zone), latitude, longitude) for at, latitude, longitude in points)
        self.trips.append(Trip(mode, instant(start, zone), instant(end, zones[1]), zones, metres, track))
        return self

    def nights_at(self, spot: Spot, first: date, last: date, *, end: str = "08:00", start: str = "17:00") -> Life:
        """Stay overnight from each date to the next, the last included; the first morning is not among them."""
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            self.at(spot, f"{day} {start}", f"{day + timedelta(days=1)} {end}")
        return self


def days(first: date, last: date) -> list[date]:
    """Return the dates from the first to the last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def weekdays(first: date, last: date) -> list[date]:
    """Return the dates from Monday to Friday."""
    return [one for one in days(first, last) if one.isoweekday() <= 5]


def instant(at: str | datetime, zone: str) -> datetime:
    """Return the instant, in UTC and without zone, of a wall time; of two it is the former."""
    naive = datetime.fromisoformat(at) if isinstance(at, str) else at
    return naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


def tables(*lives: Life, day: date, received_at: datetime | None = None) -> dict[str, pl.DataFrame]:
    """Return the tables of lives as the build of a data day sees them.

    Each user sent one payload, at noon of the data day if nothing else is said. Rows of links are the test's own.
    """
    until = datetime.combine(day, time()) + timedelta(days=1)
    visits = [row for life in lives for row in visit_rows(life, until)]
    trips = [row for life in lives for row in trip_rows(life, until)]
    sent = received_at or until - timedelta(hours=12)
    payloads = [payload(life.user_id, sent, app_id=life.app_id) for life in lives]
    return {
        "mobility_layers.day": frame(
            [{"day": day, "until": until, "window_start": until - WINDOW}],
            {"day": pl.Date, "until": pl.Datetime("us"), "window_start": pl.Datetime("us")},
        ),
        "mobility_layers.visits": frame(visits, VISITS),
        "mobility_layers.trips": frame(trips, TRIPS),
        "mobility_layers.places": frame(place_rows(visits), PLACES),
        "mobility.payloads": frame(payloads, PAYLOADS),
    }


def payload(user_id: str, received_at: datetime, *, app_id: str = APP) -> dict[str, Any]:
    """Return a row of the table of payloads."""
    return {
        "app_id": app_id,
        "user_id": user_id,
        "payload_id": hexadecimal(f"{app_id} {user_id} {received_at}", 32),
        "kind": "trip",
        "occurred_at": received_at,
        "received_at": received_at,
    }


def links(rows: Mapping[str, str], *, linked_at: datetime, app_id: str = APP) -> pl.DataFrame:
    """Return the table of links from user ids to external ids."""
    made = [
        {"app_id": app_id, "user_id": user, "external_id": external, "linked_at": linked_at}
        for user, external in sorted(rows.items())
    ]
    texts = dict.fromkeys(("app_id", "user_id", "external_id"), pl.String)
    return frame(made, {**texts, "linked_at": pl.Datetime("us")})
