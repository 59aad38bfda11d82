"""Rows of the raw tables: what happened, under the ids of app and user, with the instant at which it arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.sources.phones.schema import APP_IDS, RECEIVED, TABLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from offramp.sources.phones.people import People
    from offramp.sources.phones.phones import Phones


def instants(seconds: NDArray[np.float64]) -> pl.Series:
    """Return seconds since 1970 as a column of times, to the millisecond."""
    return pl.Series(np.round(seconds * 1_000).astype(np.int64) * 1_000).cast(pl.Datetime("us"))


def ids(rng: np.random.Generator, count: int) -> pl.Series:
    """Return random ids of 24 hex digits."""
    text = rng.bytes(12 * count).hex().encode()
    return pl.Series(np.frombuffer(text, dtype="S24").astype(str), dtype=pl.String)


def nullable(values: NDArray[np.float64], digits: int) -> pl.Series:
    """Return rounded numbers with NaN as null."""
    return pl.Series(np.round(values, digits)).fill_nan(None)


def names(numbers: NDArray[np.int64], texts: tuple[str | None, ...]) -> pl.Series:
    """Return the text of each number."""
    return pl.Series(texts, dtype=pl.String).gather(numbers)


def uploaded(
    table: str,
    who: tuple[NDArray[np.int64], NDArray[np.float64]],
    columns: dict[str, pl.Series],
    *,
    people: People,
    phones: Phones,
) -> pl.DataFrame:
    """Return rows as they arrive, some of them twice. ``who`` are persons and the instants at which rows are whole."""
    person, happened = who
    received = phones.sent(person, happened)
    again = np.flatnonzero(phones.repeats(person, received))
    later = received[again] + 30 + (received[again] % 1) * 9_000
    rows = pl.DataFrame(
        {
            "app_id": names(people.app[person], APP_IDS),
            "user_id": names(person, people.user_ids),
            **columns,
            RECEIVED: instants(received),
        }
    )
    repeated = rows[again].with_columns(instants(later).alias(RECEIVED))
    return pl.concat([rows, repeated]).select([name for name, _ in TABLES[table].columns])
