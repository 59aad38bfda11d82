-- One row per active user and stretch of work: a stay at work of 15 minutes or more, and work elsewhere. What lies
-- between 00:00 and 06:00 is work only of who is at work then on three stays and on a fifth of all stays at work.
-- Elsewhere is a stay of 90 minutes or more at an office, a café or a library from Monday to Friday; or being at home
-- between 09:00 and 17:00 for three hours or more on a day without work at work that is usually one with it (the user
-- was at work on that day of the week in three weeks of the window).
with stays as (
    select
        visits.app_id,
        visits.user_id,
        visits.started_at,
        visits.ended_at,
        visits.start_offset,
        visits.end_offset,
        visits.local_start,
        visits.local_end,
        visits.seconds,
        visits.significance,
        visits.timezone,
        coalesce(visits.venue_types, []) as types
    from {{ source('mobility_layers', 'visits') }} as visits
    join {{ ref('active_users') }} as users
        on users.app_id = visits.app_id
        and users.user_id = visits.user_id
),

by_day as (
    select
        stays.app_id, stays.user_id, stays.started_at, stays.ended_at, stays.start_offset, stays.end_offset,
        stays.local_start, stays.local_end, stays.significance, stays.timezone,
        unnest(
            generate_series(
                greatest(date_trunc('day', stays.local_start), date_trunc('day', day.window_start) - interval 1 day),
                date_trunc('day', greatest(stays.local_start, stays.local_end - interval 1 microsecond)),
                interval 1 day
            )
        ) as day
    from stays
    cross join {{ source('mobility_layers', 'day') }} as day
    where stays.significance in ('home', 'work')
),

worked as (
    select distinct by_day.app_id, by_day.user_id, by_day.day
    from by_day
    where by_day.significance = 'work'
),

-- Who works at night, by the stays at work of which 15 minutes or more lie between 00:00 and 06:00.
night_workers as (
    select by_day.app_id, by_day.user_id
    from by_day
    where by_day.significance = 'work'
    group by by_day.app_id, by_day.user_id
    having count(distinct by_day.started_at) filter (
            least(by_day.local_end, by_day.day + interval 6 hours) - greatest(by_day.local_start, by_day.day)
                >= interval 15 minutes
        ) >= greatest(3, count(distinct by_day.started_at) / 5)
),

-- Of everybody else, stays that touch a night without what lies in it.
by_daylight as (
    select
        by_day.app_id, by_day.user_id, by_day.started_at, by_day.ended_at, by_day.local_start, by_day.local_end,
        by_day.timezone,
        by_day.day + interval 6 hours as from_at,
        by_day.day + interval 1 day as to_at
    from by_day
    anti join night_workers
        on night_workers.app_id = by_day.app_id
        and night_workers.user_id = by_day.user_id
    where by_day.significance = 'work'
        and (
            by_day.local_start < date_trunc('day', by_day.local_start) + interval 6 hours
            or by_day.local_end > date_trunc('day', by_day.local_start) + interval 1 day
        )
        and least(by_day.local_end, by_day.day + interval 1 day)
            - greatest(by_day.local_start, by_day.day + interval 6 hours) >= interval 15 minutes
),

at_work as (
    select
        by_daylight.app_id,
        by_daylight.user_id,
        by_daylight.timezone,
        'working_at_work' as moment_definition_id,
        if(
            by_daylight.local_start >= by_daylight.from_at,
            by_daylight.started_at,
            timezone('UTC', timezone(by_daylight.timezone, by_daylight.from_at))
        ) as started_at,
        if(
            by_daylight.local_end <= by_daylight.to_at,
            by_daylight.ended_at,
            timezone('UTC', timezone(by_daylight.timezone, by_daylight.to_at))
        ) as ended_at
    from by_daylight
),

usual as (
    select worked.app_id, worked.user_id, isodow(worked.day) as weekday
    from worked
    group by worked.app_id, worked.user_id, isodow(worked.day)
    having count(*) >= 3
),

at_home as (
    select
        by_day.app_id,
        by_day.user_id,
        by_day.started_at,
        by_day.ended_at,
        by_day.start_offset,
        by_day.end_offset,
        by_day.timezone,
        by_day.local_start,
        by_day.local_end,
        by_day.day + interval 9 hours as from_at,
        by_day.day + interval 17 hours as to_at
    from by_day
    semi join usual
        on usual.app_id = by_day.app_id
        and usual.user_id = by_day.user_id
        and usual.weekday = isodow(by_day.day)
    anti join worked
        on worked.app_id = by_day.app_id
        and worked.user_id = by_day.user_id
        and worked.day = by_day.day
    where by_day.significance = 'home'
        and isodow(by_day.day) <= 5
        and least(by_day.local_end, by_day.day + interval 17 hours)
            - greatest(by_day.local_start, by_day.day + interval 9 hours) >= interval 3 hours
),

remote as (
    select
        at_home.app_id,
        at_home.user_id,
        at_home.timezone,
        'working_remote' as moment_definition_id,
        if(
            at_home.local_start >= at_home.from_at,
            at_home.started_at,
            timezone('UTC', timezone(at_home.timezone, at_home.from_at))
        ) as started_at,
        if(
            at_home.local_end < at_home.to_at,
            at_home.ended_at,
            timezone('UTC', timezone(at_home.timezone, at_home.to_at))
        ) as ended_at
    from at_home
),

cut as (
    select remote.app_id, remote.user_id, remote.timezone, remote.moment_definition_id, remote.started_at, remote.ended_at
    from remote
    union all
    select
        at_work.app_id, at_work.user_id, at_work.timezone, at_work.moment_definition_id, at_work.started_at,
        at_work.ended_at
    from at_work
),

found as (
    select
        stays.app_id, stays.user_id, 'working_at_work' as moment_definition_id,
        stays.started_at, stays.ended_at, stays.start_offset, stays.end_offset
    from stays
    left join night_workers
        on night_workers.app_id = stays.app_id
        and night_workers.user_id = stays.user_id
    where stays.significance = 'work'
        and stays.seconds >= 900
        and (
            night_workers.user_id is not null
            or (
                stays.local_start >= date_trunc('day', stays.local_start) + interval 6 hours
                and stays.local_end <= date_trunc('day', stays.local_start) + interval 1 day
            )
        )
    union all
    select
        stays.app_id, stays.user_id, 'working_remote' as moment_definition_id,
        stays.started_at, stays.ended_at, stays.start_offset, stays.end_offset
    from stays
    where stays.significance not in ('home', 'work')
        and stays.seconds >= 5400
        and isodow(stays.local_start) <= 5
        and date_part('hour', stays.local_start) between 6 and 16
        and list_has_any(stays.types, ['office', 'cafe', 'library', 'coworking'])
    union all
    select
        cut.app_id, cut.user_id, cut.moment_definition_id, cut.started_at, cut.ended_at,
        epoch(timezone(cut.timezone, timezone('UTC', cut.started_at))) - epoch(cut.started_at) as start_offset,
        epoch(timezone(cut.timezone, timezone('UTC', cut.ended_at))) - epoch(cut.ended_at) as end_offset
    from cut
)

select
    cast(found.user_id as varchar) as user_id,
    cast(found.moment_definition_id as varchar) as moment_definition_id,
    cast(found.started_at as timestamp) as started_at,
    cast(found.ended_at as timestamp) as ended_at,
    cast(found.start_offset as integer) as start_offset,
    cast(if(found.ended_at is null, null, found.end_offset) as integer) as end_offset,
    cast(null as varchar) as name,
    cast(found.app_id as varchar) as app_id
from found
