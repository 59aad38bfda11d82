"""Fixes for the measurements of mobility: dense days of walking, and the sparse days of a whole population."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SEED = 20260301
DAY = date(2026, 3, 1)
APP = "0123456789abcdef01234567"
FIXES_PER_DENSE_DAY = 2_800
HOUR_MICROS = 3_600_000_000
METRES_PER_DEGREE = 6_371_000.0 * np.pi / 180
KEY = ("user_id", "tracked_at", "latitude", "longitude")
TYPES = pa.schema(
    [
        ("app_id", pa.string()), ("user_id", pa.string()), ("tracked_at", pa.timestamp("us")),
        ("latitude", pa.float64()), ("longitude", pa.float64()), ("accuracy", pa.float64()),
        ("speed", pa.float64()), ("received_at", pa.timestamp("us")),
    ]
)  # fmt: skip
# Latitude and longitude of the middles of towns. A population lives in the first seven, whose days are nearly those
# of UTC.
NEAR_TOWNS = 7
TOWNS = np.array(
    [
        (59.91, 10.75), (51.05, 3.72), (52.52, 13.40), (48.86, 2.35), (40.42, -3.70), (41.90, 12.50), (51.51, -0.13),
        (40.71, -74.01), (34.05, -118.24), (-23.55, -46.63), (35.68, 139.69), (-33.87, 151.21), (1.35, 103.82),
    ]
)  # fmt: skip


def micros(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def table(users: np.ndarray, at: np.ndarray, latitude: np.ndarray, longitude: np.ndarray) -> pa.Table:
    """Return landed rows of (users, fixes) arrays: user numbers, microseconds and degrees, rounded to 7 decimals."""
    names = pa.array([f"{number:024x}" for number in users])
    rows = at.size
    codes = pa.array(np.repeat(np.arange(len(users), dtype=np.int32), at.shape[1]))
    received = at.ravel() // HOUR_MICROS * HOUR_MICROS + HOUR_MICROS - 1  # phones send at the end of each hour
    columns = {
        "app_id": pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [APP]).cast(pa.string()),
        "user_id": pa.DictionaryArray.from_arrays(codes, names).cast(pa.string()),
        "tracked_at": pa.array(at.ravel(), pa.timestamp("us")),
        "latitude": latitude.ravel().round(7),
        "longitude": longitude.ravel().round(7),
        "accuracy": np.full(rows, 12.0),
        "speed": pa.nulls(rows, pa.float64()),
        "received_at": pa.array(received, pa.timestamp("us")),
    }
    return pa.table(columns, schema=TYPES)


def dense(users: np.ndarray, *, day: date = DAY) -> pa.Table:
    """Return a day of 2,800 fixes for each user: turns of still and moving on foot, by bicycle and by car, and gaps."""
    shape = (len(users), FIXES_PER_DENSE_DAY)
    rng = np.random.default_rng([SEED, int(users[0])])
    turn: NDArray[np.int64] = np.cumsum(rng.random(shape) < 1 / 70, axis=1, dtype=np.int64)
    is_moving = turn % 2 == 1
    per_turn = (len(users), int(turn.max()) + 1)
    seconds = rng.integers(5, 40, shape) + (rng.random(shape) < 0.002) * rng.integers(900, 5_400, shape)
    speed = np.take_along_axis(rng.choice([1.4, 4.0, 14.0], per_turn), turn, axis=1)
    metres = speed * np.minimum(seconds, 60) * is_moving
    heading = np.take_along_axis(rng.uniform(0, 2 * np.pi, per_turn), turn, axis=1)
    heading += np.cumsum(rng.normal(0, 0.1, shape), axis=1)
    north = np.cumsum(metres * np.cos(heading), axis=1) + rng.normal(0, 8, shape)
    east = np.cumsum(metres * np.sin(heading), axis=1) + rng.normal(0, 8, shape)
    town = TOWNS[users % len(TOWNS)]
    at = micros(day) + np.cumsum(seconds, axis=1) * 1_000_000
    return table(users, at, *_degrees(town, north, east))


def _degrees(middles: np.ndarray, north: np.ndarray, east: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    latitude = middles[:, :1] + north / METRES_PER_DEGREE
    return latitude, middles[:, 1:] + east / METRES_PER_DEGREE / np.cos(np.radians(latitude))


def write_dense(path: Path, *, users: int) -> int:
    """Write the dense days of users, sorted by user and time, in row groups of 50 users; return the number of fixes."""
    with pq.ParquetWriter(path, TYPES, compression="zstd") as writer:
        for first in range(0, users, 50):
            writer.write_table(dense(np.arange(first, min(first + 50, users))))
    return users * FIXES_PER_DENSE_DAY


def compact_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a writer that needs 13 bytes for a fix instead of 23, so that a large file finds room."""
    places = [f"{prefix}{name}" for prefix in ("", "points.list.element.") for name in ("latitude", "longitude")]
    times = ("tracked_at", "points.list.element.tracked_at")
    paths = _paths(schema)
    encodings = dict.fromkeys(places, "BYTE_STREAM_SPLIT") | dict.fromkeys(times, "DELTA_BINARY_PACKED")
    return pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=[name for name in paths if name not in encodings],
        column_encoding={name: encodings[name] for name in paths if name in encodings},
    )  # fmt: skip


def _paths(schema: pa.Schema) -> list[str]:
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema):
        pass
    parquet = pq.read_metadata(pa.BufferReader(sink.getvalue())).schema
    return [parquet.column(number).path for number in range(len(parquet))]


def write_repeated(source: Path, target: Path, *, times: int) -> int:
    """Write a file's fixes several times, each time as other users, who come after those before in order of keys."""
    rows = 0
    given = pq.ParquetFile(source)
    with compact_writer(target, TYPES) as writer:
        for number in range(times):
            for group in range(given.num_row_groups):
                part = given.read_row_group(group)
                users = part["user_id"].combine_chunks().dictionary_encode()
                renamed = pa.array([f"{number:04x}{user[4:]}" for user in users.dictionary.to_pylist()])
                users = pa.DictionaryArray.from_arrays(users.indices, renamed).cast(pa.string())
                writer.write_table(part.set_column(1, "user_id", users))
                rows += part.num_rows
    return rows


# The day of somebody who works: where one is between the trips, and the fixes of each stay and trip. A phone that lies
# still tells seldom, and at night hardly at all.
_STAY_FIXES = (14, 14, 8, 14)
_TRIP_FIXES = (34, 34, 32)


def sparse(users: np.ndarray, day: date) -> pa.Table:
    """Return one day of 150 fixes for each user: home, work or an outing, another place, home, and trips between.

    A user's home, work and five other places are the same every day; the day of the week and chance choose among them.
    """
    places = _places(users)
    rng = np.random.default_rng([SEED, day.toordinal(), int(users[0])])
    everybody = np.arange(len(users))
    works = (day.weekday() < 5) & (rng.random(len(users)) < 0.9)
    others = rng.integers(2, 7, (2, len(users)))
    stops = [places[everybody, np.zeros(len(users), int)], places[everybody, np.where(works, 1, others[0])]]
    stops += [places[everybody, others[1]], stops[0]]
    leaves = np.stack([rng.normal(mean, spread, len(users)) for mean, spread in ((8.0, 0.8), (16.5, 0.7), (19.5, 0.6))])
    at: list[np.ndarray] = []
    where: list[np.ndarray] = []
    began = np.full(len(users), 600.0)
    for number, stay_fixes in enumerate(_STAY_FIXES):
        is_last = number == len(_STAY_FIXES) - 1
        ended = np.full(len(users), 86_000.0) if is_last else np.maximum(leaves[number] * 3600, began + 1_200)
        steps = np.sort(rng.random((len(users), stay_fixes)), axis=1)
        at.append(began[:, None] + steps * (ended - began)[:, None])
        where.append(np.repeat(stops[number][:, None, :], stay_fixes, axis=1))
        if not is_last:
            times, positions = _trip(stops[number], stops[number + 1], ended, _TRIP_FIXES[number])
            at.append(times)
            where.append(positions)
            began = times[:, -1] + 30
    metres = np.concatenate(where, axis=1) + rng.normal(0, 9, (len(users), 150, 2))
    instants = micros(day) + np.minimum(np.concatenate(at, axis=1), 86_390).astype(np.int64) * 1_000_000
    rows = table(users, instants, *_degrees(TOWNS[users % NEAR_TOWNS], metres[..., 0], metres[..., 1]))
    return rows.sort_by([(name, "ascending") for name in KEY])


def _places(users: np.ndarray) -> np.ndarray:
    """Return (users, 7, 2) metres north and east of the town's middle: home, work, five others."""
    drawn = [np.random.default_rng([SEED, 1, int(user)]).normal(0, 5_000, (7, 2)) for user in users]
    return np.stack(drawn)


def _trip(begin: np.ndarray, end: np.ndarray, leaves: np.ndarray, fixes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return seconds and positions of trips with a bend, by a speed that the distance suggests."""
    metres = np.hypot(*(end - begin).T)
    speed = np.where(metres < 1_500, 1.4, np.where(metres < 5_000, 4.5, 12.0))
    share = np.linspace(0, 1, fixes)[None, :]
    times = leaves[:, None] + share * np.maximum(metres / speed, 300)[:, None]
    across = (end - begin)[:, ::-1] * np.array([1, -1])
    bend = 0.15 * np.sin(np.pi * share)[..., None] * across[:, None, :]
    return times, begin[:, None, :] + share[..., None] * (end - begin)[:, None, :] + bend


def days(count: int, *, until: date = DAY) -> Iterator[date]:
    """Yield the days before a day, oldest first."""
    for number in range(count, 0, -1):
        yield until - timedelta(days=number)


def write_lifestyle(folder: Path, *, users: int, count: int) -> int:
    """Write ``fixes/<day>.parquet`` for each day, and payloads, user_links and venues beside it; return the fixes."""
    rows = 0
    for day in days(count):
        path = folder / "fixes" / f"{day}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, TYPES, compression="zstd") as writer:
            for first in range(0, users, 500):
                part = sparse(np.arange(first, min(first + 500, users)), day)
                writer.write_table(part)
                rows += part.num_rows
        write_payloads(folder / "payloads" / f"{day}.parquet", users=users, day=day)
    write_shared(folder, users=users)
    return rows


def write_payloads(path: Path, *, users: int, day: date) -> None:
    """Write one payload a day of nine users in ten; the tenth has had none for the whole window."""
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen = [user for user in range(users) if user % 10]
    instant = pa.array(np.full(len(chosen), micros(day) + 43_200 * 1_000_000), pa.timestamp("us"))
    columns = {
        "app_id": pa.array([APP] * len(chosen)),
        "user_id": pa.array([f"{user:024x}" for user in chosen]),
        "payload_id": pa.array([f"{day:%Y%m%d}{user:016x}" for user in chosen]),
        "kind": pa.array(["trip_event"] * len(chosen)),
        "occurred_at": instant,
        "received_at": instant,
    }
    pq.write_table(pa.table(columns), path, compression="zstd")


def write_shared(folder: Path, *, users: int) -> None:
    """Write user_links, and venues: 400 around each of their towns, among them stops of the bus and the train."""
    numbers = np.arange(users)
    links = {
        "app_id": pa.array([APP] * users),
        "user_id": pa.array([f"{user:024x}" for user in numbers]),
        "external_id": pa.array([f"customer-{user}" for user in numbers]),
        "linked_at": pa.array(np.full(users, micros(DAY - timedelta(days=90))), pa.timestamp("us")),
    }
    pq.write_table(pa.table(links), folder / "user_links.parquet", compression="zstd")
    kinds = (
        '["shop","food","supermarket"]', '["food","restaurant"]', '["travel","publictransport","bus","busstop"]',
        '["travel","publictransport","railway","train","trainstation"]', '["leisure","sports","gym"]',
    )  # fmt: skip
    count = 400 * NEAR_TOWNS
    town = TOWNS[np.arange(count) % NEAR_TOWNS]
    offset = np.random.default_rng([SEED, 2]).normal(0, 5_000, (count, 2))
    latitude, longitude = _degrees(town, offset[:, :1], offset[:, 1:])
    venues = {
        "venue_id": pa.array([f"v{number:06d}" for number in range(count)]),
        "name": pa.array([f"Venue {number}" for number in range(count)]),
        "brand": pa.nulls(count, pa.string()),
        "latitude": pa.array(latitude.ravel().round(7)),
        "longitude": pa.array(longitude.ravel().round(7)),
        "types": pa.array([kinds[number % len(kinds)] for number in range(count)]),
        "opening_hours": pa.array(["Mo-Sa 08:00-20:00"] * count),
    }
    pq.write_table(pa.table(venues), folder / "venues.parquet", compression="zstd")
