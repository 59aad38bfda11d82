-- One row per stay of an active user that ended, or began and goes on, within the last nine weeks.
with within as (
    select
        visits.app_id,
        visits.user_id,
        visits.started_at,
        visits.ended_at,
        coalesce(visits.ended_at, visits.started_at) as decides_at,
        visits.start_text,
        visits.end_text,
        visits.seconds,
        visits.latitude,
        visits.longitude,
        visits.significance,
        visits.country,
        visits.city,
        visits.city_type,
        visits.venue_name,
        visits.venue_types
    from {{ source('mobility_layers', 'visits') }} as visits
    cross join {{ source('mobility_layers', 'day') }} as day
    where coalesce(visits.ended_at, visits.started_at) >= day.window_start
        and coalesce(visits.ended_at, visits.started_at) < day.until
)

select
    cast(within.user_id as varchar) as user_id,
    cast(users.metadata_user_id as varchar) as metadata_user_id,
    cast(within.start_text as varchar) as start,
    cast(if(within.ended_at is null, null, within.end_text) as varchar) as "end",
    cast(within.significance as varchar) as "location.significance",
    cast(round(within.latitude, 5) as decimal(9, 5)) as latitude,
    cast(round(within.longitude, 5) as decimal(9, 5)) as longitude,
    cast(nullif(within.country, '') as varchar) as "address.country",
    cast(nullif(within.city, '') as varchar) as "address.city",
    -- This file knows three sizes; that a city is a big one, only the attributes say.
    cast(
        case within.city_type when 'big_city' then 'city' when 'unknown' then null else within.city_type end as varchar
    ) as "address.city_type",
    -- No source of streets is at hand offline.
    cast(null as varchar) as "address.streetname",
    cast(within.venue_name as varchar) as "location.place.name",
    cast(
        if(
            len(within.venue_types) > 0,
            '[' || array_to_string([cast(to_json(one) as varchar) for one in within.venue_types], ', ') || ']',
            null
        ) as varchar
    ) as "location.place.type",
    cast(if(within.ended_at is null, -1, within.seconds) as bigint) as duration,
    cast(within.started_at as timestamp) as started_at,
    cast(within.decides_at as timestamp) as until_at,
    cast(within.app_id as varchar) as app_id
from within
join {{ ref('active_users') }} as users
    on users.app_id = within.app_id
    and users.user_id = within.user_id
