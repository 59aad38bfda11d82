"""Lives whose attributes are worked out by hand, and the way from lives to attributes."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from platform_tests.mobility.model_house import APP, run_model
from platform_tests.mobility.models.lives import (
    BAR,
    GYM,
    HOME,
    MADRID,
    RESTAURANT,
    SCHOOL,
    SHOP,
    TOKYO,
    WORK,
    Life,
    Spot,
    days,
    payload,
    tables,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = date(2018, 10, 31)
"""A Wednesday. Its nine weeks start on 2018-08-30, its last seven dates are the 25th to the 31st."""
FIRST = date(2018, 10, 18)
EXPECTED = Path(__file__).parent / "attributes_expected.txt"
OTHER_APP = "5a689ab0e97b960500002110"

COMMUTER = "5c0a4f1e9b97e96000000b01"
GUEST = "5c0a4f1e9b97e96000000b02"
TRAVELLER = "5c0a4f1e9b97e96000000b03"
DRIVER = "5c0a4f1e9b97e96000000b04"
NOBODY = "5c0a4f1e9b97e96000000b05"

REMA = replace(SHOP, place_id=12, venue_name="rema", venue_brand="rema")
WOK = replace(RESTAURANT, place_id=13, venue_types=("food", "restaurant", "asian"), venue_name="wok")
GAS = replace(SHOP, place_id=14, venue_types=("travel", "gasstation", "fuel"), venue_name="esso", venue_brand=None)
CINEMA = replace(BAR, place_id=15, venue_types=("leisure", "cinema"), venue_name="saga")
CAFE = replace(BAR, place_id=16, venue_types=("drinks", "cafe"), venue_name="nord", latitude=59.919, longitude=10.75)
STOCKHOLM = Spot(
    17,
    "nonregular",
    ("travel", "hotel"),
    "lydmar",
    latitude=59.33,
    longitude=18.07,
    timezone="Europe/Stockholm",
    country_code="SE",
    country="Sverige",
    region="Stockholm",
    city="Stockholm",
)

_SCORES = (
    "smooth", "legal", "anticipative", "focus", "mounted", "hard_events", "hard_accel", "hard_brake", "legal_v2",
    "smooth_v2", "aggr_v2", "anti_v2", "anticipative_v2", "hard_turn", "attention",
)  # fmt: skip
_KIND = pl.Decimal(9, 6)


def names() -> list[tuple[str, str]]:
    """Return names and types of all attributes in the order of the offload's header (mobility_offloads.md 7)."""
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    return [(name, kind) for name, kind in (line.split("\t") for line in lines)]


def commuter(user_id: str = COMMUTER) -> Life:
    """Fourteen dates: by car to work from Monday to Friday, on foot to the gym at weekends; home goes on."""
    life = Life(user_id)
    home_from = f"{FIRST} 00:00"
    for day in days(FIRST, DAY):
        if day.isoweekday() <= 5:
            life.at(HOME, home_from, f"{day} 08:00").go("car", f"{day} 08:00", f"{day} 08:30", metres=10_000)
            life.at(WORK, f"{day} 08:30", f"{day} 16:30").go("car", f"{day} 16:30", f"{day} 17:00", metres=10_000)
            home_from = f"{day} 17:00"
        else:
            life.at(HOME, home_from, f"{day} 10:00").go("walking", f"{day} 10:00", f"{day} 10:30", metres=2000)
            life.at(GYM, f"{day} 10:30", f"{day} 12:00").go("walking", f"{day} 12:00", f"{day} 12:30", metres=2000)
            home_from = f"{day} 12:30"
    return life.at(HOME, home_from, None)


def guest() -> Life:
    """Six dates at home and some at venues: eating, drinking, shopping, school and cinema."""
    life = Life(GUEST).at(HOME, "2018-10-18 00:00", "2018-10-24 00:00")
    life.at(WOK, "2018-10-10 19:00", "2018-10-10 21:00").at(SHOP, "2018-10-05 10:00", "2018-10-05 10:30")
    life.at(GAS, "2018-10-11 09:00", "2018-10-11 09:10").at(CINEMA, "2018-10-12 20:00", "2018-10-12 22:00")
    life.at(SCHOOL, "2018-10-29 08:00", "2018-10-29 08:10").at(RESTAURANT, "2018-10-29 12:00", "2018-10-29 13:00")
    life.at(RESTAURANT, "2018-10-30 19:00", "2018-10-30 20:00").at(BAR, "2018-10-30 22:00", "2018-10-31 01:00")
    return life.at(SHOP, "2018-10-31 10:00", "2018-10-31 10:20").at(REMA, "2018-10-31 12:00", "2018-10-31 12:10")


def traveller() -> Life:
    """Three weeks of October: at home, a week in Madrid, two nights in Stockholm, and a morning at a cafe with work."""
    life = Life(TRAVELLER).at(HOME, "2018-10-08 12:00", "2018-10-12 08:00")
    life.go("flight", "2018-10-12 09:00", "2018-10-12 13:00", metres=2_390_000, end_zone="Europe/Madrid")
    life.at(MADRID, "2018-10-12 14:00", "2018-10-19 10:00")
    life.at(HOME, "2018-10-19 18:00", "2018-10-22 07:00")
    life.go("flight", "2018-10-22 08:00", "2018-10-22 09:00", metres=417_000, end_zone="Europe/Stockholm")
    life.at(STOCKHOLM, "2018-10-22 10:00", "2018-10-24 16:00")
    life.at(HOME, "2018-10-24 19:00", "2018-10-25 09:45")
    return life.at(CAFE, "2018-10-25 10:00", "2018-10-25 12:00").at(HOME, "2018-10-25 12:15", None)


def driver() -> Life:
    """Seven dates at home, which is what values of the past ask for. The drives are rows of their own."""
    return Life(DRIVER).at(HOME, "2018-10-24 00:00", None)


def wanderers() -> list[Life]:
    """Return thirty users who go from place to place by chance, in three time zones, for one to sixty days."""
    lives = []
    spots = (HOME, HOME, WORK, WORK, GYM, RESTAURANT, WOK, BAR, CAFE, SHOP, REMA, GAS, SCHOOL, CINEMA, STOCKHOLM, TOKYO)
    modes = ("walking", "running", "biking", "car", "train", "bus", "tram", "flight", "insufficient_data")
    for number in range(30):
        chance = random.Random(number)  # noqa: S311 - lives by chance, the same each time
        life = Life(f"5c0a4f1e9b97e96000000c{number:02d}")
        at = datetime.combine(DAY, time()) - timedelta(days=chance.randint(1, 60))
        while at.date() < DAY:
            spot, goes, stays = chance.choice(spots), chance.randint(1, 9000), chance.randint(300, 60_000)
            metres = chance.randint(0, 200_000)
            life.go(chance.choice(modes), at, at + timedelta(seconds=goes), metres=metres, zone=spot.timezone)
            at += timedelta(seconds=goes)
            life.at(spot, at, at + timedelta(seconds=stays))
            at += timedelta(seconds=stays)
        lives.append(life)
    return lives


def drive(user_id: str, end: str, metres: tuple[int, int, int], **scores: str) -> dict[str, Any]:
    """Return a drive of an hour with metres on motorways, in cities and elsewhere; a score not named is -1."""
    ended_at = datetime.fromisoformat(end)
    values = {name: Decimal(scores.get(name, "-1")) for name in _SCORES}
    return {
        "app_id": APP,
        "user_id": user_id,
        "event_id": f"{user_id}{ended_at:%Y%m%d%H%M}".ljust(64, "0"),
        "started_at": ended_at - timedelta(hours=1),
        "ended_at": ended_at,
        "processed_at": ended_at,
        "mode": "car",
        "distance": sum(metres),
        **values,
        "behavior_events": "{}" if scores else None,
        **dict(zip(("motorway_metres", "city_metres", "noncity_metres"), metres, strict=True)),
        "motorway_seconds": 900,
        "city_seconds": 1200,
        "noncity_seconds": 600,
        "built_on": ended_at.date(),
    }


def drives(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return the table of drives with all its columns."""
    texts = ("session_id", "start_text", "end_text", "occupant_role", "waypoints", "mapped_waypoints")
    schema: dict[str, Any] = {
        **dict.fromkeys(("app_id", "user_id", "event_id", "mode", "behavior_events", *texts), pl.String),
        **dict.fromkeys(("started_at", "ended_at", "processed_at"), pl.Datetime("us")),
        **dict.fromkeys(("distance", "motorway_metres", "city_metres", "noncity_metres"), pl.Int64),
        **dict.fromkeys(("motorway_seconds", "city_seconds", "noncity_seconds"), pl.Int64),
        **dict.fromkeys(_SCORES, _KIND),
        "built_on": pl.Date,
    }
    return pl.DataFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema, orient="row")


def all_tables() -> dict[str, pl.DataFrame]:
    """Return the tables of all lives, of a user without any row, and of the commuter's twin at another app id."""
    twin = replace(commuter(), app_id=OTHER_APP)
    made = tables(commuter(), guest(), traveller(), driver(), twin, day=DAY)
    sent = payload(NOBODY, datetime.fromisoformat("2018-10-30 12:00"))
    made["mobility.payloads"] = pl.concat([made["mobility.payloads"], pl.DataFrame([sent])], how="vertical_relaxed")
    made["mobility_layers.drives"] = drives(
        [
            drive(DRIVER, "2018-10-30 09:00", (10_000, 5_000, 5_000), smooth="0.8", legal="0.5", focus="1"),
            drive(DRIVER, "2018-10-29 09:00", (0, 10_000, 0), smooth="0.2", focus="0.4"),
            drive(DRIVER, "2018-10-28 09:00", (1_000, 0, 0)),
            drive(DRIVER, "2018-10-01 09:00", (4_000, 0, 0), smooth="0.6"),
            drive(DRIVER, "2018-08-01 09:00", (9_000, 0, 0), smooth="0.1"),
            drive(DRIVER, "2018-11-01 01:00", (9_000, 0, 0), smooth="0.1"),
            drive(DRIVER, "2018-10-30 12:00", (9_000, 0, 0), smooth="0.1")
            | {"processed_at": datetime.fromisoformat("2018-11-01")},
        ]
    )
    return made


def wide(made: dict[str, pl.DataFrame], folder: Path) -> pl.DataFrame:
    """Return the wide model over tables."""
    return run_model("mobility.attributes_wide", made, folder)


def attributes_of(frame: pl.DataFrame, user_id: str, app_id: str = APP) -> dict[str, Any]:
    """Return the attributes of one user by name, without their ending."""
    (row,) = frame.filter((pl.col("user_id") == user_id) & (pl.col("app_id") == app_id)).to_dicts()
    return {name.removesuffix(".value"): value for name, value in row.items()}
