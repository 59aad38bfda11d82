-- One row per active user and journey: from leaving home to coming home, with nights 50 km or more away from it.
-- It is a business trip if the user spent two hours or more at an office from Monday to Friday, or if it had at most
-- two nights, at a hotel, lay within Monday to Friday and saw no sights. Else two nights make it a holiday.
with homes as (
    select places.app_id, places.user_id, places.latitude, places.longitude
    from {{ source('mobility_layers', 'places') }} as places
    where places.significance = 'home'
),

-- A degree of latitude has 111195 m on a sphere of 6371 km.
distances as (
    select
        places.app_id,
        places.user_id,
        places.place_id,
        min(
            2 * 6371000 * asin(sqrt(least(1,
                pow(sin(radians(places.latitude - homes.latitude) / 2), 2)
                    + cos(radians(places.latitude)) * cos(radians(homes.latitude))
                    * pow(sin(radians(places.longitude - homes.longitude) / 2), 2)
            )))
        ) >= 50000 as is_far
    from {{ source('mobility_layers', 'places') }} as places
    join homes
        on homes.app_id = places.app_id
        and homes.user_id = places.user_id
    group by places.app_id, places.user_id, places.place_id
),

stays as (
    select
        visits.app_id,
        visits.user_id,
        visits.started_at,
        visits.ended_at,
        visits.until_at,
        visits.start_offset,
        visits.end_offset,
        visits.local_start,
        visits.local_end,
        visits.significance = 'home' as is_home,
        -- Nights are counted where the user was at 03:00; nights at work are shifts.
        if(
            distances.is_far and visits.significance <> 'work',
            greatest(
                0,
                date_diff(
                    'day',
                    visits.local_start - interval 3 hours - interval 1 microsecond,
                    visits.local_end - interval 3 hours
                )
            ),
            0
        ) as nights,
        if(
            distances.is_far
                and isodow(visits.local_start) <= 5
                and (
                    visits.significance = 'work'
                    or list_has_any(coalesce(visits.venue_types, []), ['office', 'coworking'])
                ),
            visits.seconds,
            0
        ) as office_seconds,
        if(
            distances.is_far
                and list_has_any(
                    coalesce(visits.venue_types, []),
                    ['museum', 'culture', 'tourism', 'park', 'beach', 'nature', 'leisure']
                ),
            1,
            0
        ) as sights,
        if(distances.is_far and list_contains(coalesce(visits.venue_types, []), 'hotel'), 1, 0) as hotels
    from {{ source('mobility_layers', 'visits') }} as visits
    join {{ ref('active_users') }} as users
        on users.app_id = visits.app_id
        and users.user_id = visits.user_id
    join distances
        on distances.app_id = visits.app_id
        and distances.user_id = visits.user_id
        and distances.place_id = visits.place_id
),

-- A home stay and what follows it until the next one have the same number.
numbered as (
    select
        stays.app_id, stays.user_id, stays.started_at, stays.ended_at, stays.start_offset, stays.end_offset,
        stays.local_start, stays.local_end, stays.is_home, stays.nights, stays.office_seconds, stays.sights,
        stays.hotels,
        count(*) filter (stays.is_home) over (
            partition by stays.app_id, stays.user_id
            order by stays.started_at
            rows between unbounded preceding and current row
        ) as number
    from stays
),

outings as (
    select
        numbered.app_id,
        numbered.user_id,
        numbered.number,
        max(numbered.ended_at) filter (numbered.is_home) as left_at,
        max(numbered.end_offset) filter (numbered.is_home) as left_offset,
        max(numbered.local_end) filter (numbered.is_home) as local_left,
        min(numbered.started_at) filter (not numbered.is_home) as first_at,
        arg_min(numbered.start_offset, numbered.started_at) filter (not numbered.is_home) as first_offset,
        min(numbered.local_start) filter (not numbered.is_home) as local_first,
        -- Without a stay at home after it the journey ends with its last stay, and goes on while that does.
        if(bool_or(numbered.ended_at is null), null, max(numbered.ended_at)) as last_at,
        arg_max(numbered.end_offset, numbered.started_at) as last_offset,
        max(numbered.local_end) as local_last,
        min(numbered.started_at) filter (numbered.is_home) as home_at,
        max(numbered.start_offset) filter (numbered.is_home) as home_offset,
        max(numbered.local_start) filter (numbered.is_home) as local_home,
        sum(numbered.nights) as nights,
        sum(numbered.office_seconds) as office_seconds,
        sum(numbered.sights) as sights,
        sum(numbered.hotels) as hotels
    from numbered
    group by numbered.app_id, numbered.user_id, numbered.number
),

returned as (
    select
        outings.app_id,
        outings.user_id,
        coalesce(outings.left_at, outings.first_at) as started_at,
        if(outings.left_at is null, outings.first_offset, outings.left_offset) as start_offset,
        coalesce(outings.local_left, outings.local_first) as local_start,
        outings.last_at,
        outings.last_offset,
        outings.local_last,
        lead(outings.home_at) over (
            partition by outings.app_id, outings.user_id
            order by outings.number
        ) as home_at,
        lead(outings.home_offset) over (
            partition by outings.app_id, outings.user_id
            order by outings.number
        ) as home_offset,
        lead(outings.local_home) over (
            partition by outings.app_id, outings.user_id
            order by outings.number
        ) as local_home,
        outings.nights,
        outings.office_seconds,
        outings.sights,
        outings.hotels
    from outings
),

journeys as (
    select
        returned.app_id,
        returned.user_id,
        returned.started_at,
        returned.start_offset,
        returned.local_start,
        if(returned.home_at is null, returned.last_at, returned.home_at) as ended_at,
        if(returned.home_at is null, returned.last_offset, returned.home_offset) as end_offset,
        coalesce(returned.local_home, returned.local_last) as local_end,
        returned.nights,
        returned.office_seconds,
        returned.sights,
        returned.hotels
    from returned
    where returned.nights > 0
),

judged as (
    select
        journeys.app_id,
        journeys.user_id,
        journeys.started_at,
        journeys.start_offset,
        journeys.ended_at,
        journeys.end_offset,
        journeys.nights,
        journeys.office_seconds >= 7200
            or (
                journeys.nights <= 2
                and journeys.hotels > 0
                and journeys.sights = 0
                and date_trunc('week', journeys.local_start) = date_trunc('week', journeys.local_end)
                and isodow(journeys.local_end) <= 5
            ) as is_business
    from journeys
)

select
    cast(judged.user_id as varchar) as user_id,
    cast(if(judged.is_business, 'business_trip', 'holiday') as varchar) as moment_definition_id,
    cast(judged.started_at as timestamp) as started_at,
    cast(judged.ended_at as timestamp) as ended_at,
    cast(judged.start_offset as integer) as start_offset,
    cast(if(judged.ended_at is null, null, judged.end_offset) as integer) as end_offset,
    cast(null as varchar) as name,
    cast(judged.app_id as varchar) as app_id
from judged
where judged.is_business
    or judged.nights >= 2
