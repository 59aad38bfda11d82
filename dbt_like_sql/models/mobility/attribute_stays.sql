-- One row per stay of an active user and local date that it touches, within the 63 local dates up to the data day.
-- Seconds are by wall time at the place, so a date has at most 86400 of them and shares stay below one.
with clipped as (
    select
        visits.app_id,
        visits.user_id,
        visits.started_at,
        -- A stay that began before the window counts from the window's start.
        visits.local_start + (greatest(visits.started_at, day.window_start) - visits.started_at) as local_from,
        visits.local_end as local_to,
        visits.local_start,
        visits.seconds,
        visits.significance,
        visits.country,
        visits.region,
        visits.city,
        visits.city_type,
        coalesce(visits.venue_brand, visits.venue_name) as venue,
        '|' || array_to_string(visits.venue_types, '|') || '|' as venue_types,
        day.day
    from {{ source('mobility_layers', 'visits') }} as visits
    inner join {{ ref('active_users') }} as users
        on users.app_id = visits.app_id
        and users.user_id = visits.user_id
    cross join {{ source('mobility_layers', 'day') }} as day
),

dated as (
    select
        app_id,
        user_id,
        started_at,
        local_from,
        local_to,
        local_start,
        seconds,
        significance,
        country,
        region,
        city,
        city_type,
        venue,
        venue_types,
        day,
        unnest(generate_series(date_trunc('day', local_from), local_to, interval 1 day)) as midnight
    from clipped
),

measured as (
    select
        app_id,
        user_id,
        started_at,
        cast(midnight as date) as on_date,
        day - cast(midnight as date) as days_ago,
        (greatest(epoch_us(local_from), epoch_us(midnight)) - epoch_us(midnight)) // 1000000 as from_second,
        (least(epoch_us(local_to) - epoch_us(midnight), 86400000000)) // 1000000 as to_second,
        cast(midnight as date) = cast(local_start as date) as is_first,
        seconds as stay_seconds,
        significance,
        country,
        region,
        city,
        city_type,
        venue,
        venue_types
    from dated
)

select
    cast(user_id as varchar) as user_id,
    cast(started_at as timestamp) as started_at,
    cast(on_date as date) as on_date,
    cast(days_ago as integer) as days_ago,
    cast(isodow(on_date) - 1 as integer) as weekday,
    cast(from_second as bigint) as from_second,
    cast(to_second as bigint) as to_second,
    cast(to_second - from_second as bigint) as seconds,
    cast(is_first as boolean) as is_first,
    cast(stay_seconds as bigint) as stay_seconds,
    cast(significance as varchar) as significance,
    cast(nullif(country, '') as varchar) as country,
    cast(nullif(region, '') as varchar) as region,
    cast(nullif(city, '') as varchar) as city,
    cast(coalesce(nullif(city_type, ''), 'unknown') as varchar) as city_type,
    cast(venue as varchar) as venue,
    cast(coalesce(venue_types, '||') as varchar) as venue_types,
    cast(app_id as varchar) as app_id
from measured
where days_ago between 0 and 62
    and to_second > from_second
