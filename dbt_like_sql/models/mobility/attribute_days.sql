-- One row per active user: on how many local dates something is known, and for how long, in each period.
with seen as (
    select app_id, user_id, days_ago, seconds as stay_seconds, 0 as trip_seconds from {{ ref('attribute_stays') }}
    union all
    select app_id, user_id, days_ago, 0 as stay_seconds, seconds as trip_seconds from {{ ref('attribute_trips') }}
),

counted as (
    select
        app_id,
        user_id,
        -- Bit n says that something is known of the date n days before the data day.
        bit_or(cast(1 as bigint) << days_ago) as dates,
        sum(stay_seconds) as stay_seconds,
        sum(trip_seconds) as trip_seconds
    from seen
    group by app_id, user_id
)

select
    cast(users.user_id as varchar) as user_id,
    cast(coalesce(bit_count(counted.dates), 0) as bigint) as nine_weeks,
    cast(coalesce(bit_count(counted.dates & 127), 0) as bigint) as week,
    cast(coalesce(bit_count((counted.dates >> 7) & 127), 0) as bigint) as last_week,
    cast(coalesce(bit_count(counted.dates & 1073741823), 0) as bigint) as month,
    cast(coalesce(counted.stay_seconds, 0) as bigint) as stay_seconds,
    cast(coalesce(counted.trip_seconds, 0) as bigint) as trip_seconds,
    cast(users.app_id as varchar) as app_id
from {{ ref('active_users') }} as users
left join counted
    on counted.app_id = users.app_id
    and counted.user_id = users.user_id
