"""Checks of the rows that pass to a writer: order, key, nulls, and the facts that the manifest states.

Columnar, batch by batch: rows are never looped over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from offramp.domain.errors import ContractBroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

RAW = "__key_"
CHANGED_AT = "__changed_at"
_NO_TIME = -(2**63)


@dataclass(slots=True)
class PartFacts:
    """What is known of one part: keys as text of the first and last row, change times in microseconds."""

    rows: int = 0
    first_key: tuple[str, ...] | None = None
    last_key: tuple[str, ...] | None = None
    min_change: int | None = None
    max_change: int | None = None


@dataclass(slots=True)
class BatchCheck:
    """Check batches in their order. ``order`` are the columns by which rows must strictly rise.

    ``required`` may not be empty; ``facts`` are further columns that the caller wants to see.

    Strictly rising in (.., key, tenant) proves the order and that no key comes twice at the same place.
    Raises ContractBroken, naming export, column and the first bad key.
    """

    subject: str
    order: Sequence[str]
    key: Sequence[str]
    required: Sequence[str]
    facts: Sequence[str] = ()
    _last: pl.DataFrame | None = field(default=None, init=False)

    def check(self, batch: pa.RecordBatch) -> pl.DataFrame:
        """Check one batch and return the columns that tell its order, its key and its change time as a frame."""
        self._no_nulls(batch)
        # Only what is compared is converted: a frame of all columns would cost as much as the check.
        told = dict.fromkeys((*self.order, *self.key, *self.facts))
        frame = pl.from_arrow(batch.select(list(told)))
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a record batch becomes a frame
        if frame.height:
            self._rises(frame)
        return frame

    def _no_nulls(self, batch: pa.RecordBatch) -> None:
        for name in self.required:
            column = batch.column(name)
            if column.null_count:
                place = column.is_null().to_pylist().index(True)
                bad = tuple(batch.column(one)[place].as_py() for one in self.key)
                raise ContractBroken(
                    f"column '{name}' is empty",
                    where=self.subject,
                    expected="a value in every row",
                    found=f"{column.null_count:,} empty of {batch.num_rows:,} rows, first at key {bad}",
                    todo="mend the model, or declare the column nullable; NaN and infinite times are empty in files",
                )

    def _rises(self, frame: pl.DataFrame) -> None:
        ordered = frame.select(self.order)
        joined = pl.concat([self._last, ordered]) if self._last is not None else ordered
        self._last = ordered.tail(1)
        if joined.height < 2:
            return
        before, after = joined.slice(0, joined.height - 1), joined.slice(1)
        rising = pl.Series([False]).new_from_index(0, after.height)
        tied = pl.Series([True]).new_from_index(0, after.height)
        for name in self.order:
            left, right = before.get_column(name), after.get_column(name)
            rising = rising | (tied & (right > left))
            tied = tied & (right == left)
            if not tied.any():
                break
        if not rising.all():
            place = int((~rising).arg_max() or 0)
            raise ContractBroken(
                "rows do not rise strictly by their order, so a key comes twice or the order is not total",
                where=self.subject,
                expected=f"strictly rising by {', '.join(self.order)}",
                found=f"{self._shown(before, place)} then {self._shown(after, place)}",
                todo="look for the key in the source; the model must give one row per key",
            )

    def _shown(self, rows: pl.DataFrame, place: int) -> tuple[object, ...]:
        """Return a row without key columns that are compared raw: what files hold hashed stands in no error."""
        return rows.select(name for name in rows.columns if not name.startswith(RAW)).row(place)


def note(facts: PartFacts, frame: pl.DataFrame, key: Sequence[str]) -> None:
    """Add a frame's rows to what is known of its part."""
    if frame.height == 0:
        return
    facts.rows += frame.height
    if facts.first_key is None:
        facts.first_key = tuple(str(value) for value in frame.select(key).row(0))
    facts.last_key = tuple(str(value) for value in frame.select(key).row(-1))
    if CHANGED_AT in frame.columns:
        times = frame.get_column(CHANGED_AT)
        low, high = times.min(), times.max()
        if isinstance(low, int) and isinstance(high, int) and high != _NO_TIME:
            facts.min_change = low if facts.min_change is None else min(low, facts.min_change)
            facts.max_change = high if facts.max_change is None else max(high, facts.max_change)
