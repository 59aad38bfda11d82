"""Streams that are gone through in step: batches of whole users, and what other streams hold of the same users.

Nothing here knows what the rows are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def whole(frames: Iterable[pl.DataFrame], key: Sequence[str], *, rows: int) -> Iterator[pl.DataFrame]:
    """Yield batches of some rows or more, in which no key is cut. Rows of one key stand together."""
    waiting: list[pl.DataFrame] = []
    count = 0
    for frame in frames:
        waiting.append(frame)
        count += frame.height
        if count < rows:
            continue
        together = pl.concat(waiting)
        is_last = pl.all_horizontal(pl.col(name) == pl.col(name).last() for name in key)
        end = together.height - int(together.select(is_last.sum()).item())
        if end:
            yield together[:end]
        waiting = [together[end:]]
        count = waiting[0].height if end else 0
    rest = pl.concat(waiting) if waiting else pl.DataFrame()
    if rest.height:
        yield rest


class InStep:
    """A stream by number, of which rows are taken up to a number at a time."""

    def __init__(self, frames: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
        self._frames = frames
        self._schema = schema
        self._waiting = pl.DataFrame(schema=schema)

    def take(self, last: int) -> pl.DataFrame:
        """Return the rows whose number is at most ``last`` and that were not taken yet."""
        taken = []
        while True:
            upto = self._waiting["number"].search_sorted(last, side="right")
            taken.append(self._waiting[:upto])
            self._waiting = self._waiting[upto:]
            if self._waiting.height:
                break
            following = next(self._frames, None)
            if following is None:
                break
            self._waiting = following.cast(self._schema)
        return pl.concat(taken)
