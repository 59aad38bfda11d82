-- One row per drive with positions on roads, once, in the day on which it was processed (mobility_offloads.md
-- section 4). Versions as in transports_realtime.
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
    cast(d.mapped_waypoints as json) as mapped_waypoints,
    cast(d.session_id as varchar) as session_id,
    cast(d.start_text as varchar) as "start",
    cast(d.end_text as varchar) as "end",
    cast(d.user_id as varchar) as user_id,
    cast(d.started_at as timestamp) as started_at,
    cast(d.processed_at as timestamp) as processed_at,
    d.app_id
from {{ source('mobility_layers', 'drives') }} as d
inner join newest as n
    on n.app_id = d.app_id
    and n.event_id = d.event_id
    and n.built_on = d.built_on
where d.mapped_waypoints is not null
