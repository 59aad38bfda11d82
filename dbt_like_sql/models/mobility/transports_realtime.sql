-- One row per drive, once, in the day on which it was processed (mobility_offloads.md sections 4 and 8). A drive is
-- given in its newest version among the builds that are read, and only where its first one is among them: what late
-- fixes changed goes out again by a correction alone.
with newest as (
    select
        r.app_id,
        r.event_id,
        max(r.built_on) as built_on
    from {{ source('mobility_layers', 'drives') }} as r
    group by r.app_id, r.event_id
    having bool_or(r.is_new)
)

select
    cast(d.user_id as varchar) as user_id,
    cast(l.external_id as varchar) as metadata_user_id,
    cast(d.start_text as varchar) as "start",
    cast(d.end_text as varchar) as "end",
    cast(d.mode as varchar) as mode,
    cast(d.distance as bigint) as distance,
    cast(d.waypoints as json) as waypoints,
    cast(date_diff('second', d.started_at, d.ended_at) as bigint) as duration,
    cast(d.smooth as decimal(9, 6)) as smooth,
    cast(d.legal as decimal(9, 6)) as legal,
    cast(d.anticipative as decimal(9, 6)) as anticipative,
    cast(d.focus as decimal(9, 6)) as focus,
    cast(d.mounted as decimal(9, 6)) as mounted,
    cast(d.session_id as varchar) as session_id,
    cast(d.hard_events as decimal(9, 6)) as hard_events,
    cast(d.hard_accel as decimal(9, 6)) as hard_accel,
    cast(d.hard_brake as decimal(9, 6)) as hard_brake,
    cast(d.legal_v2 as decimal(9, 6)) as legal_v2,
    cast(d.event_id as varchar) as event_id,
    cast(d.occupant_role as varchar) as occupant_role,
    cast(d.aggr_v2 as decimal(9, 6)) as aggr_v2,
    cast(d.anti_v2 as decimal(9, 6)) as anti_v2,
    cast(d.hard_turn as decimal(9, 6)) as hard_turn,
    cast(d.attention as decimal(9, 6)) as attention,
    cast(d.started_at as timestamp) as started_at,
    cast(d.processed_at as timestamp) as processed_at,
    d.app_id
from {{ source('mobility_layers', 'drives') }} as d
inner join newest as n
    on n.app_id = d.app_id
    and n.event_id = d.event_id
    and n.built_on = d.built_on
left join {{ source('mobility', 'user_links') }} as l
    on l.app_id = d.app_id
    and l.user_id = d.user_id
