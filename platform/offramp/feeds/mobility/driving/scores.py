"""Scores from measures, in millionths and whole numbers throughout: the same at any number of threads.

A score lies from 0 to 1, higher is better, or is -1 where the data do not suffice (mobility_offloads.md, section 4).

| score | formula |
|---|---|
| hard_accel, hard_brake, hard_turn | 1 - impact of the hard events / distance, not below 0; impacts in ``thresholds`` |
| hard_events | the same with the hard accelerations and brakes together |
| smooth | the same with the moderate ones too, less what coasting gives back |
| smooth_v2, aggr_v2 | as smooth, with turns |
| anticipative | slowing down by coasting or braking gently / slowing down, by number |
| anti_v2, anticipative_v2 | the same, where what lies in the seconds before a turn counts twice |
| legal | time within the limit and its tolerance / time where the limit is known |
| legal_v2 | the same by distance, with the median of three speeds in place of each |
| focus | 1 - time of handling the phone / duration |
| attention | 1 - (time of handling or calling by hand + a quarter of that of calling hands-free) / duration |
| mounted | time in a mount / duration |

None without 1 km of distance. All but legal need an event of the sensors, and the anticipative ones need one of slowing
down; the legal ones need a minute or half a kilometre with limits.
"""

from __future__ import annotations

import polars as pl

from offramp.feeds.mobility.driving import thresholds as at
from offramp.feeds.mobility.driving.tables import DRIVE_SCORES, USER_SCORES

ONE = 1_000_000
_NONE = pl.lit(-ONE, dtype=pl.Int64)
_DECIMAL = pl.Decimal(9, 6)

# What the formulas take: whole numbers, 0 where nothing of the kind was seen.
MEASURES = (
    "metres",
    "milliseconds",
    "sensor_events",
    "accel_impact",  # metres, of the hard and severe ones
    "brake_impact",
    "turn_impact",
    "moderate_impact",  # metres, of moderate accelerations and brakes
    "moderate_turn_impact",
    "coasting_milliseconds",
    "slowdowns",
    "late_slowdowns",
    "slowdowns_v2",  # those before a turn counted twice
    "late_slowdowns_v2",
    "handling_milliseconds",
    "handheld_milliseconds",  # of handling or calling by hand
    "handsfree_milliseconds",
    "mounted_milliseconds",
    "limit_milliseconds",
    "legal_milliseconds",
    "limit_millimetres",
    "legal_millimetres",
)


def with_scores(measured: pl.DataFrame) -> pl.DataFrame:
    """Add the scores of drives as decimals. ``measured`` has the columns MEASURES, all whole numbers."""
    return measured.with_columns(as_decimal(expression).alias(name) for name, expression in _formulas().items())


def with_roles(measured: pl.DataFrame) -> pl.DataFrame:
    """Add occupant_role from the share of the drive in which the phone was in a hand, handled or called with.

    A driver has the phone in a mount, or in a hand for 5 % of the time at most; a passenger has no mount, and the
    phone in a hand for more than half of the time. Everybody else, and who sent nothing of sensors, is unknown: a
    driver who is distracted must not be lost to the scores, so that drives of unknown role count as the driver's own.

    Of a week of the demo (seed 7, scale 2) against its truth: of 2,318 drives at the wheel 81.0 % are a driver's,
    18.9 % unknown and 0.1 % (3) a passenger's, of which 2 of the 383 by distracted drivers; of 200 as a passenger 19 %
    are a driver's, 78.5 % unknown and 2.5 % a passenger's. So 97.5 % of the passengers' drives count in scores too.
    """
    held, whole = pl.col("handheld_milliseconds") * 100, pl.col("milliseconds")
    is_mounted = pl.col("mounted_milliseconds") > 0
    return measured.with_columns(
        pl.when(pl.col("sensor_events") == 0)
        .then(pl.lit("unknown"))
        .when(is_mounted | (held <= whole * at.DRIVER_SHARE_PERCENT))
        .then(pl.lit("driver"))
        .when(held > whole * at.PASSENGER_SHARE_PERCENT)
        .then(pl.lit("passenger"))
        .otherwise(pl.lit("unknown"))
        .alias("occupant_role")
    )


def weighted(drives: pl.DataFrame) -> pl.DataFrame:
    """Return app_id, user_id, newest and, for each score, weights and weighted millionths.

    ``newest`` is the start of the newest drive that is new, null where none is.
    ``drives``: app_id, user_id, started_at, is_new, distance and the scores of USER_SCORES. Sums add up over frames.
    """
    columns: list[pl.Expr] = [pl.col("started_at").filter("is_new").max().alias("newest")]
    for name in USER_SCORES:
        has_score = pl.col(name) >= 0
        metres = pl.col("distance").filter(has_score)
        columns.append(metres.sum().alias(f"{name}_metres"))
        columns.append((millionths(name).filter(has_score) * metres).sum().alias(f"{name}_total"))
    return drives.group_by("app_id", "user_id").agg(columns).sort("app_id", "user_id")


def aggregated(sums: pl.DataFrame) -> pl.DataFrame:
    """Return app_id, user_id, timestamp and the scores over all drives, weighted by distance.

    ``sums`` are rows of ``weighted``, of one user as many as there are. A score that less than 50 km of drives have is
    -1. Fractions of a millionth are cut off. The timestamp is the start of the newest drive that is new, so that no two
    builds give a user the same one, however late a drive arrives; who has none that counts gets no row.
    """
    names = [f"{name}_{part}" for name in USER_SCORES for part in ("metres", "total")]
    together = (
        sums.group_by("app_id", "user_id").agg(pl.col("newest").max(), pl.col(names).sum()).sort("app_id", "user_id")
    )
    return together.filter(pl.col("newest").is_not_null()).select(
        "app_id",
        "user_id",
        pl.col("newest").dt.epoch("ms").alias("timestamp"),
        *(
            as_decimal(
                pl.when(pl.col(f"{name}_metres") >= at.LEAST_AGGREGATE_METRES)
                .then(pl.col(f"{name}_total") // pl.col(f"{name}_metres"))
                .otherwise(_NONE)
            ).alias(name)
            for name in USER_SCORES
        ),
    )


def as_decimal(micro: pl.Expr) -> pl.Expr:
    """Return millionths as a decimal of six places."""
    return (micro.cast(pl.Decimal(30, 6)) / ONE).cast(_DECIMAL)


def millionths(name: str) -> pl.Expr:
    """Return a decimal of six places as whole millionths."""
    return (pl.col(name).cast(pl.Decimal(18, 6)) * ONE).cast(pl.Int64)


def _formulas() -> dict[str, pl.Expr]:
    col = pl.col
    both = col("accel_impact") + col("brake_impact")
    all_moderate = both + col("moderate_impact")
    all_turning = all_moderate + col("turn_impact") + col("moderate_turn_impact")
    handheld, handsfree = (col(f"{name}_milliseconds") for name in ("handheld", "handsfree"))
    distraction = handheld * at.HANDHELD_PARTS + handsfree * at.HANDSFREE_PARTS
    smooth_v2, anticipative_v2 = _left(_less_coasting(all_turning)), _early("_v2")
    sensed = {
        "smooth": _left(_less_coasting(all_moderate)),
        "anticipative": _early(""),
        "focus": ONE - _share(col("handling_milliseconds"), col("milliseconds")),
        "mounted": _share(col("mounted_milliseconds"), col("milliseconds")),
        "hard_events": _left(both),
        "hard_accel": _left(col("accel_impact")),
        "hard_brake": _left(col("brake_impact")),
        "smooth_v2": smooth_v2,
        "aggr_v2": smooth_v2,
        "anti_v2": anticipative_v2,
        "anticipative_v2": anticipative_v2,
        "hard_turn": _left(col("turn_impact")),
        "attention": ONE - _share(distraction, col("milliseconds") * at.HANDHELD_PARTS),
    }
    limited = {
        "legal": pl.when(col("limit_milliseconds") >= at.LEAST_LIMIT_MILLISECONDS)
        .then(_share(col("legal_milliseconds"), col("limit_milliseconds")))
        .otherwise(_NONE),
        "legal_v2": pl.when(col("limit_millimetres") >= at.LEAST_LIMIT_METRES * 1000)
        .then(_share(col("legal_millimetres"), col("limit_millimetres")))
        .otherwise(_NONE),
    }
    is_long = (col("metres") >= at.LEAST_TRIP_METRES) & (col("milliseconds") > 0)
    has_sensors = is_long & (col("sensor_events") > 0)
    found = {name: pl.when(has_sensors).then(one).otherwise(_NONE) for name, one in sensed.items()}
    found |= {name: pl.when(is_long).then(one).otherwise(_NONE) for name, one in limited.items()}
    return {name: found[name] for name in DRIVE_SCORES}


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return millionths of the whole, at most all; of nothing it is nothing."""
    return pl.when(whole > 0).then(pl.min_horizontal(part, whole) * ONE // whole).otherwise(0)


def _left(impact: pl.Expr) -> pl.Expr:
    return ONE - _share(impact, pl.col("metres"))


def _less_coasting(impact: pl.Expr) -> pl.Expr:
    given_back = pl.col("coasting_milliseconds") * at.COASTING_METRES_PER_SECOND // 1000
    return impact - pl.min_horizontal(impact // 2, given_back)


def _early(which: str) -> pl.Expr:
    slowdowns, late = pl.col(f"slowdowns{which}"), pl.col(f"late_slowdowns{which}")
    return pl.when(slowdowns > 0).then(ONE - _share(late, slowdowns)).otherwise(_NONE)
