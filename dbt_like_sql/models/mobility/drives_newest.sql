-- One row per drive in its newest version, without its texts (mobility_offloads.md section 8, rule 5).
with newest as (
    select
        r.app_id,
        r.event_id,
        max(r.built_on) as built_on
    from {{ source('mobility_layers', 'drives') }} as r
    group by r.app_id, r.event_id
)

select
    cast(d.user_id as varchar) as user_id,
    cast(d.event_id as varchar) as event_id,
    cast(d.started_at as timestamp) as started_at,
    cast(d.ended_at as timestamp) as ended_at,
    cast(d.processed_at as timestamp) as processed_at,
    cast(d.occupant_role as varchar) as occupant_role,
    cast(d.distance as bigint) as distance,
    cast(d.smooth as decimal(9, 6)) as smooth,
    cast(d.legal as decimal(9, 6)) as legal,
    cast(d.anticipative as decimal(9, 6)) as anticipative,
    cast(d.focus as decimal(9, 6)) as focus,
    cast(d.mounted as decimal(9, 6)) as mounted,
    cast(d.hard_events as decimal(9, 6)) as hard_events,
    cast(d.hard_accel as decimal(9, 6)) as hard_accel,
    cast(d.hard_brake as decimal(9, 6)) as hard_brake,
    cast(d.legal_v2 as decimal(9, 6)) as legal_v2,
    cast(d.smooth_v2 as decimal(9, 6)) as smooth_v2,
    cast(d.aggr_v2 as decimal(9, 6)) as aggr_v2,
    cast(d.anti_v2 as decimal(9, 6)) as anti_v2,
    cast(d.anticipative_v2 as decimal(9, 6)) as anticipative_v2,
    cast(d.hard_turn as decimal(9, 6)) as hard_turn,
    cast(d.attention as decimal(9, 6)) as attention,
    cast(d.motorway_metres as bigint) as motorway_metres,
    cast(d.city_metres as bigint) as city_metres,
    cast(d.noncity_metres as bigint) as noncity_metres,
    cast(d.motorway_seconds as bigint) as motorway_seconds,
    cast(d.city_seconds as bigint) as city_seconds,
    cast(d.noncity_seconds as bigint) as noncity_seconds,
    d.behavior_events is not null as has_sensors,
    d.app_id
from {{ source('mobility_layers', 'drives') }} as d
inner join newest as n
    on n.app_id = d.app_id
    and n.event_id = d.event_id
    and n.built_on = d.built_on
