-- One row per way between home and work, either direction, of active users. Stays of 15 minutes elsewhere and waiting
-- up to 30 minutes at a stop do not end a way; 3 hours without arriving do.
with steps as (
    select
        v.app_id,
        v.user_id,
        v.started_at,
        v.until_at as ended_at,
        1 as is_visit,
        v.significance,
        '' as mode,
        0 as distance
    from {{ source('mobility_layers', 'visits') }} as v
    join {{ ref('segment_people') }} as p
        on p.app_id = v.app_id
        and p.user_id = v.user_id
    where
        v.significance in ('home', 'work')
        or v.seconds > case when list_has_any(v.venue_types, ['publictransport']) then 1800 else 900 end
    union all
    select
        t.app_id,
        t.user_id,
        t.started_at,
        t.ended_at,
        0 as is_visit,
        '' as significance,
        t.mode,
        t.distance
    from {{ source('mobility_layers', 'trips') }} as t
    join {{ ref('segment_people') }} as p
        on p.app_id = t.app_id
        and p.user_id = t.user_id
),
numbered as (
    select
        s.app_id,
        s.user_id,
        s.started_at,
        s.ended_at,
        s.is_visit,
        s.significance,
        s.mode,
        s.distance,
        sum(s.is_visit) over (
            partition by s.app_id, s.user_id
            order by s.started_at, s.is_visit desc, s.ended_at
            rows between unbounded preceding and current row
        ) as visit_number
    from steps as s
),
ways as (
    select
        n.app_id,
        n.user_id,
        n.visit_number,
        min(n.started_at) as came_at,
        max(n.ended_at) filter (where n.is_visit = 1) as left_at,
        max(n.significance) as origin,
        count(*) filter (where n.is_visit = 0) as legs,
        coalesce(sum(n.distance), 0) as distance,
        coalesce(
            sum(n.distance) filter (where n.mode in ('walking', 'running', 'biking', 'train', 'bus', 'tram')), 0
        ) as green_distance,
        count(*) filter (where n.mode in ('train', 'bus', 'tram')) as public_legs
    from numbered as n
    where n.visit_number > 0
    group by
        n.app_id,
        n.user_id,
        n.visit_number
),
arrivals as (
    select
        w.app_id,
        w.user_id,
        w.left_at,
        w.origin,
        w.legs,
        w.distance,
        w.green_distance,
        w.public_legs,
        lead(w.origin) over (partition by w.app_id, w.user_id order by w.visit_number) as destination,
        lead(w.came_at) over (partition by w.app_id, w.user_id order by w.visit_number) as arrived_at
    from ways as w
)
select
    user_id,
    cast(left_at as timestamp) as started_at,
    cast(origin as varchar) as origin,
    cast(date_diff('second', left_at, arrived_at) as bigint) as seconds,
    cast(distance as bigint) as distance,
    cast(green_distance as bigint) as green_distance,
    cast(public_legs as bigint) as public_legs,
    app_id
from arrivals
where
    ((origin = 'home' and destination = 'work') or (origin = 'work' and destination = 'home'))
    and legs > 0
    and arrived_at - left_at <= interval 3 hours
