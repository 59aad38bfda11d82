"""Seeded walks of phones: pauses, moves, silence, jumps, ties, duplicates and poor fixes, anywhere on the sphere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RADIUS_METRES = 6_371_000.0
BEGIN = datetime(2026, 3, 1, 6, tzinfo=UTC)
# How often each kind of episode comes in seeded walks.
KINDS = {
    "pause": 6, "move": 5, "silence": 2, "spike": 1, "tie": 1, "twin": 1, "poor": 1, "repeat": 1, "edge": 1,
    "crossing": 1, "flight": 0.4, "wander": 0.6,
}  # fmt: skip
# Those, and what only the product's rule knows.
ALL_KINDS = KINDS | {"wake": 3, "far_wake": 2, "long_silence": 1, "vague": 2}


@dataclass(frozen=True, slots=True)
class Track:
    """Fixes of one user: microseconds since BEGIN, metres east and north of the start, accuracy in metres or NaN."""

    micros: np.ndarray
    east: np.ndarray
    north: np.ndarray
    accuracy: np.ndarray

    def then(self, seconds: np.ndarray, east: np.ndarray, north: np.ndarray, accuracy: float = 10.0) -> Track:
        """Add fixes: seconds between them, and metres from the place of the last fix."""
        micros = self.micros[-1] + np.cumsum(np.round(seconds * 1000).astype(np.int64) * 1000)
        return Track(
            np.concatenate([self.micros, micros]),
            np.concatenate([self.east, self.east[-1] + east]),
            np.concatenate([self.north, self.north[-1] + north]),
            np.concatenate([self.accuracy, np.full(len(east), accuracy)]),
        )


def _pause(track: Track, rng: np.random.Generator) -> Track:
    count = int(rng.integers(2, 40))
    jitter = rng.choice([0.5, 5.0, 20.0, 45.0])
    # Whole seconds, so that stays of exactly the least length come up; else milliseconds.
    seconds = np.full(count, rng.choice([10.0, 20.0, 30.0, 60.0]))
    seconds = seconds if rng.random() < 0.5 else rng.uniform(5, 120, count)
    return track.then(seconds, *rng.normal(0, jitter, (2, count)))


def _move(track: Track, rng: np.random.Generator) -> Track:
    count = int(rng.integers(1, 30))
    headings = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.3, count))
    steps = rng.uniform(5, 250, count)
    return track.then(
        rng.uniform(1, 90, count), np.cumsum(steps * np.sin(headings)), np.cumsum(steps * np.cos(headings))
    )


def _silence(track: Track, rng: np.random.Generator) -> Track:
    seconds = rng.choice([rng.uniform(600, 1200), rng.uniform(1200, 40_000), rng.uniform(40_000, 400_000)])
    return _step(track, rng, float(seconds), float(rng.choice([rng.uniform(0, 60), rng.uniform(20, 3000)])))


def _edge(track: Track, rng: np.random.Generator) -> Track:
    seconds = rng.choice([299.999, 300.0, 300.001, 899.999, 900.0, 900.001, 1800.0, 86_400.0])
    return _step(track, rng, float(seconds), float(rng.choice([rng.uniform(0, 60), rng.uniform(20, 3000)])))


def _crossing(track: Track, rng: np.random.Generator) -> Track:
    seconds = rng.uniform(600, 4_000)
    metres = rng.choice([rng.uniform(900, 1_100), seconds * rng.uniform(1.2, 1.6), seconds * 20])
    return _step(track, rng, seconds, float(metres))


def _flight(track: Track, rng: np.random.Generator) -> Track:
    metres = rng.choice([rng.uniform(90_000, 110_000), rng.uniform(100_000, 3_000_000)])
    return _step(track, rng, rng.uniform(600, 40_000), float(metres))


def _step(track: Track, rng: np.random.Generator, seconds: float, metres: float) -> Track:
    angle = rng.uniform(0, 2 * np.pi)
    return track.then(np.full(1, seconds), np.full(1, metres * np.sin(angle)), np.full(1, metres * np.cos(angle)))


def _wander(track: Track, rng: np.random.Generator) -> Track:
    count = int(rng.integers(20, 150))  # some for longer than a day
    angle, steps = rng.uniform(0, 2 * np.pi), np.cumsum(rng.uniform(1_500, 4_000, count))
    return track.then(rng.uniform(600, 1_500, count), steps * np.sin(angle), steps * np.cos(angle))


def _spike(track: Track, rng: np.random.Generator) -> Track:
    angle, metres = rng.uniform(0, 2 * np.pi), np.array([rng.uniform(200, 20_000), 1.0])
    return track.then(rng.uniform(1, 60, 2), metres * np.sin(angle), metres * np.cos(angle))


def _poor(track: Track, rng: np.random.Generator) -> Track:
    angle, metres = rng.uniform(0, 2 * np.pi), rng.uniform(50, 9000)
    east, north = np.full(1, metres * np.sin(angle)), np.full(1, metres * np.cos(angle))
    accuracy = float(rng.choice([100.0, 199.9, 200.0, 200.1, 1500.0, np.nan]))
    poor = track.then(rng.uniform(1, 200, 1), east, north, accuracy)
    return poor.then(rng.uniform(1, 200, 1), 3.0 - east, -north)


def _wake(track: Track, rng: np.random.Generator) -> Track:
    silent = rng.choice([300.0, rng.uniform(280, 320), rng.uniform(320, 1_200), rng.uniform(1_200, 40_000)])
    return _step(track, rng, float(silent), float(rng.uniform(80, 270)))


def _far_wake(track: Track, rng: np.random.Generator) -> Track:
    silent = rng.choice([3_600.0, rng.uniform(3_500, 3_700), rng.uniform(3_600, 12_000), rng.uniform(12_000, 180_000)])
    metres = rng.choice([rng.uniform(240, 260), rng.uniform(0.4, 0.6) * min(silent, 12_000), rng.uniform(250, 5_100)])
    return _step(track, rng, float(silent), float(metres))


def _long_silence(track: Track, rng: np.random.Generator) -> Track:
    silent = rng.choice([172_799.999, 172_800.0, 172_800.001, rng.uniform(160_000, 190_000)])
    metres = rng.choice([rng.uniform(0, 90), rng.uniform(20, 6_000), 200_000.0])
    return _step(track, rng, float(silent), float(metres))


def _vague(track: Track, rng: np.random.Generator) -> Track:
    angle, metres = rng.uniform(0, 2 * np.pi), rng.uniform(80, 450)
    east, north = np.full(1, metres * np.sin(angle)), np.full(1, metres * np.cos(angle))
    vague = track.then(rng.uniform(1, 2_000, 1), east, north, float(rng.uniform(40, 200)))
    return vague if rng.random() < 0.3 else vague.then(rng.uniform(1, 2_000, 1), 3.0 - east, -north)


def _tie(track: Track, rng: np.random.Generator) -> Track:
    angle, metres = rng.uniform(0, 2 * np.pi), rng.uniform(2, 300)
    accuracy = float(rng.choice([5.0, 10.0, 50.0, np.nan]))
    return track.then(np.zeros(1), np.full(1, metres * np.sin(angle)), np.full(1, metres * np.cos(angle)), accuracy)


def _twin(track: Track, _rng: np.random.Generator) -> Track:
    return track.then(np.zeros(1), np.zeros(1), np.zeros(1))


def _repeat(track: Track, rng: np.random.Generator) -> Track:
    count = int(rng.integers(1, 6))
    return track.then(rng.choice([30.0, 100.0, 300.0], count), np.zeros(count), np.zeros(count))


EPISODES: dict[str, Callable[[Track, np.random.Generator], Track]] = {
    "pause": _pause,
    "move": _move,
    "silence": _silence,
    "spike": _spike,
    "tie": _tie,
    "twin": _twin,
    "poor": _poor,
    "repeat": _repeat,
    "edge": _edge,
    "crossing": _crossing,
    "flight": _flight,
    "wander": _wander,
    "wake": _wake,
    "far_wake": _far_wake,
    "long_silence": _long_silence,
    "vague": _vague,
}


def track_of(kinds: list[str], seed: int) -> Track:
    """Return the fixes of one user who goes through the kinds in turn."""
    rng = np.random.default_rng(seed)
    track = Track(np.array([int(rng.integers(0, 3600)) * 1_000_000]), np.zeros(1), np.zeros(1), np.full(1, 10.0))
    for kind in kinds:
        track = EPISODES[kind](track, rng)
    return track


def on_sphere(track: Track, latitude: float, longitude: float) -> tuple[np.ndarray, np.ndarray]:
    """Lay a track around a point by turning the sphere, which changes no distance; return degrees."""
    lat, lon = track.north / RADIUS_METRES, track.east / RADIUS_METRES
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    tilt, turn = np.radians(latitude), np.radians(longitude)
    x, z = x * np.cos(tilt) - z * np.sin(tilt), x * np.sin(tilt) + z * np.cos(tilt)
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def frame_of(track: Track, user: int, *, latitude: float = 52.5, longitude: float = 13.4) -> pl.DataFrame:
    """Return the landed rows of a user, in order of time as they were tracked."""
    lat, lon = on_sphere(track, latitude, longitude)
    micros = track.micros + round(BEGIN.timestamp()) * 1_000_000
    at = pl.Series(micros).cast(pl.Datetime("us"))
    rows = pl.DataFrame({"tracked_at": at, "latitude": lat, "longitude": lon, "accuracy": track.accuracy})
    return rows.select(
        pl.lit("a" * 24).alias("app_id"),
        pl.lit(f"{user:024x}").alias("user_id"),
        "tracked_at",
        "latitude",
        "longitude",
        pl.col("accuracy").fill_nan(None),
        pl.lit(None, pl.Float64).alias("speed"),
        pl.col("tracked_at").dt.truncate("1h").dt.offset_by("1h").alias("received_at"),  # sent once an hour
    )


def seeded(
    seed: int,
    *,
    users: int,
    episodes: int,
    latitude: float = 52.5,
    longitude: float = 13.4,
    kinds: Mapping[str, float] = ALL_KINDS,
) -> pl.DataFrame:
    """Return fixes of several users drawn from a seed, sorted as they are landed."""
    rng = np.random.default_rng(seed)
    weights = np.array(list(kinds.values())) / sum(kinds.values())
    frames = [
        frame_of(
            track_of(list(rng.choice(list(kinds), episodes, p=weights)), seed * 1000 + user),
            user, latitude=latitude, longitude=longitude,
        )
        for user in range(users)
    ]  # fmt: skip
    return landed(pl.concat(frames))


def landed(fixes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as a landing holds them: unique by key, sorted by it."""
    key = ["app_id", "user_id", "tracked_at", "latitude", "longitude"]
    return fixes.unique(key, keep="first", maintain_order=True).sort(key)


def unruly(fixes: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the rows with others among them that no rule may count, and some at the edge of what counts."""
    rng = np.random.default_rng(seed)
    rows = fixes.sample(min(40, len(fixes)), seed=seed).with_columns(
        pl.col("tracked_at") + pl.Series(rng.integers(-(10**9), 10**9, min(40, len(fixes)))).cast(pl.Duration("us"))
    )
    hour, window, instant = timedelta(hours=1), timedelta(days=63), timedelta(microseconds=1)
    changes = (
        {"latitude": pl.lit(None, pl.Float64)}, {"longitude": pl.lit(math.nan)}, {"latitude": pl.lit(90.000001)},
        {"longitude": pl.lit(-180.000001)}, {"latitude": pl.lit(math.inf)}, {"accuracy": pl.lit(-1.0)},
        {"accuracy": pl.lit(math.nan)}, {"received_at": pl.col("tracked_at") - hour},
        {"received_at": pl.col("tracked_at") - hour - instant}, {"received_at": pl.col("tracked_at") + window},
        {"received_at": pl.col("tracked_at") + window + instant}, {"accuracy": pl.lit(200.0)},
        {"accuracy": pl.lit(math.nextafter(200.0, 201.0))}, {"accuracy": pl.lit(0.0)},
    )  # fmt: skip
    parts = [rows.slice(number, 1).with_columns(**changes[number % len(changes)]) for number in range(len(rows))]
    return landed(pl.concat([fixes, *parts]))
