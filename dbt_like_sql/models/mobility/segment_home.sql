-- One row per active user and segment of home and family. The home of a user is the home place with most time.
with homes as (
    select
        p.app_id,
        p.user_id,
        p.city_type
    from {{ source('mobility_layers', 'places') }} as p
    where p.significance = 'home'
    qualify row_number() over (partition by p.app_id, p.user_id order by p.seconds desc, p.place_id) = 1
),
stays as (
    select
        p.app_id,
        p.user_id,
        v.local_start,
        greatest(v.local_start, v.local_end - interval 1 microsecond) as local_end,
        greatest(v.local_start, d.window_start) as local_from,
        -- A stay that began before the window counts from the window's start.
        least(v.seconds, date_diff('second', d.window_start, v.until_at)) as seconds,
        coalesce(v.significance, '') = 'home' as is_home,
        coalesce(v.significance, '') = 'work' as is_work,
        v.place_id,
        v.venue_types,
        -- As in social_activity.
        case
            when
                coalesce(v.significance, '') not in ('home', 'work')
                and list_has_any(
                    v.venue_types,
                    ['drinks', 'restaurant', 'resto', 'culture', 'leisure', 'sport', 'religion', 'residential']
                )
                then v.seconds
            else 0
        end as social_seconds,
        coalesce(v.significance, '') not in ('home', 'work')
        and (
            list_has_any(v.venue_types, ['bar', 'pub', 'biergarten'])
            or (
                -- Twenty minutes or more between 18:00 and 04:00 that are no shopping.
                not list_has_any(v.venue_types, ['shop'])
                and least(v.local_end, date_trunc('day', v.local_start - interval 4 hours) + interval 28 hours)
                - greatest(v.local_start, date_trunc('day', v.local_start - interval 4 hours) + interval 18 hours)
                >= interval 20 minutes
            )
        ) as is_out
    from {{ ref('segment_people') }} as p
    join {{ source('mobility_layers', 'visits') }} as v
        on v.app_id = p.app_id
        and v.user_id = p.user_id
    cross join {{ source('mobility_layers', 'day') }} as d
),
presences as (
    select
        s.app_id,
        s.user_id,
        s.local_start,
        s.local_end,
        s.is_home,
        unnest(
            generate_series(date_trunc('day', s.local_from), date_trunc('day', s.local_end), interval 1 day)
        ) as midnight
    from stays as s
),
home_days as (
    select
        n.app_id,
        n.user_id,
        n.midnight,
        bool_and(n.is_home) as is_home_only,
        -- The night before this morning, from 21:00 to noon, of the stay at home that holds 03:00.
        max(
            date_diff(
                'second',
                greatest(n.local_start, n.midnight - interval 3 hours),
                least(n.local_end, n.midnight + interval 12 hours)
            )
        ) filter (
            where
                n.is_home
                and n.local_start <= n.midnight + interval 3 hours
                and n.local_end > n.midnight + interval 3 hours
        ) as night_seconds
    from presences as n
    group by
        n.app_id,
        n.user_id,
        n.midnight
),
nights as (
    select
        h.app_id,
        h.user_id,
        count(*) filter (where h.is_home_only) as home_only_days,
        count(h.night_seconds) as nights,
        coalesce(sum(h.night_seconds), 0) as night_seconds
    from home_days as h
    group by
        h.app_id,
        h.user_id
),
-- Schools that a user stops at again and again: who delivers all over town stops at many, now and then.
schools as (
    select
        s.app_id,
        s.user_id,
        s.place_id
    from stays as s
    join {{ ref('segment_people') }} as p
        on p.app_id = s.app_id
        and p.user_id = s.user_id
    where
        list_has_any(s.venue_types, ['school', 'kindergarten', 'childcare'])
        and not s.is_work
        and s.seconds <= 1200
        and isodow(s.local_start) <= 5
    group by
        s.app_id,
        s.user_id,
        s.place_id,
        p.weekdays
    having count(distinct cast(s.local_start as date)) * 5 >= p.weekdays
),
stay_days as (
    select
        s.app_id,
        s.user_id,
        cast(s.local_start as date) as local_on,
        sum(s.seconds) as seconds,
        coalesce(sum(s.seconds) filter (where s.is_home), 0) as home_seconds,
        bool_or(list_has_any(s.venue_types, ['animals', 'petshop', 'veterinary']) and not s.is_work) as animals,
        bool_or(list_has_any(s.venue_types, ['diy', 'hardware', 'gardencentre']) and not s.is_work) as diy,
        sum(s.social_seconds) as social_seconds,
        bool_or(s.is_out) as is_out,
        bool_or(r.place_id is not null and s.seconds <= 1200 and isodow(s.local_start) <= 5) as school
    from stays as s
    left join schools as r
        on r.app_id = s.app_id
        and r.user_id = s.user_id
        and r.place_id = s.place_id
    group by
        s.app_id,
        s.user_id,
        cast(s.local_start as date)
),
stay_facts as (
    select
        s.app_id,
        s.user_id,
        sum(s.seconds) as seconds,
        sum(s.home_seconds) as home_seconds,
        count(*) filter (where s.animals) as animals_days,
        count(*) filter (where s.diy) as diy_days,
        count(*) filter (where s.school) as school_days,
        count(*) filter (where s.is_out) as out_days,
        sum(s.social_seconds) as social_seconds
    from stay_days as s
    group by
        s.app_id,
        s.user_id
),
trip_facts as (
    select
        t.app_id,
        t.user_id,
        sum(t.seconds) as seconds,
        count(distinct cast(t.local_start as date)) filter (
            where
                isodow(t.local_start) <= 5
                and cast(t.local_start as time) >= time '04:00:00'
                and cast(t.local_start as time) < time '07:30:00'
        ) as early_days,
        count(distinct cast(t.local_end as date)) filter (
            where cast(t.local_end as time) < time '04:00:00'
        ) as late_days
    from {{ source('mobility_layers', 'trips') }} as t
    group by
        t.app_id,
        t.user_id
),
-- Days from Monday to Friday of somebody who drives for a living: eight ways by car, or four hours.
drive_days as (
    select
        t.app_id,
        t.user_id,
        cast(t.local_start as date) as local_on
    from {{ source('mobility_layers', 'trips') }} as t
    where
        t.mode = 'car'
        and isodow(t.local_start) <= 5
    group by
        t.app_id,
        t.user_id,
        cast(t.local_start as date)
    having count(*) >= 8 or sum(t.seconds) >= 14400
),
drive_facts as (
    select
        g.app_id,
        g.user_id,
        count(*) as drive_days
    from drive_days as g
    group by
        g.app_id,
        g.user_id
),
dog_facts as (
    select
        m.app_id,
        m.user_id,
        count(distinct cast(m.local_start as date)) as dog_days
    from {{ ref('moment_rows') }} as m
    where m.moment_definition_id = 'dogwalk'
    group by
        m.app_id,
        m.user_id
),
facts as (
    select
        p.app_id,
        p.user_id,
        p.data_days,
        p.weekdays,
        h.city_type,
        coalesce(s.seconds, 0) + coalesce(t.seconds, 0) as seconds,
        coalesce(s.home_seconds, 0) as home_seconds,
        coalesce(s.animals_days, 0) as animals_days,
        coalesce(s.diy_days, 0) as diy_days,
        coalesce(s.school_days, 0) as school_days,
        coalesce(s.out_days, 0) as out_days,
        coalesce(s.social_seconds, 0) as social_seconds,
        coalesce(g.drive_days, 0) as drive_days,
        coalesce(n.home_only_days, 0) as home_only_days,
        coalesce(n.nights, 0) as nights,
        coalesce(n.night_seconds, 0) as night_seconds,
        coalesce(t.early_days, 0) as early_days,
        coalesce(t.late_days, 0) as late_days,
        coalesce(w.dog_days, 0) as dog_days
    from {{ ref('segment_people') }} as p
    left join homes as h
        on h.app_id = p.app_id
        and h.user_id = p.user_id
    left join stay_facts as s
        on s.app_id = p.app_id
        and s.user_id = p.user_id
    left join nights as n
        on n.app_id = p.app_id
        and n.user_id = p.user_id
    left join trip_facts as t
        on t.app_id = p.app_id
        and t.user_id = p.user_id
    left join drive_facts as g
        on g.app_id = p.app_id
        and g.user_id = p.user_id
    left join dog_facts as w
        on w.app_id = p.app_id
        and w.user_id = p.user_id
),
given as (
    select
        f.app_id,
        f.user_id,
        unnest([
            case
                when city_type in ('big_city', 'city') then 'work_life.home.city_home'
                when city_type = 'town' then 'work_life.home.town_home'
                when city_type = 'rural' then 'work_life.home.rural_home'
            end,
            case when weekdays > 0 and early_days * 2 >= weekdays then 'work_life.home.early_bird' end,
            case when late_days * 7 >= data_days then 'work_life.home.night_owl' end,
            case when nights >= 10 and night_seconds < nights * 6 * 3600 then 'work_life.home.sleep_deprived' end,
            case
                when
                    home_seconds > 0
                    and home_seconds * 100 >= seconds * 80
                    and out_days * 7 < data_days
                    and social_seconds * 7 < data_days * 8 * 3600
                    then 'work_life.home.homebody'
            end,
            case when home_only_days * 2 >= data_days then 'work_life.home.home_bound' end,
            case when dog_days * 2 >= data_days then 'work_life.home.dog_walker' end,
            case when dog_days * 2 >= data_days or (animals_days >= 2 and animals_days * 31 >= data_days)
                then 'work_life.home.pet_owner' end,
            case when diy_days * 21 >= data_days then 'work_life.home.do_it_yourselver' end,
            case
                when weekdays > 0 and school_days * 5 >= weekdays * 2 and drive_days * 5 < weekdays * 2
                    then 'work_life.family.uber_parent'
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
