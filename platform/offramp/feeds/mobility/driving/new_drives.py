"""The queries of the drives that a build tells of, for the first time or again, and of what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.feeds.mobility.driving import thresholds as at
from offramp.feeds.mobility.driving.tables import USER_SCORES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

# The name space of session ids: version 5 of the name space of URLs and "offramp/driving/sessions".
_NAMESPACE = "8683a32e0c865ec9b602ab56815c3828"

_TOLD = '{"waypoints": [{"latitude": "DOUBLE", "longitude": "DOUBLE", "timestamp": "VARCHAR"}]}'
_ALIKE = "k.started_at = l.started_at and k.ended_at = l.ended_at and k.distance = l.distance"


def known_drives(day: date) -> str:
    """Return the query of ``known_drives``: the newest version of each drive whose leg this build tells again."""
    return f"""
select b.app_id, b.user_id, b.event_id, max(b.built_on) as built_on,
    arg_max(b.session_id, b.built_on) as session_id, arg_max(b.processed_at, b.built_on) as processed_at,
    arg_max(b.started_at, b.built_on) as started_at, arg_max(b.ended_at, b.built_on) as ended_at,
    arg_max(b.distance, b.built_on) as distance
from "before.drives" as b
semi join ({_car_legs(day)}) as l on {_same("b", "l")}
group by b.app_id, b.user_id, b.event_id
order by b.app_id, b.user_id, b.event_id"""


def compared_days(day: date) -> str:
    """Return the query of the days of which waypoints must be read to know whether drives are as they were."""
    return f"""
select distinct k.built_on
from known_drives as k
join ({_car_legs(day)}) as l on {_same("k", "l")} and {_ALIKE}
order by k.built_on"""


def unchanged_drives(day: date, days: Sequence[date]) -> str:
    """Return the query of ``unchanged_drives``: those whose times, distance and waypoints are what they were.

    ``days`` are the compared days: written out, so that files of other days are not opened.
    """
    chosen = ", ".join(f"date '{one}'" for one in days)
    return f"""
with told as (
    select k.app_id, k.user_id, k.event_id, k.started_at, k.ended_at, k.distance,
        [struct_pack(
            y := point.latitude, x := point.longitude, at := epoch_ms(cast(point."timestamp" as timestamptz))
        ) for point in from_json(b.waypoints, '{_TOLD}').waypoints] as points
    from "before.drives" as b
    join known_drives as k on {_same("b", "k")} and b.built_on = k.built_on
    where {f"b.built_on in ({chosen})" if days else "false"}
)
select k.app_id, k.user_id, k.event_id
from told as k
join ({_car_legs(day)}) as l on {_same("k", "l")} and {_ALIKE}
where k.points = [struct_pack(
        y := round(point.latitude, 5), x := round(point.longitude, 5), at := epoch_ms(point.tracked_at)
    ) for point in l.waypoints]
order by k.app_id, k.user_id, k.event_id"""


def built_drives(day: date) -> str:
    """Return the query of ``built_drives``: one row per drive to write, numbered in the order of the key.

    ``is_new`` is true in the first build that tells of a drive. That is the build that was the first to close the leg,
    or, where it was taken for something else, the first in which it is by car; it is processed in that build's day.
    Builds that are no longer read may have told of a leg whose first row is not seen: it is left out. A drive that
    late fixes changed is told again, with the session and the time of processing that it was given.

    Drives of a user that are less than 15 minutes apart share a session. Its id is that which an earlier build gave to
    one of them, else the UUID of version 5, in capitals, of app id, user id and start of the first in microseconds.
    """
    midnight = f"timestamp '{day}'"
    return f"""
with car_legs as ({_car_legs(day)}),
candidates as (
    select l.app_id, l.user_id, l.event_id
    from car_legs as l
    anti join known_drives as k on {_same("l", "k")}
    where not l.is_new
),
became_cars as (
    select p.app_id, p.user_id, p.event_id
    from "layers.legs" as p
    semi join candidates as c on {_same("p", "c")}
    where p.built_on < date '{day}'
    group by p.app_id, p.user_id, p.event_id
    having bool_or(p.is_new) and not bool_or(p.mode = 'car')
),
chosen as (
    select l.app_id, l.user_id, l.event_id, l.started_at, l.ended_at, l.mode, l.distance,
        l.waypoints[1].latitude as first_latitude, l.waypoints[1].longitude as first_longitude,
        l.waypoints[-1].latitude as last_latitude, l.waypoints[-1].longitude as last_longitude,
        len(l.waypoints) as points,
        k.session_id, k.event_id is null as is_new,
        coalesce(k.processed_at, case when l.is_new then l.processed_at else least(
            greatest(l.processed_at, {midnight}), {midnight} + interval 1 day - interval 1 microsecond
        ) end) as processed_at
    from car_legs as l
    left join known_drives as k on {_same("l", "k")}
    left join became_cars as c on {_same("l", "c")}
    anti join unchanged_drives as u on {_same("l", "u")}
    where l.is_new or k.event_id is not null or c.event_id is not null
),
together as (
    select app_id, user_id, event_id, started_at, ended_at, session_id
    from chosen
    union all
    select b.app_id, b.user_id, b.event_id, arg_max(b.started_at, b.built_on), arg_max(b.ended_at, b.built_on),
        arg_max(b.session_id, b.built_on)
    from "before.drives" as b
    semi join chosen as n on b.app_id = n.app_id and b.user_id = n.user_id and n.is_new
    anti join chosen as c on {_same("b", "c")}
    group by b.app_id, b.user_id, b.event_id
),
gaps as (
    select *, started_at - max(ended_at) over (
        partition by app_id, user_id order by started_at, ended_at, event_id
        rows between unbounded preceding and 1 preceding
    ) as gap
    from together
),
chains as (
    select *, count(*) filter (gap is null or gap >= interval {at.SESSION_MINUTES} minutes) over (
        partition by app_id, user_id order by started_at, ended_at, event_id
        rows between unbounded preceding and current row
    ) as chain
    from gaps
),
sessions as (
    select app_id, user_id, event_id,
        first_value(session_id ignore nulls) over whole as known_id,
        sha1(unhex('{_NAMESPACE}') || encode(
            app_id || '|' || user_id || '|' || epoch_us(first_value(started_at) over whole)
        )) as digest
    from chains
    window whole as (
        partition by app_id, user_id, chain order by started_at, ended_at, event_id
        rows between unbounded preceding and unbounded following
    )
)
select
    row_number() over (order by n.app_id, n.user_id, n.event_id) as number,
    n.app_id, n.user_id, n.event_id,
    coalesce(n.session_id, s.known_id, {_uuid("s.digest")}) as session_id,
    n.started_at, n.ended_at, n.processed_at, n.is_new, n.mode, n.distance,
    n.first_latitude, n.first_longitude, n.last_latitude, n.last_longitude, n.points
from chosen as n
join sessions as s on {_same("n", "s")}
order by number"""


def earlier_scores(window_start: datetime) -> str:
    """Return the query of what earlier builds hold of the users of new drives: sums as ``scores.weighted`` has.

    ``window_start``: UTC without zone; drives that began before it are left out, and those of passengers. A drive
    counts once, in its newest version, which this build may have. A row of scores is dated by a new drive, so these
    have no ``newest``.
    """
    sums = ",\n    ".join(
        f"cast(coalesce(sum(b.distance) filter (b.{name} >= 0), 0) as bigint) as {name}_metres,"
        f" cast(coalesce(sum(cast(b.{name} * 1000000 as bigint) * b.distance) filter (b.{name} >= 0), 0) as bigint)"
        f" as {name}_total"
        for name in USER_SCORES
    )
    return f"""
with newest as (
    select b.app_id, b.user_id, b.event_id, max(b.built_on) as built_on
    from "before.drives" as b
    semi join built_drives as n on b.app_id = n.app_id and b.user_id = n.user_id and n.is_new
    anti join built_drives as c on {_same("b", "c")}
    group by b.app_id, b.user_id, b.event_id
)
select b.app_id, b.user_id, cast(null as timestamp) as newest,
    {sums}
from "before.drives" as b
semi join newest as n on {_same("b", "n")} and b.built_on = n.built_on
where b.started_at >= timestamp '{window_start}' and b.occupant_role <> 'passenger'
group by b.app_id, b.user_id
order by b.app_id, b.user_id"""


def _car_legs(day: date) -> str:
    return f"select * from \"layers.legs\" where built_on = date '{day}' and mode = 'car'"


def _same(one: str, other: str) -> str:
    return " and ".join(f"{one}.{name} = {other}.{name}" for name in ("app_id", "user_id", "event_id"))


def _uuid(digest: str) -> str:
    """Return the expression that makes a UUID of version 5, in capitals, from 40 hexadecimal digits (RFC 9562)."""
    variant = f"substr('89AB', (('0x' || substr({digest}, 17, 1))::integer & 3) + 1, 1)"
    return (
        f"upper(substr({digest}, 1, 8) || '-' || substr({digest}, 9, 4) || '-5' || substr({digest}, 14, 3) || '-'"
        f" || {variant} || substr({digest}, 18, 3) || '-' || substr({digest}, 21, 12))"
    )
