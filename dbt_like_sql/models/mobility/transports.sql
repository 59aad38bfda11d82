-- One row per trip of an active user that ended within the last nine weeks. Of trips that start in the same second
-- (start is part of the key and has whole seconds) the longest stays.
with shorter as (
    select
        trips.app_id,
        trips.user_id,
        trips.event_id
    from {{ source('mobility_layers', 'trips') }} as trips
    qualify row_number() over (
        partition by trips.app_id, trips.user_id, trips.start_text
        order by trips.ended_at desc, trips.started_at, trips.event_id
    ) > 1
),

within as (
    select
        trips.app_id,
        trips.user_id,
        trips.started_at,
        trips.ended_at,
        trips.start_offset,
        trips.end_offset,
        trips.start_text,
        trips.end_text,
        trips.mode,
        trips.distance,
        trips.seconds,
        trips.waypoints
    from {{ source('mobility_layers', 'trips') }} as trips
    cross join {{ source('mobility_layers', 'day') }} as day
    anti join shorter
        on shorter.app_id = trips.app_id
        and shorter.user_id = trips.user_id
        and shorter.event_id = trips.event_id
    where trips.ended_at >= day.window_start
        and trips.ended_at < day.until
),

-- A trip into another zone has the offset of its start up to its last waypoint, which has that of its end.
suffixed as (
    select
        within.app_id,
        within.user_id,
        within.started_at,
        within.ended_at,
        within.start_offset,
        within.end_offset,
        within.start_text,
        within.end_text,
        within.mode,
        within.distance,
        within.seconds,
        within.waypoints,
        regexp_extract(within.start_text, '(Z|[+-][0-9]{2}:[0-9]{2})$', 1) as start_suffix,
        regexp_extract(within.end_text, '(Z|[+-][0-9]{2}:[0-9]{2})$', 1) as end_suffix
    from within
),

printed as (
    select
        suffixed.app_id,
        suffixed.user_id,
        suffixed.started_at,
        suffixed.ended_at,
        suffixed.start_text,
        suffixed.end_text,
        suffixed.mode,
        suffixed.distance,
        suffixed.seconds,
        [
            format('{{ '{{' }} "latitude": {:.5f}, "longitude": {:.5f}, "timestamp": "{}{}" {{ '}}' }}',
                one.latitude,
                one.longitude,
                strftime(
                    one.tracked_at
                        + to_seconds(if(number = len(suffixed.waypoints), suffixed.end_offset, suffixed.start_offset)),
                    '%Y-%m-%dT%H:%M:%S'
                ),
                if(number = len(suffixed.waypoints), suffixed.end_suffix, suffixed.start_suffix)
            )
            for one, number in suffixed.waypoints
        ] as waypoints
    from suffixed
)

select
    cast(printed.user_id as varchar) as user_id,
    cast(users.metadata_user_id as varchar) as metadata_user_id,
    cast(printed.start_text as varchar) as start,
    cast(printed.end_text as varchar) as "end",
    cast(printed.mode as varchar) as mode,
    cast(printed.distance as bigint) as distance,
    cast('{ "waypoints": [ ' || array_to_string(printed.waypoints, ', ') || ' ] }' as json) as waypoints,
    cast(printed.seconds as bigint) as duration,
    cast(printed.started_at as timestamp) as started_at,
    cast(printed.ended_at as timestamp) as until_at,
    cast(printed.app_id as varchar) as app_id
from printed
join {{ ref('active_users') }} as users
    on users.app_id = printed.app_id
    and users.user_id = printed.user_id
