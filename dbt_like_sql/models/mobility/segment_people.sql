-- One row per active user with any data in the window: on how many local days there is data.
with spans as (
    select
        v.app_id,
        v.user_id,
        v.local_start,
        -- A stay that ends at midnight is no data of the day that begins.
        greatest(v.local_start, v.local_end - interval 1 microsecond) as local_end
    from {{ source('mobility_layers', 'visits') }} as v
    union all
    select
        t.app_id,
        t.user_id,
        t.local_start,
        greatest(t.local_start, t.local_end - interval 1 microsecond) as local_end
    from {{ source('mobility_layers', 'trips') }} as t
),
days as (
    select
        s.app_id,
        s.user_id,
        cast(
            unnest(
                generate_series(
                    date_trunc('day', greatest(s.local_start, d.window_start)),
                    date_trunc('day', s.local_end),
                    interval 1 day
                )
            ) as date
        ) as local_on
    from spans as s
    cross join {{ source('mobility_layers', 'day') }} as d
)
select
    a.user_id as user_id,
    cast(count(distinct days.local_on) as bigint) as data_days,
    cast(count(distinct days.local_on) filter (where isodow(days.local_on) <= 5) as bigint) as weekdays,
    a.app_id as app_id
from {{ ref('active_users') }} as a
join days
    on days.app_id = a.app_id
    and days.user_id = a.user_id
group by
    a.app_id,
    a.user_id
