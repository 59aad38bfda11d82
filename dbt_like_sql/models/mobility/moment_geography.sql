-- One row per active user, city or country, and local day of being there: from arrival or midnight to departure or
-- 23:59:59. Ways between stays in one city belong to it.
with stays as (
    select
        visits.app_id,
        visits.user_id,
        visits.started_at,
        visits.ended_at,
        visits.until_at,
        visits.local_start,
        visits.local_end,
        visits.start_offset,
        visits.end_offset,
        visits.timezone,
        visits.city,
        visits.country
    from {{ source('mobility_layers', 'visits') }} as visits
    join {{ ref('active_users') }} as users
        on users.app_id = visits.app_id
        and users.user_id = visits.user_id
),

named as (
    select
        stays.app_id, stays.user_id, stays.started_at, stays.ended_at, stays.local_start, stays.local_end,
        stays.start_offset, stays.end_offset, stays.timezone,
        'city' as moment_definition_id,
        coalesce(stays.city, '') as name
    from stays
    union all
    select
        stays.app_id, stays.user_id, stays.started_at, stays.ended_at, stays.local_start, stays.local_end,
        stays.start_offset, stays.end_offset, stays.timezone,
        'country' as moment_definition_id,
        coalesce(stays.country, '') as name
    from stays
),

changes as (
    select
        named.app_id, named.user_id, named.started_at, named.ended_at, named.local_start, named.local_end,
        named.start_offset, named.end_offset, named.timezone, named.moment_definition_id, named.name,
        named.name is distinct from lag(named.name) over (
            partition by named.app_id, named.user_id, named.moment_definition_id
            order by named.started_at
        ) as is_change
    from named
),

runs as (
    select
        changes.app_id, changes.user_id, changes.started_at, changes.ended_at, changes.local_start, changes.local_end,
        changes.start_offset, changes.end_offset, changes.timezone, changes.moment_definition_id, changes.name,
        count(*) filter (changes.is_change) over (
            partition by changes.app_id, changes.user_id, changes.moment_definition_id
            order by changes.started_at
            rows between unbounded preceding and current row
        ) as run
    from changes
),

by_day as (
    select
        runs.app_id, runs.user_id, runs.started_at, runs.ended_at, runs.local_start, runs.local_end,
        runs.start_offset, runs.end_offset, runs.timezone, runs.moment_definition_id, runs.name, runs.run,
        unnest(
            generate_series(
                greatest(date_trunc('day', runs.local_start), date_trunc('day', day.window_start) - interval 1 day),
                date_trunc('day', greatest(runs.local_start, runs.local_end - interval 1 microsecond)),
                interval 1 day
            )
        ) as day
    from runs
    cross join {{ source('mobility_layers', 'day') }} as day
    where runs.name <> ''
),

-- Each day of a zone is read once.
times as (
    select distinct by_day.app_id, by_day.timezone, by_day.day
    from by_day
),

clocks as (
    select
        times.app_id,
        times.timezone,
        times.day,
        timezone('UTC', timezone(times.timezone, times.day)) as first_at,
        timezone('UTC', timezone(times.timezone, times.day + interval 1 day - interval 1 second)) as last_at
    from times
),

borders as (
    select
        clocks.app_id,
        clocks.timezone,
        clocks.day,
        clocks.first_at,
        clocks.last_at,
        date_diff(
            'second', clocks.first_at, timezone(clocks.timezone, timezone('UTC', clocks.first_at))
        ) as first_offset,
        date_diff(
            'second', clocks.last_at, timezone(clocks.timezone, timezone('UTC', clocks.last_at))
        ) as last_offset
    from clocks
),

-- What a stay gives to a day; its end is NULL where it goes on and the day did too.
pieces as (
    select
        by_day.app_id,
        by_day.user_id,
        by_day.moment_definition_id,
        by_day.name,
        by_day.run,
        by_day.day,
        if(by_day.local_start >= by_day.day, by_day.started_at, borders.first_at) as started_at,
        if(by_day.local_start >= by_day.day, by_day.start_offset, borders.first_offset) as start_offset,
        if(by_day.local_end >= by_day.day + interval 1 day, borders.last_at, by_day.ended_at) as ended_at,
        if(by_day.local_end >= by_day.day + interval 1 day, borders.last_offset, by_day.end_offset) as end_offset
    from by_day
    join borders
        on borders.app_id = by_day.app_id
        and borders.timezone = by_day.timezone
        and borders.day = by_day.day
),

days as (
    select
        pieces.app_id,
        pieces.user_id,
        pieces.moment_definition_id,
        pieces.name,
        pieces.run,
        pieces.day,
        min(pieces.started_at) as started_at,
        arg_min(pieces.start_offset, pieces.started_at) as start_offset,
        if(bool_or(pieces.ended_at is null), null, max(pieces.ended_at)) as ended_at,
        arg_max(pieces.end_offset, pieces.started_at) as end_offset
    from pieces
    group by pieces.app_id, pieces.user_id, pieces.moment_definition_id, pieces.name, pieces.run, pieces.day
)

select
    cast(days.user_id as varchar) as user_id,
    cast(days.moment_definition_id as varchar) as moment_definition_id,
    cast(days.started_at as timestamp) as started_at,
    cast(days.ended_at as timestamp) as ended_at,
    cast(days.start_offset as integer) as start_offset,
    cast(if(days.ended_at is null, null, days.end_offset) as integer) as end_offset,
    cast(days.name as varchar) as name,
    cast(days.app_id as varchar) as app_id
from days
-- An arrival in the last second of a day is no time there.
where days.ended_at is null
    or days.ended_at > days.started_at
