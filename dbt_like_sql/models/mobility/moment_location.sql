-- One row per active user and stay at home, and per stay elsewhere that is near home, near work or near a place of
-- interest: within 500 m of it, straight, and itself neither home nor work (nor a place of interest for the last).
with near as (
    select distinct
        places.app_id,
        places.user_id,
        places.place_id,
        'nearby_' || others.significance as moment_definition_id
    from {{ source('mobility_layers', 'places') }} as places
    join {{ source('mobility_layers', 'places') }} as others
        on others.app_id = places.app_id
        and others.user_id = places.user_id
        and others.place_id <> places.place_id
        and others.significance in ('home', 'work', 'poi')
    where places.significance not in ('home', 'work')
        and places.significance <> others.significance
        -- A degree of latitude has 111195 m on a sphere of 6371 km.
        and pow((places.latitude - others.latitude) * 111195, 2)
            + pow(
                ((places.longitude - others.longitude + 540) % 360 - 180) * 111195 * cos(radians(places.latitude)), 2
            ) <= pow(500, 2)
),

kinds as (
    select
        places.app_id,
        places.user_id,
        places.place_id,
        'at_home' as moment_definition_id
    from {{ source('mobility_layers', 'places') }} as places
    where places.significance = 'home'
    union all
    select near.app_id, near.user_id, near.place_id, near.moment_definition_id
    from near
)

select
    cast(visits.user_id as varchar) as user_id,
    cast(kinds.moment_definition_id as varchar) as moment_definition_id,
    cast(visits.started_at as timestamp) as started_at,
    cast(visits.ended_at as timestamp) as ended_at,
    cast(visits.start_offset as integer) as start_offset,
    cast(if(visits.ended_at is null, null, visits.end_offset) as integer) as end_offset,
    cast(null as varchar) as name,
    cast(visits.app_id as varchar) as app_id
from {{ source('mobility_layers', 'visits') }} as visits
join {{ ref('active_users') }} as users
    on users.app_id = visits.app_id
    and users.user_id = visits.user_id
join kinds
    on kinds.app_id = visits.app_id
    and kinds.user_id = visits.user_id
    and kinds.place_id = visits.place_id
