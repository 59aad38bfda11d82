-- One row per drive with positions on roads, once, in the day on which it was processed (mobility_offloads.md
-- section 4).
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
where d.mapped_waypoints is not null
