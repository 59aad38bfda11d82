-- One row per user with a new drive in a build, over the user's drives of nine weeks (mobility_offloads.md section 4).
select
    cast(s.timestamp as bigint) as timestamp,
    cast(s.user_id as varchar) as user_id,
    cast(s.smooth as decimal(9, 6)) as smooth,
    cast(s.legal as decimal(9, 6)) as legal,
    cast(s.anticipative as decimal(9, 6)) as anticipative,
    cast(s.focus as decimal(9, 6)) as focus,
    cast(s.mounted as decimal(9, 6)) as mounted,
    cast(s.hard_events as decimal(9, 6)) as hard_events,
    cast(s.hard_accel as decimal(9, 6)) as hard_accel,
    cast(s.hard_brake as decimal(9, 6)) as hard_brake,
    cast(s.legal_v2 as decimal(9, 6)) as legal_v2,
    cast(s.smooth_v2 as decimal(9, 6)) as smooth_v2,
    cast(s.anticipative_v2 as decimal(9, 6)) as anticipative_v2,
    cast(s.hard_turn as decimal(9, 6)) as hard_turn,
    cast(s.processed_at as timestamp) as processed_at,
    s.app_id
from {{ source('mobility_layers', 'scores') }} as s
