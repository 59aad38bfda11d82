"""The mode of a leg as a decision table over its profile and the SDK's activity. The first row that holds decides.

| # | if | mode |
|---|---|---|
| 1 | fewer than two fixes, or no way at all | insufficient_data |
| 2 | over 100 km faster than 250 km/h, unless between two stations and never faster than the fastest train | flight |
| 3 | both ends at airports, more than 100 km; half of it faster than 150 km/h, or most in silence at 80 km/h | flight |
| 4 | most of the way in silence: a silent stretch of more than 150 km, faster than 150 km/h | flight |
| 5 | most of the way in silence, or too few stretches: what the SDK says with a majority, automotive being car | |
| 6 | else, of these | insufficient_data |
| 7 | has an engine (below): evidence of stations (or a train's profile between them) | train |
| 8 | has an engine: evidence of tram stops, at most 80 km/h | tram |
| 9 | has an engine: evidence of bus stops, at most 110 km/h | bus |
| 10 | has an engine | car |
| 11 | the SDK says cycling with a majority | biking |
| 12 | the SDK says running with a majority and the speed can be run | running |
| 13 | the SDK says walking with a majority and the speed can be walked | walking |
| 14 | half of the way faster than 13.5 km/h | biking |
| 15 | half of the way faster than 7.5 km/h | running |
| 16 | else | walking |

It has an engine if half of the way was faster than 25 km/h or 1/20 of the moving time faster than 36 km/h, or than
25 km/h with evidence of stops; where the SDK says cycling only beyond 50 km/h, and where it says automotive from 14
km/h on. Evidence of a kind of stop: one for each end at a stop, of the leg or of the ride in it, and three by the share
of halts at stops of the kind, but no more than there are such halts; 2.5 are needed, and of two kinds the stronger one
counts. The velocity change rate of Zheng 2008 is no row: it parted no two modes that these rows do not part, and it
hangs on how often the phone reports.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from offramp.feeds.mobility.legs import thresholds as at


class Mode(StrEnum):
    """How a leg was travelled."""

    WALKING = "walking"
    RUNNING = "running"
    BIKING = "biking"
    CAR = "car"
    TRAIN = "train"
    BUS = "bus"
    TRAM = "tram"
    FLIGHT = "flight"
    INSUFFICIENT_DATA = "insufficient_data"


# The SDK's activities that are ways to move.
ACTIVITIES = ("walking", "running", "cycling", "automotive")

_MODE_OF_ACTIVITY = {
    "walking": Mode.WALKING,
    "running": Mode.RUNNING,
    "cycling": Mode.BIKING,
    "automotive": Mode.CAR,
}


def mode() -> pl.Expr:
    """Return the mode of a row with the features of ``profile`` and ``sdk_<activity>`` shares from 0 to 1."""
    by_speed = _by_speed()
    return (
        pl.when((pl.col("kept") < 2) | (pl.col("metres") <= 0))
        .then(_text(Mode.INSUFFICIENT_DATA))
        .when(_is_fast_flight() | _is_between_airports() | _is_silent_flight())
        .then(_text(Mode.FLIGHT))
        .when((_silent_share() > at.MOST_SILENT_SHARE) | (pl.col("windows") < at.LEAST_WINDOWS))
        .then(_by_sdk())
        .when(_has_engine())
        .then(_vehicle())
        .otherwise(by_speed)
        .alias("mode")
    )


def _text(value: Mode) -> pl.Expr:
    return pl.lit(value.value)


def _says(activity: str) -> pl.Expr:
    return pl.col(f"sdk_{activity}") > at.SDK_SHARE


def _silent_share() -> pl.Expr:
    return pl.col("silent_metres") / pl.col("metres")


def _is_fast_flight() -> pl.Expr:
    is_train = (pl.col("ends_train") == 2) & (pl.max_horizontal("top_speed", "silent_speed") <= at.FASTEST_TRAIN_SPEED)
    return (pl.col("fast_metres") > at.FLIGHT_METRES) & ~is_train


def _is_between_airports() -> pl.Expr:
    return (
        (pl.col("ends_airport") == 2)
        & (pl.col("metres") > at.FLIGHT_METRES)
        & (
            (pl.col("median_speed") > at.SILENT_FLIGHT_SPEED)
            | ((_silent_share() > at.MOST_SILENT_SHARE) & (pl.col("silent_speed") > at.AIRPORT_SILENCE_SPEED))
        )
    )


def _is_silent_flight() -> pl.Expr:
    return (
        (_silent_share() > at.MOST_SILENT_SHARE)
        & (pl.col("silent_stretch_metres") > at.SILENT_FLIGHT_METRES)
        & (pl.col("silent_speed") > at.SILENT_FLIGHT_SPEED)
    )


def _by_sdk() -> pl.Expr:
    said = _text(Mode.INSUFFICIENT_DATA)
    for activity, meant in _MODE_OF_ACTIVITY.items():
        said = pl.when(_says(activity)).then(_text(meant)).otherwise(said)
    return said


def _has_engine() -> pl.Expr:
    is_fast = (pl.col("median_speed") > at.VEHICLE_MEDIAN_SPEED) | (pl.col("top_speed") > at.VEHICLE_TOP_SPEED)
    evidence = pl.max_horizontal(_evidence("train"), _evidence("tram"), _evidence("bus"))
    is_line = (evidence >= at.ENOUGH_EVIDENCE) & (pl.col("top_speed") > at.LINE_TOP_SPEED)
    return (
        pl.when(_says("cycling"))
        .then(pl.col("top_speed") > at.DOWNHILL_TOP_SPEED)
        .when(_says("automotive"))
        .then(pl.col("top_speed") > at.JAMMED_TOP_SPEED)
        .otherwise(is_fast | is_line)
    )


def _vehicle() -> pl.Expr:
    kilometres = pl.col("ride_metres") / 1000
    runs_as_a_train = (
        (pl.col("ends_train") + pl.col("halts_train") >= at.TRAIN_STATIONS)
        & (pl.col("top_speed") > at.TRAIN_TOP_SPEED)
        & (pl.col("halts") - pl.col("halts_train") <= at.TRAIN_HALTS_PER_KM * kilometres)
        & (pl.col("turns") <= at.TRAIN_TURNS_PER_KM * kilometres)
    )
    train, tram, bus = _evidence("train"), _evidence("tram"), _evidence("bus")
    is_train = (train >= at.ENOUGH_EVIDENCE) & (train >= tram) & (train >= bus)
    is_tram = (tram >= at.ENOUGH_EVIDENCE) & (tram >= bus) & (pl.col("top_speed") <= at.TRAM_TOP_SPEED)
    is_bus = (bus >= at.ENOUGH_EVIDENCE) & (pl.col("top_speed") <= at.BUS_TOP_SPEED)
    return (
        pl.when(is_train | runs_as_a_train)
        .then(_text(Mode.TRAIN))
        .when(is_tram)
        .then(_text(Mode.TRAM))
        .when(is_bus)
        .then(_text(Mode.BUS))
        .otherwise(_text(Mode.CAR))
    )


def _evidence(kind: str) -> pl.Expr:
    halts = pl.col(f"halts_{kind}")
    # Without halts the share is 0 of 0, which is not a number: it counts nothing.
    share = pl.when(halts > 0).then(halts / pl.col("halts")).otherwise(0.0)
    return pl.col(f"ends_{kind}") + pl.min_horizontal(at.HALT_WEIGHT * share, halts)


def _by_speed() -> pl.Expr:
    return (
        pl.when(_says("cycling"))
        .then(_text(Mode.BIKING))
        .when(_says("running") & (pl.col("median_speed") <= at.RUNNING_TOP_SPEED))
        .then(_text(Mode.RUNNING))
        .when(_says("walking") & (pl.col("median_speed") <= at.WALKING_TOP_SPEED))
        .then(_text(Mode.WALKING))
        .when(pl.col("median_speed") > at.BIKING_MEDIAN_SPEED)
        .then(_text(Mode.BIKING))
        .when(pl.col("median_speed") > at.RUNNING_MEDIAN_SPEED)
        .then(_text(Mode.RUNNING))
        .otherwise(_text(Mode.WALKING))
    )
