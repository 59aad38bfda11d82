"""Random columns from a seed. A stream is named by numbers, so that no day depends on how another one was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.domain.windows import midnight
from offramp.sources.demo.words import ODD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray


SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def microseconds(day: date) -> int:
    """Return 00:00 UTC of a day in microseconds since 1970."""
    return round(midnight(day).timestamp()) * SECOND


def instants(values: NDArray[np.int64], *, zone: str | None = None) -> pl.Series:
    """Return microseconds since 1970 as a column of times."""
    return pl.Series(values).cast(pl.Datetime("us", zone))


def thousandths(values: NDArray[np.int64]) -> pl.Series:
    """Return thousandths as decimals with three digits, exactly."""
    whole = pl.Series(values // 1000).cast(pl.String)
    rest = pl.Series(values % 1000).cast(pl.String).str.zfill(3)
    return (whole + "." + rest).cast(pl.Decimal(12, 3))


def decimals(values: pl.Series, precision: int, scale: int) -> pl.Series:
    """Return whole numbers of the smallest unit as decimals, exactly. NULL stays NULL."""
    unit = pl.Series(["0." + "1".zfill(scale)]).cast(pl.Decimal(precision, scale))
    # A product of decimals is exact, and some fifteen times as fast as a way through text.
    amounts: pl.Series = values.cast(pl.Decimal(precision, 0)) * unit
    return amounts.cast(pl.Decimal(precision, scale))


def spoil(column: pl.Series, where: NDArray[np.bool_], value: str | None = None) -> pl.Series:
    """Replace values by NULL, or by another one, where a mask says so."""
    other = pl.Series([value], dtype=pl.String).new_from_index(0, len(column))
    return other.zip_with(pl.Series(where), column)


class Draw:
    """A stream of random columns."""

    def __init__(self, *path: int) -> None:
        self.rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(path)))

    def count(self, mean: float) -> int:
        """Return a number of things that happen ``mean`` times on average."""
        return int(self.rng.poisson(mean))

    def whole(self, low: int, high: int, n: int) -> NDArray[np.int64]:
        """Return whole numbers in [low, high)."""
        return self.rng.integers(low, high, n)

    def chance(self, share: float, n: int) -> NDArray[np.bool_]:
        """Return a mask that holds for a share of n."""
        return self.rng.random(n) < share

    def skewed(self, size: int, n: int) -> NDArray[np.int64]:
        """Return places in [0, size), early ones far more often than late ones."""
        return (size * self.rng.random(n) ** 2.5).astype(np.int64)

    def pick(self, values: Sequence[str] | pl.Series, n: int) -> pl.Series:
        """Return values picked evenly."""
        choices = pl.Series(values) if not isinstance(values, pl.Series) else values
        return choices.gather(self.whole(0, len(choices), n))

    def text(
        self, values: Sequence[str] | pl.Series, n: int, *, odd: float = 0.08, null: float = 0.0, empty: float = 0.0
    ) -> pl.Series:
        """Return picked texts: a share with odd characters, a share empty, a share NULL."""
        plain = self.pick(values, n)
        is_odd = self.chance(odd, n)
        # Odd texts take turns, alone in the first round, so that a few dozen of them hold every kind.
        turn = np.cumsum(is_odd) + self.whole(0, len(ODD), 1)
        strange = pl.Series(ODD).gather(turn % len(ODD))
        follows = self.chance(0.5, n) & (np.cumsum(is_odd) > len(ODD))
        strange = (plain + " " + strange).zip_with(pl.Series(follows), strange)
        result = strange.zip_with(pl.Series(is_odd), plain)
        result = spoil(result, self.chance(empty, n), "")
        return spoil(result, self.chance(null, n))

    def hex(self, digits: int, n: int) -> pl.Series:
        """Return texts of lower-case hex digits."""
        characters = self.rng.bytes(n * digits // 2).hex().encode()
        return pl.Series(np.frombuffer(characters, dtype=f"S{digits}").astype(str), dtype=pl.String)

    def uuid(self, n: int) -> pl.Series:
        """Return random UUIDs of version 4 as text."""
        raw = self.hex(32, n)
        cut = raw.str.slice
        return cut(0, 8) + "-" + cut(8, 4) + "-4" + cut(13, 3) + "-a" + cut(17, 3) + "-" + cut(20, 12)


def addresses(draw: Draw, n: int) -> pl.Series:
    """Return addresses of the blocks that are kept for documentation, a fifth of them of version 6."""
    old = draw.pick(("192.0.2.", "198.51.100.", "203.0.113."), n) + pl.Series(draw.whole(0, 256, n)).cast(pl.String)
    new = "2001:db8::" + draw.hex(4, n)
    return new.zip_with(pl.Series(draw.chance(0.2, n)), old)
