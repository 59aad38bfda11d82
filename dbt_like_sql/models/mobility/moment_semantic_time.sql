-- One row per active user and part of a local day: weekday or weekend, morning, late morning, lunch, afternoon, evening
-- and night. A part ends a second before the next one starts, so that a whole day has 86399 seconds.
with spans as (
    select
        visits.app_id,
        visits.user_id,
        visits.started_at,
        visits.until_at,
        visits.local_start,
        visits.local_end,
        visits.timezone,
        false as is_trip
    from {{ source('mobility_layers', 'visits') }} as visits
    join {{ ref('active_users') }} as users
        on users.app_id = visits.app_id
        and users.user_id = visits.user_id
    union all
    select
        trips.app_id,
        trips.user_id,
        trips.started_at,
        trips.ended_at as until_at,
        trips.local_start,
        trips.local_end,
        trips.timezone,
        true as is_trip
    from {{ source('mobility_layers', 'trips') }} as trips
    join {{ ref('active_users') }} as users
        on users.app_id = trips.app_id
        and users.user_id = trips.user_id
),

-- What was before the window began may be in visits that reach into it; two days before it suffice for its zones.
touched as (
    select
        spans.app_id,
        spans.user_id,
        spans.started_at,
        spans.until_at,
        spans.local_start,
        spans.local_end,
        spans.timezone,
        spans.is_trip,
        unnest(
            generate_series(
                greatest(date_trunc('day', spans.local_start), date_trunc('day', day.window_start) - interval 2 days),
                date_trunc('day', greatest(spans.local_start, spans.local_end - interval 1 microsecond)),
                interval 1 day
            )
        ) as day
    from spans
    cross join {{ source('mobility_layers', 'day') }} as day
),

-- A day is in the zone where the user stayed longest on it, so that one place far away, where a phone thought that it
-- was for a minute, moves no day. Trips count where nobody stayed.
days as (
    select
        touched.app_id,
        touched.user_id,
        touched.day,
        min(touched.started_at) as started_at,
        max(touched.until_at) as until_at,
        arg_min(
            touched.timezone,
            struct_pack(
                is_trip := touched.is_trip,
                seconds := -date_diff(
                    'second',
                    greatest(touched.local_start, touched.day),
                    least(touched.local_end, touched.day + interval 1 day)
                ),
                started_at := touched.started_at,
                zone := touched.timezone
            )
        ) as zone
    from touched
    group by touched.app_id, touched.user_id, touched.day
),

known as (
    select
        days.app_id,
        days.user_id,
        min(days.started_at) as known_from,
        max(days.until_at) as known_until
    from days
    group by days.app_id, days.user_id
),

parts as (
    select
        days.app_id,
        days.user_id,
        days.day,
        days.zone,
        known.known_from,
        known.known_until,
        unnest([
            struct_pack(id := if(isodow(days.day) > 5, 'weekend', 'weekday'), starts := 0, ends := 1440),
            struct_pack(id := 'morning', starts := today.morning_minutes, ends := today.late_morning_minutes),
            struct_pack(id := 'late_morning', starts := today.late_morning_minutes, ends := today.lunch_minutes),
            struct_pack(id := 'lunch', starts := today.lunch_minutes, ends := today.afternoon_minutes),
            struct_pack(id := 'afternoon', starts := today.afternoon_minutes, ends := today.evening_minutes),
            struct_pack(id := 'evening', starts := today.evening_minutes, ends := today.night_minutes),
            struct_pack(id := 'night', starts := today.night_minutes, ends := 1440 + tomorrow.morning_minutes)
        ]) as part
    from days
    join known
        on known.app_id = days.app_id
        and known.user_id = days.user_id
    join {{ ref('moment_times') }} as today
        on today.app_id = days.app_id
        and today.user_id = days.user_id
        and today.is_weekend = (isodow(days.day) > 5)
    join {{ ref('moment_times') }} as tomorrow
        on tomorrow.app_id = days.app_id
        and tomorrow.user_id = days.user_id
        and tomorrow.is_weekend = (isodow(days.day + interval 1 day) > 5)
),

walls as (
    select
        parts.app_id,
        parts.user_id,
        parts.part.id as moment_definition_id,
        parts.zone,
        parts.known_from,
        parts.known_until,
        parts.day + to_minutes(parts.part.starts) as local_from,
        parts.day + to_minutes(parts.part.ends) - interval 1 second as local_to
    from parts
),

-- Each time of a zone is read once, for reading a zone's table costs more than all else here.
times as (
    select walls.app_id, walls.zone, walls.local_from as local_at
    from walls
    union
    select walls.app_id, walls.zone, walls.local_to as local_at
    from walls
),

clocks as (
    select
        times.app_id,
        times.zone,
        times.local_at,
        timezone('UTC', timezone(times.zone, times.local_at)) as instant
    from times
),

-- In the hour that clocks leave out they show another time than the one asked for.
offsets as (
    select
        clocks.app_id,
        clocks.zone,
        clocks.local_at,
        clocks.instant,
        date_diff('second', clocks.instant, timezone(clocks.zone, timezone('UTC', clocks.instant))) as offset_seconds
    from clocks
),

-- Kept as it is before the ends come: else the planner lets each start of an app meet each end, for both have an app.
begun as materialized (
    select
        walls.app_id,
        walls.user_id,
        walls.moment_definition_id,
        starts.instant as started_at,
        starts.offset_seconds as start_offset,
        walls.zone,
        walls.local_to,
        walls.known_from
    from walls
    join offsets as starts
        on starts.app_id = walls.app_id
        and starts.zone = walls.zone
        and starts.local_at = walls.local_from
    where starts.instant < walls.known_until
)

select
    cast(begun.user_id as varchar) as user_id,
    cast(begun.moment_definition_id as varchar) as moment_definition_id,
    cast(begun.started_at as timestamp) as started_at,
    cast(if(ends.instant < day.until, ends.instant, null) as timestamp) as ended_at,
    cast(begun.start_offset as integer) as start_offset,
    cast(if(ends.instant < day.until, ends.offset_seconds, null) as integer) as end_offset,
    cast(null as varchar) as name,
    cast(begun.app_id as varchar) as app_id
from begun
join offsets as ends
    on ends.app_id = begun.app_id
    and ends.zone = begun.zone
    and ends.local_at = begun.local_to
cross join {{ source('mobility_layers', 'day') }} as day
where begun.started_at < day.until
    and ends.instant > begun.started_at
    and ends.instant > begun.known_from
