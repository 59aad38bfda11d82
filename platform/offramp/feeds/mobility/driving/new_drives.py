"""The queries of the drives that a build is the first to close, and of what earlier builds know of their users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.feeds.mobility.driving import thresholds as at
from offramp.feeds.mobility.driving.tables import USER_SCORES

if TYPE_CHECKING:
    from datetime import date, datetime

# The name space of session ids: version 5 of the name space of URLs and "offramp/driving/sessions".
_NAMESPACE = "8683a32e0c865ec9b602ab56815c3828"


def new_drives(day: date) -> str:
    """Return the query: one row per drive, numbered in the order of the key.

    Drives of a user that are less than 15 minutes apart share a session. Its id is that which an earlier build gave to
    one of them, else the UUID of version 5, in capitals, of app id, user id and start of the first in microseconds.
    """
    return f"""
with new_legs as (
    select app_id, user_id, event_id, started_at, ended_at, processed_at, mode, distance,
        waypoints[1].latitude as first_latitude, waypoints[1].longitude as first_longitude,
        waypoints[-1].latitude as last_latitude, waypoints[-1].longitude as last_longitude
    from "layers.legs"
    where built_on = date '{day}' and is_new and mode = 'car'
),
together as (
    select app_id, user_id, event_id, started_at, ended_at, cast(null as varchar) as session_id, true as is_new
    from new_legs
    union all
    select b.app_id, b.user_id, b.event_id, b.started_at, b.ended_at, b.session_id, false as is_new
    from "before.drives" as b
    semi join new_legs as n on b.app_id = n.app_id and b.user_id = n.user_id
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
    select app_id, user_id, event_id, is_new,
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
    coalesce(s.known_id, {_uuid("s.digest")}) as session_id,
    n.started_at, n.ended_at, n.processed_at, n.mode, n.distance,
    n.first_latitude, n.first_longitude, n.last_latitude, n.last_longitude
from new_legs as n
join sessions as s on n.app_id = s.app_id and n.user_id = s.user_id and n.event_id = s.event_id and s.is_new
order by number"""


def earlier_scores(window_start: datetime) -> str:
    """Return the query of what earlier builds hold of the users of ``new_drives``: sums as ``scores.weighted`` has.

    ``window_start``: UTC without zone; drives that began before it are left out, and those of passengers. A row of
    scores is dated by a new drive, so these have no ``newest``.
    """
    sums = ",\n    ".join(
        f"cast(coalesce(sum(b.distance) filter (b.{name} >= 0), 0) as bigint) as {name}_metres,"
        f" cast(coalesce(sum(cast(b.{name} * 1000000 as bigint) * b.distance) filter (b.{name} >= 0), 0) as bigint)"
        f" as {name}_total"
        for name in USER_SCORES
    )
    return f"""
select b.app_id, b.user_id, cast(null as timestamp) as newest,
    {sums}
from "before.drives" as b
semi join new_drives as n on b.app_id = n.app_id and b.user_id = n.user_id
where b.started_at >= timestamp '{window_start}' and b.occupant_role <> 'passenger'
group by b.app_id, b.user_id
order by b.app_id, b.user_id"""


def _uuid(digest: str) -> str:
    """Return the expression that makes a UUID of version 5, in capitals, from 40 hexadecimal digits (RFC 9562)."""
    variant = f"substr('89AB', (('0x' || substr({digest}, 17, 1))::integer & 3) + 1, 1)"
    return (
        f"upper(substr({digest}, 1, 8) || '-' || substr({digest}, 9, 4) || '-5' || substr({digest}, 14, 3) || '-'"
        f" || {variant} || substr({digest}, 18, 3) || '-' || substr({digest}, 21, 12))"
    )
