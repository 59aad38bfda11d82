"""How many fixes that came with a data day do not count, and why: nothing is dropped in silence.

Every fix is counted once, over all builds: fixes that came = instants that count + what is left out. One with a fault
comes on the day of its arrival, with the first fault of REASONS that it has. A good one comes when a build takes it: on
the day of its arrival, or of its own time if that is later (a clock that is ahead at midnight). Of several good fixes
of one instant one counts; the others are duplicates, on the days on which they come, even where a later one is better
and counts from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from offramp.feeds.mobility.timeline import reading
from offramp.feeds.mobility.timeline import statements as sql
from offramp.feeds.mobility.timeline.written import LEFT_OUT, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offramp.domain.ports import Session
    from offramp.feeds.mobility.timeline.columns import Columns
    from offramp.feeds.mobility.timeline.reading import Span
    from offramp.feeds.mobility.timeline.rule import Rule

# In the order in which a fix is looked at: impossible or missing coordinates; poor or invalid accuracy; tracked too
# long after its arrival; arrived too long after it was tracked; another fix of its instant counts.
REASONS = ("coordinates", "accuracy", "ahead", "behind", "duplicate")

_COUNT = pl.Schema({"app_id": pl.String(), "fixes": pl.Int64()})


def duplicates(columns: Columns, users: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Return app_id and fixes: how many rows came with the day though their instant was known, or came with them.

    ``columns`` are all good fixes of some users since the first new one, in order of user and time.
    """
    if not len(columns.user):
        return pl.DataFrame(schema=_COUNT)
    came = np.maximum(columns.received, columns.time)
    since = np.iinfo(np.int64).min if span.since is None else reading.microseconds(span.since)
    begins = np.ones(len(came), np.bool_)
    begins[1:] = (columns.user[1:] != columns.user[:-1]) | (columns.time[1:] != columns.time[:-1])
    instants = np.flatnonzero(begins)
    is_new = np.minimum.reduceat(came, instants) >= since
    found = np.bincount(columns.user[came >= since], minlength=users.height)
    found -= np.bincount(columns.user[instants[is_new]], minlength=users.height)
    return users.select("app_id", fixes=pl.Series(found.astype(np.int64))).group_by("app_id").agg(pl.col("fixes").sum())


def left_out(session: Session, span: Span, rule: Rule, duplicates: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of the table; ``duplicates`` are those of all parts of a build."""
    query = sql.FAULTS.format(came=reading.arrived(span), reason=reading.fault(rule))
    faults = [pl.DataFrame(schema=_COUNT | {"reason": pl.String()}), *reading.frames(session, query)]
    others = pl.concat((pl.DataFrame(schema=_COUNT), *duplicates)).with_columns(reason=pl.lit("duplicate"))
    return (
        pl.concat((*faults, others))
        .group_by("app_id", "reason")
        .agg(pl.col("fixes").sum())
        .filter(pl.col("fixes") > 0)
        .with_columns(built_on=pl.lit(span.day))
        .select(names(LEFT_OUT))
        .sort(LEFT_OUT.key)
    )
