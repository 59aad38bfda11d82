-- One row per active user and segment of work, and of the balance between work and life. The work place of a user is
-- the one with most time. Hours of a week are seconds at work by local days with data, times 7.
with works as (
    select
        p.app_id,
        p.user_id,
        p.city_type
    from {{ source('mobility_layers', 'places') }} as p
    where p.significance = 'work'
    qualify row_number() over (partition by p.app_id, p.user_id order by p.seconds desc, p.place_id) = 1
),
stays as (
    select
        p.app_id,
        p.user_id,
        v.local_start,
        greatest(v.local_start, v.local_end - interval 1 microsecond) as local_end,
        greatest(v.local_start, d.window_start) as local_from,
        least(v.seconds, date_diff('second', d.window_start, v.until_at)) as seconds,
        coalesce(v.significance, '') as significance,
        list_has_any(v.venue_types, ['university', 'college', 'school']) as is_education
    from {{ ref('segment_people') }} as p
    join {{ source('mobility_layers', 'visits') }} as v
        on v.app_id = p.app_id
        and v.user_id = p.user_id
    cross join {{ source('mobility_layers', 'day') }} as d
),
stay_days as (
    select
        s.app_id,
        s.user_id,
        cast(s.local_start as date) as local_on,
        coalesce(sum(s.seconds) filter (where s.significance = 'work'), 0) as work_seconds,
        coalesce(sum(s.seconds) filter (where s.significance not in ('home', 'work')), 0) as free_seconds,
        coalesce(sum(s.seconds) filter (where s.is_education), 0) as education_seconds
    from stays as s
    group by
        s.app_id,
        s.user_id,
        cast(s.local_start as date)
),
stay_facts as (
    select
        s.app_id,
        s.user_id,
        sum(s.work_seconds) as work_seconds,
        sum(s.free_seconds) as free_seconds,
        sum(s.education_seconds) as education_seconds,
        count(*) filter (where s.education_seconds >= 3600) as education_days
    from stay_days as s
    group by
        s.app_id,
        s.user_id
),
presences as (
    select
        s.app_id,
        s.user_id,
        s.local_start,
        s.local_end,
        s.significance,
        unnest(
            generate_series(date_trunc('day', s.local_from), date_trunc('day', s.local_end), interval 1 day)
        ) as midnight
    from stays as s
    where s.significance in ('home', 'work')
),
local_days as (
    select
        n.app_id,
        n.user_id,
        n.midnight,
        bool_or(n.significance = 'work') as is_work,
        bool_or(
            n.significance = 'work'
            and n.local_start <= n.midnight + interval 20 hours
            and n.local_end > n.midnight + interval 20 hours
        ) as is_late,
        bool_or(
            n.significance = 'work'
            and n.local_start <= n.midnight + interval 2 hours
            and n.local_end > n.midnight + interval 2 hours
        ) as is_night,
        -- Time at home between 09:00 and 17:00.
        coalesce(
            sum(
                greatest(
                    0,
                    date_diff(
                        'second',
                        greatest(n.local_start, n.midnight + interval 9 hours),
                        least(n.local_end, n.midnight + interval 17 hours)
                    )
                )
            ) filter (where n.significance = 'home'),
            0
        ) as office_seconds_at_home
    from presences as n
    group by
        n.app_id,
        n.user_id,
        n.midnight
),
day_facts as (
    select
        n.app_id,
        n.user_id,
        count(*) filter (where n.is_work) as work_days,
        count(*) filter (where n.is_late) as late_days,
        count(*) filter (where n.is_night) as night_days,
        count(*) filter (where n.is_work and isodow(n.midnight) > 5) as weekend_days,
        count(*) filter (
            where n.office_seconds_at_home >= 21600 and isodow(n.midnight) <= 5 and not n.is_work
        ) as office_days_at_home
    from local_days as n
    group by
        n.app_id,
        n.user_id
),
trip_facts as (
    select
        t.app_id,
        t.user_id,
        count(distinct cast(t.local_start as date)) as travel_days
    from {{ source('mobility_layers', 'trips') }} as t
    where
        t.distance >= 30000
        and (
            (t.from_significance = 'work' and coalesce(t.to_significance, '') not in ('home', 'work'))
            or (t.to_significance = 'work' and coalesce(t.from_significance, '') not in ('home', 'work'))
        )
    group by
        t.app_id,
        t.user_id
),
facts as (
    select
        p.app_id,
        p.user_id,
        p.data_days,
        p.weekdays,
        w.user_id is not null as has_work,
        w.city_type,
        coalesce(s.work_seconds, 0) as work_seconds,
        coalesce(s.free_seconds, 0) as free_seconds,
        coalesce(s.education_seconds, 0) as education_seconds,
        coalesce(s.education_days, 0) as education_days,
        coalesce(n.work_days, 0) as work_days,
        coalesce(n.late_days, 0) as late_days,
        coalesce(n.night_days, 0) as night_days,
        coalesce(n.weekend_days, 0) as weekend_days,
        coalesce(n.office_days_at_home, 0) as office_days_at_home,
        coalesce(t.travel_days, 0) as travel_days
    from {{ ref('segment_people') }} as p
    left join works as w
        on w.app_id = p.app_id
        and w.user_id = p.user_id
    left join stay_facts as s
        on s.app_id = p.app_id
        and s.user_id = p.user_id
    left join day_facts as n
        on n.app_id = p.app_id
        and n.user_id = p.user_id
    left join trip_facts as t
        on t.app_id = p.app_id
        and t.user_id = p.user_id
),
given as (
    select
        f.app_id,
        f.user_id,
        unnest([
            case
                when city_type in ('big_city', 'city') then 'work_life.work.city_worker'
                when city_type = 'town' then 'work_life.work.town_worker'
                when city_type = 'rural' then 'work_life.work.rural_worker'
            end,
            case
                when work_seconds * 7 >= data_days * 30 * 3600 then 'work_life.work.fulltime_worker'
                when work_seconds * 7 >= data_days * 8 * 3600 then 'work_life.work.parttime_worker'
            end,
            case when work_seconds * 7 >= data_days * 50 * 3600 then 'work_life.work.workaholic' end,
            case when work_days > 0 and late_days * 4 >= work_days then 'work_life.work.late_worker' end,
            case when night_days * 7 >= data_days then 'work_life.work.nightworker' end,
            -- Who works at night sleeps at home by day.
            case
                when
                    has_work
                    and weekdays > 0
                    and office_days_at_home * 5 >= weekdays * 2
                    and night_days * 7 < data_days
                    then 'work_life.work.homeworker'
            end,
            case when education_days * 7 >= data_days * 2 and education_seconds * 7 >= data_days * 8 * 3600
                then 'work_life.work.student' end,
            case when travel_days * 14 >= data_days then 'work_life.work.work_traveller' end,
            case
                when
                    work_seconds * 7 >= data_days * 20 * 3600
                    and work_seconds * 7 <= data_days * 45 * 3600
                    and free_seconds * 7 >= data_days * 5 * 3600
                    and weekend_days * 14 <= data_days
                    then 'work_life.home.work_life_balance'
            end
        ]) as segment_id
    from facts as f
)
select
    user_id,
    cast(segment_id as varchar) as segment_id,
    app_id
from given
where segment_id is not null
