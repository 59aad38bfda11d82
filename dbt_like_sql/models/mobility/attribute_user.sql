-- One row per active user: what is said of the user as such.
with homes as (
    select
        app_id,
        user_id,
        count(*) filter (where significance = 'home') as homes,
        count(*) filter (where significance = 'work') as works
    from {{ source('mobility_layers', 'places') }}
    group by app_id, user_id
),

ends as (
    select app_id, user_id, until_at, end_offset, 0 as rank from {{ source('mobility_layers', 'visits') }}
    union all
    select app_id, user_id, ended_at as until_at, end_offset, 1 as rank from {{ source('mobility_layers', 'trips') }}
),

zones as (
    select
        app_id,
        user_id,
        arg_max(end_offset, struct_pack(until_at := until_at, rank := rank, end_offset := end_offset)) as seconds_east
    from ends
    group by app_id, user_id
)

select
    cast(days.user_id as varchar) as user_id,
    cast(days.app_id as varchar) as "client_id.value",
    cast(coalesce(homes.homes, 0) as bigint) as "hashome.value",
    cast(coalesce(homes.works, 0) as bigint) as "haswork.value",
    cast(if(days.nine_weeks >= 28 and homes.homes > 0, 'TRUE', 'FALSE') as varchar) as "is_stable.value",
    cast(round(days.stay_seconds / nullif(days.stay_seconds + days.trip_seconds, 0), 4) as double)
        as "stationary.perc.total.value",
    cast(days.nine_weeks as double) as "timeline.length.day.value",
    cast(zones.seconds_east as double) as "timezone.value",
    cast(round(days.trip_seconds / nullif(days.stay_seconds + days.trip_seconds, 0), 4) as double)
        as "transport.perc.total.value",
    cast(days.app_id as varchar) as app_id
from {{ ref('attribute_days') }} as days
left join homes
    on homes.app_id = days.app_id
    and homes.user_id = days.user_id
left join zones
    on zones.app_id = days.app_id
    and zones.user_id = days.user_id
