-- One row per drive with sensor data, once, in the day on which it was processed (mobility_offloads.md section 4).
-- Versions as in transports_realtime.
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
    cast(d.mode as varchar) as mode,
    cast(l.external_id as varchar) as metadata_user_id,
    cast(d.event_id as varchar) as event_id,
    cast(d.user_id as varchar) as user_id,
    cast(d.start_text as varchar) as "start",
    cast(d.end_text as varchar) as "end",
    cast(d.behavior_events as json) as behavior_events,
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
where d.behavior_events is not null
