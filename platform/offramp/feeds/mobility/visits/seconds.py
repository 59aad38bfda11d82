"""Seconds as texts tell them: texts are cut to whole seconds, and a duration is what lies between two of them."""

from __future__ import annotations

import polars as pl


def whole_seconds(start: str, end: str) -> pl.Expr:
    """Return the seconds between two columns of instants, each cut to whole seconds.

    From 08:00:00.9 to 08:00:02.1 are 2 seconds, as their texts say, though 1.2 passed.
    """
    return (pl.col(end).dt.truncate("1s") - pl.col(start).dt.truncate("1s")).dt.total_seconds()
