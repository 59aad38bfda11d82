"""Legs of known modes: vehicles that speed up, cruise, turn and halt, seen by a phone with noise.

Nothing here knows the thresholds of the product: speeds and spacings are those of the real vehicles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import polars as pl

BEGIN = datetime(2024, 5, 6, 8)  # noqa: DTZ001 - tables hold UTC without a zone
METRES_PER_DEGREE = 111_195.0

SDK_NAMES = {"walking": "walking", "running": "running", "biking": "cycling"}


@dataclass(frozen=True)
class Vehicle:
    """How a way of moving looks: km/h (from, to), m/s2, metres between stops and lights, and turns."""

    cruise: tuple[float, float]
    acceleration: float
    kilometres: tuple[float, float]
    stop_spacing: tuple[float, float] | None = None
    dwell: tuple[float, float] = (12, 35)
    light_spacing: float | None = None
    turn_spacing: float = 350
    stop_radius: float = 25


VEHICLES = {
    "walking": Vehicle((4, 6), 1, (0.4, 3), light_spacing=400),
    "running": Vehicle((8.5, 12.5), 1, (2, 9), light_spacing=1500),
    "biking": Vehicle((15, 23), 0.8, (1.5, 9), light_spacing=700),
    "car": Vehicle((35, 58), 1.8, (2, 15), light_spacing=500, turn_spacing=600),
    "motorway": Vehicle((85, 125), 1.8, (15, 60), light_spacing=9000, turn_spacing=5000),
    "bus": Vehicle((32, 50), 1.1, (2, 10), stop_spacing=(300, 700), light_spacing=800, turn_spacing=600),
    "tram": Vehicle((28, 45), 1.0, (2, 9), stop_spacing=(350, 650), light_spacing=2000, turn_spacing=900),
    "train": Vehicle(
        (90, 150), 0.6, (12, 70), stop_spacing=(3000, 12000), dwell=(30, 90), turn_spacing=6000, stop_radius=60
    ),
}


@dataclass
class MadeLegs:
    """Legs with their truth, and the world that they were in."""

    legs: list[dict[str, object]] = field(default_factory=list)
    truth: list[str] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    stops: list[dict[str, object]] = field(default_factory=list)

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        return legs_frame(self.legs), events_frame(self.events), stops_frame(self.stops)


def legs_frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    point = pl.Struct(
        {
            "tracked_at": pl.Datetime("us"),
            "latitude": pl.Float64,
            "longitude": pl.Float64,
            "speed": pl.Float64,
            "accuracy": pl.Float64,
        }
    )
    text, instant = pl.String, pl.Datetime("us")
    return pl.DataFrame(
        rows,
        schema={
            "app_id": text,
            "user_id": text,
            "event_id": text,
            "started_at": instant,
            "ended_at": instant,
            "points": pl.List(point),
        },
    )


def events_frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    text = pl.String
    return pl.DataFrame(
        rows,
        schema={
            "app_id": text,
            "user_id": text,
            "occurred_at": pl.Datetime("us"),
            "kind": text,
            "activity": text,
            "confidence": pl.Float64,
        },
    )


def stops_frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"kind": pl.String, "latitude": pl.Float64, "longitude": pl.Float64})


def made_legs(count: int, seed: int, *, sdk: float = 0.75) -> MadeLegs:
    """Return ``count`` legs of each vehicle; ``sdk`` is the share of legs of which the SDK says something."""
    rng = np.random.default_rng(seed)
    made = MadeLegs()
    for name in VEHICLES:
        for _ in range(count):
            _add(made, name, rng, sdk)
    return made


def _add(made: MadeLegs, name: str, rng: np.random.Generator, sdk: float) -> None:
    mode = "car" if name == "motorway" else name
    number = len(made.legs)
    vehicle = VEHICLES[name]
    metres, stops_at = _run(vehicle, rng)
    # Far from every other leg: each has a world of its own.
    latitude, longitude = 45 + number % 150 * 0.1, -150 + number // 150 * 5 + number % 7 * 0.5
    north, east = _route(metres[-1] + 50, vehicle.turn_spacing, rng, is_smooth=name == "train")
    y, x = np.interp(metres, np.arange(len(north)) * 10.0, north), np.interp(metres, np.arange(len(east)) * 10.0, east)
    if vehicle.stop_spacing is not None:
        halts = [*stops_at, 0.0, float(metres[-1])]
        where = [
            (np.interp(m, np.arange(len(north)) * 10.0, north), np.interp(m, np.arange(len(east)) * 10.0, east))
            for m in halts
        ]
        for a, b in where:
            da, db = rng.normal(0, vehicle.stop_radius, 2)
            made.stops.append({"kind": mode, **_place(latitude, longitude, a + da, b + db)})
        y, x = _with_walks(y, x, rng)
    _background(made, latitude, longitude, (y.min(), y.max(), x.min(), x.max()), rng)
    seconds = np.arange(len(y), dtype=float)
    step = rng.choice([1, 5, 10, 20, 30])
    seen = np.arange(0, len(y), step)
    noise = rng.choice([3, 6, 10])
    speeds = np.hypot(np.gradient(y), np.gradient(x))
    has_speed = rng.random() < 0.6
    begin = BEGIN + timedelta(hours=number)
    points = [
        {
            "tracked_at": begin + timedelta(seconds=float(seconds[i])),
            **_place(latitude, longitude, y[i] + rng.normal(0, noise), x[i] + rng.normal(0, noise)),
            "speed": max(0.0, float(speeds[i] + rng.normal(0, 0.3))) if has_speed else None,
            "accuracy": float(noise),
        }
        for i in seen
    ]
    ids = {"app_id": "a" * 24, "user_id": f"{number:024x}"}
    end = points[-1]["tracked_at"]
    made.legs.append({**ids, "event_id": f"{number:064x}", "started_at": begin, "ended_at": end, "points": points})
    made.truth.append(mode)
    if rng.random() < sdk:
        names = ["walking", "running", "cycling", "automotive", "still", "unknown"]
        for at in np.arange(30, len(y), 90):
            right = SDK_NAMES.get(mode, "automotive")
            said = right if rng.random() < 0.8 else str(rng.choice(names))
            event = {"occurred_at": begin + timedelta(seconds=float(at)), "kind": "activity", "activity": said}
            made.events.append({**ids, **event, "confidence": float(rng.choice([0.3, 0.6, 0.9]))})


def _run(vehicle: Vehicle, rng: np.random.Generator) -> tuple[np.ndarray, list[float]]:
    """Return the way after each second, and where it halted at stops."""
    total = rng.uniform(*vehicle.kilometres) * 1000
    halts: list[tuple[float, float, bool]] = []
    at = 0.0
    while vehicle.stop_spacing is not None and at < total - 200:
        at += rng.uniform(*vehicle.stop_spacing)
        if at < total - 200 and (rng.random() < 0.85 or vehicle.stop_spacing[0] > 1000):
            halts.append((at, rng.uniform(*vehicle.dwell), True))
    at = 0.0
    while vehicle.light_spacing is not None and at < total - 50:
        at += rng.exponential(vehicle.light_spacing)
        if at < total - 50 and rng.random() < 0.6:
            halts.append((at, rng.uniform(8, 45), False))
    halts = [*sorted(halts), (total, 10.0, False)]
    cruise = rng.uniform(*vehicle.cruise) / 3.6
    way, speed, metres = 0.0, 0.0, [0.0]
    for where, dwell, _ in halts:
        limit = cruise * rng.uniform(0.85, 1.1)
        while where - way > 1.0:
            fits = math.sqrt(2 * vehicle.acceleration * max(where - way, 0.5))
            speed = max(0.5, min(limit, speed + vehicle.acceleration, fits))
            way = min(where, way + speed)
            metres.append(way)
        speed = 0.0
        metres.extend([way] * int(dwell))
    return np.asarray(metres), [where for where, _, is_stop in halts if is_stop]


def _route(length: float, turn_spacing: float, rng: np.random.Generator, *, is_smooth: bool) -> tuple[np.ndarray, ...]:
    pieces = int(length / 10) + 2
    if is_smooth:
        change = np.cumsum(rng.normal(0, 0.0006, pieces))
        heading = rng.uniform(0, 2 * math.pi) + np.cumsum(change - change.mean()) * 0.3
    else:
        turns = (rng.random(pieces) < 10 / turn_spacing) * rng.choice([-1, 1], pieces) * rng.uniform(0.5, 1.6, pieces)
        heading = rng.uniform(0, 2 * math.pi) + np.cumsum(turns + rng.normal(0, 0.01, pieces))
    return np.cumsum(np.cos(heading)) * 10, np.cumsum(np.sin(heading)) * 10


def _with_walks(y: np.ndarray, x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    if rng.random() < 0.5:
        return y, x
    heading, seconds = rng.uniform(0, 2 * math.pi), int(rng.uniform(60, 240))
    walk = 1.4 * np.arange(seconds, 0, -1)
    wait = int(rng.uniform(20, 200))
    off = 1.4 * np.arange(1, int(rng.uniform(30, 200)))
    return (
        np.concatenate((y[0] + walk * math.cos(heading), np.full(wait, y[0]), y, y[-1] + off * math.sin(heading))),
        np.concatenate((x[0] + walk * math.sin(heading), np.full(wait, x[0]), x, x[-1] + off * math.cos(heading))),
    )


def _background(
    made: MadeLegs, latitude: float, longitude: float, box: tuple[float, float, float, float], rng: np.random.Generator
) -> None:
    """Scatter stops that have nothing to do with the leg: 8 bus stops, 2 tram stops, 0.1 stations in a km2."""
    low_y, high_y, low_x, high_x = (box[0] - 300, box[1] + 300, box[2] - 300, box[3] + 300)
    area = (high_y - low_y) * (high_x - low_x) / 1e6
    for kind, density in (("bus", 8), ("tram", 2), ("train", 0.1)):
        for _ in range(min(400, rng.poisson(area * density))):
            place = _place(latitude, longitude, rng.uniform(low_y, high_y), rng.uniform(low_x, high_x))
            made.stops.append({"kind": kind, **place})


def _place(latitude: float, longitude: float, north: float, east: float) -> dict[str, float]:
    return {
        "latitude": float(latitude + north / METRES_PER_DEGREE),
        "longitude": float(longitude + east / METRES_PER_DEGREE / math.cos(math.radians(latitude))),
    }
