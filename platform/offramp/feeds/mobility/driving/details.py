"""The query of what sensors and the map say of some drives: whole-number measures, and texts as delivered.

All times inside a drive carry the offset at which it started, so that they rise with time; only its end has that of the
place and instant at which it ended. What sensors noticed is cut off where the drive begins and ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from offramp.domain.quoting import literal
from offramp.feeds.mobility.driving import thresholds as at
from offramp.feeds.mobility.driving.event_texts import event_texts, local_text
from offramp.feeds.mobility.driving.measures import (
    EVENT_COLUMNS,
    WAYPOINT_COLUMNS,
    event_measures,
    waypoint_measures,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

# An event without duration is inside where it is; another has some time in common with the drive.
_OVERLAPS = (
    "e.started_at <= d.ended_at and (e.started_at >= d.started_at or e.ended_at > d.started_at)"
    " and (e.started_at < d.ended_at or coalesce(e.ended_at, e.started_at) <= e.started_at)"
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Drives with successive numbers, of whole users: what bounds the rows that must be read for them."""

    first: int
    offsets: Sequence[int]
    app_ids: tuple[str, str]
    user_ids: tuple[str, str]
    started_at: datetime
    ended_at: datetime


def details(chunk: Chunk, day: date, until: datetime) -> str:
    """Return the query: one row per drive of ``built_drives``, in the order of their numbers.

    A session takes no rows from outside, so the offsets stand in one text: six bytes a drive.
    """
    offsets = literal(",".join(map(str, chunk.offsets)))
    return f"""
with offsets as (
    select unnest(range({chunk.first}, {chunk.first + len(chunk.offsets)})) as number,
        cast(unnest(string_split({offsets}, ',')) as integer) as seconds_east
),
drives as (
    select n.number, n.app_id, n.user_id, n.event_id, n.started_at, n.ended_at, o.seconds_east,
        case when o.seconds_east = 0 then 'Z' else printf(
            '%s%02d:%02d', case when o.seconds_east < 0 then '-' else '+' end,
            abs(o.seconds_east) // 3600, abs(o.seconds_east) // 60 % 60
        ) end as suffix
    from built_drives as n
    join offsets as o on n.number = o.number
),
sensed as (
    select d.number, d.seconds_east, d.suffix, d.started_at as drive_started_at, d.ended_at as drive_ended_at,
        e.event_id, e.kind,
        greatest(e.started_at, d.started_at) as started_at,
        least(greatest(e.started_at, coalesce(e.ended_at, e.started_at)), d.ended_at) as ended_at,
        case when isfinite(e.magnitude) then e.magnitude end as magnitude,
        case when isfinite(e.mean) then e.mean end as mean,
        case when isfinite(e.angle) then e.angle end as angle
    from "mobility.sensor_events" as e
    join drives as d on e.app_id = d.app_id and e.user_id = d.user_id
        and {_OVERLAPS}
    where {_bounds("e", "started_at", chunk, until)}
),
mapped as (
    select d.number, d.seconds_east, d.suffix, d.ended_at as drive_ended_at, w.tracked_at, w.latitude,
        w.longitude, w.road,
        case when w.speed >= 0 and isfinite(w.speed) then w.speed end as speed,
        case when w.speed_limit > 0 and isfinite(w.speed_limit) then w.speed_limit end as speed_limit
    from "mobility.waypoints" as w
    join drives as d on w.app_id = d.app_id and w.user_id = d.user_id
        and w.tracked_at between d.started_at and d.ended_at
    where {_bounds("w", "tracked_at", chunk, until)} and isfinite(w.latitude) and isfinite(w.longitude)
),
{event_measures()},
{waypoint_measures()},
{event_texts()},
mapped_texts as (
    select number, to_json(list(struct_pack(
        latitude := round(latitude, 5),
        longitude := round(longitude, 5),
        speed_v2 := round(speed, 1),
        speedlimit := round(speed_limit, 2),
        waypoint_timestamp := {local_text("tracked_at")}
    ) order by tracked_at)) as mapped_waypoints
    from mapped
    group by number
),
track as (
    select d.number, d.seconds_east, d.suffix, l.waypoints
    from "layers.legs" as l
    join drives as d on l.app_id = d.app_id and l.user_id = d.user_id and l.event_id = d.event_id
    where l.built_on = date '{day}' and l.mode = 'car' and {_users("l", chunk)}
),
-- The points of a leg rise in time. A list that is put together in order costs 64 KB for each drive.
track_texts as (
    select number, to_json([struct_pack(
        latitude := round(point.latitude, 5),
        longitude := round(point.longitude, 5),
        "timestamp" := {local_text("point.tracked_at")}
    ) for point in waypoints]) as waypoints
    from track
)
select d.number, epoch_ms(d.ended_at) - epoch_ms(d.started_at) as milliseconds,
    '{{"waypoints" :' || coalesce(cast(t.waypoints as varchar), '[]') || '}}' as waypoints,
    b.behavior_events, cast(m.mapped_waypoints as varchar) as mapped_waypoints,
    {_filled("em", EVENT_COLUMNS)},
    {_filled("wm", WAYPOINT_COLUMNS)}
from drives as d
left join track_texts as t on d.number = t.number
left join behavior_texts as b on d.number = b.number
left join mapped_texts as m on d.number = m.number
left join event_measures as em on d.number = em.number
left join waypoint_measures as wm on d.number = wm.number
order by d.number"""


def sent_rows(chunk: Chunk, until: datetime) -> str:
    """Return the query: one row per user of the chunk's range, with how much sensors and the map say of its time."""
    return f"""
with sent as (
    select e.app_id, e.user_id
    from "mobility.sensor_events" as e
    where {_bounds("e", "started_at", chunk, until)}
    union all
    select w.app_id, w.user_id
    from "mobility.waypoints" as w
    where {_bounds("w", "tracked_at", chunk, until)}
)
select app_id, user_id, count(*) as sent
from sent
group by app_id, user_id
order by app_id, user_id"""


def _filled(alias: str, columns: Sequence[str]) -> str:
    return ", ".join(f"cast(coalesce({alias}.{name}, 0) as bigint) as {name}" for name in columns)


def _bounds(alias: str, instant: str, chunk: Chunk, until: datetime) -> str:
    """Return what files and row groups can be skipped by, and that nothing is taken that arrived later.

    Events of sensors may have begun before the drive that they are in.
    """
    early = timedelta(hours=at.LONGEST_EVENT_HOURS if instant == "started_at" else 0)
    begin = _timestamp(chunk.started_at - early)
    return (
        f"{_users(alias, chunk)} and {alias}.{instant} between {begin}"
        f" and {_timestamp(chunk.ended_at)} and {alias}.received_at < {_timestamp(until)}"
    )


def _users(alias: str, chunk: Chunk) -> str:
    apps, users = chunk.app_ids, chunk.user_ids
    condition = f"{alias}.app_id between {literal(apps[0])} and {literal(apps[1])}"
    if apps[0] == apps[1]:
        condition += f" and {alias}.user_id between {literal(users[0])} and {literal(users[1])}"
    return condition


def _timestamp(instant: datetime) -> str:
    return f"timestamp {literal(instant.replace(tzinfo=None).isoformat(sep=' '))}"
