-- One row per active user and kind of day: when the parts of the user's day start, in minutes since local midnight (a
-- night may start after 1440). Each is the median of what the user does, rounded to quarters of an hour and kept within
-- bounds; where fewer days than a kind needs tell it, it is the hour of the kind.
with kinds as (
    select
        false as is_weekend,
        10 as least_days,
        360 as morning,
        600 as late_morning,
        720 as lunch,
        1020 as early_evening,
        1380 as night
    union all
    select
        true as is_weekend,
        4 as least_days,
        480 as morning,
        630 as late_morning,
        750 as lunch,
        1020 as early_evening,
        1410 as night
),

-- The first time in the morning that the user leaves home.
leavings as (
    select
        trips.app_id,
        trips.user_id,
        cast(trips.local_start as date) as day,
        min(date_part('hour', trips.local_start) * 60 + date_part('minute', trips.local_start)) as minutes
    from {{ source('mobility_layers', 'trips') }} as trips
    where trips.from_significance = 'home'
        and date_part('hour', trips.local_start) between 4 and 12
    group by trips.app_id, trips.user_id, cast(trips.local_start as date)
),

-- The first meal outside around noon.
lunches as (
    select
        visits.app_id,
        visits.user_id,
        cast(visits.local_start as date) as day,
        min(date_part('hour', visits.local_start) * 60 + date_part('minute', visits.local_start)) as minutes
    from {{ source('mobility_layers', 'visits') }} as visits
    where list_has_any(visits.venue_types, ['restaurant', 'cafe'])
        and date_part('hour', visits.local_start) between 11 and 13
    group by visits.app_id, visits.user_id, cast(visits.local_start as date)
),

-- The last time in the afternoon that the user leaves work.
offs as (
    select
        visits.app_id,
        visits.user_id,
        cast(visits.local_end as date) as day,
        max(date_part('hour', visits.local_end) * 60 + date_part('minute', visits.local_end)) as minutes
    from {{ source('mobility_layers', 'visits') }} as visits
    where visits.significance = 'work'
        and visits.ended_at is not null
        and date_part('hour', visits.local_end) between 14 and 19
    group by visits.app_id, visits.user_id, cast(visits.local_end as date)
),

-- The last time in the evening that the user comes home; up to 05:00 it is still the evening of the day before.
returns as (
    select
        visits.app_id,
        visits.user_id,
        cast(visits.local_start - interval 5 hours as date) as day,
        max(
            date_part('hour', visits.local_start - interval 5 hours) * 60
                + date_part('minute', visits.local_start)
                + 300
        ) as minutes
    from {{ source('mobility_layers', 'visits') }} as visits
    where visits.significance = 'home'
        and date_part('hour', visits.local_start - interval 5 hours) >= 12
    group by visits.app_id, visits.user_id, cast(visits.local_start - interval 5 hours as date)
),

habits as (
    select leavings.app_id, leavings.user_id, leavings.day, leavings.minutes, 'leave' as habit from leavings
    union all
    select lunches.app_id, lunches.user_id, lunches.day, lunches.minutes, 'lunch' as habit from lunches
    union all
    select offs.app_id, offs.user_id, offs.day, offs.minutes, 'knock_off' as habit from offs
    union all
    select returns.app_id, returns.user_id, returns.day, returns.minutes, 'return' as habit from returns
),

medians as (
    select
        habits.app_id,
        habits.user_id,
        isodow(habits.day) > 5 as is_weekend,
        habits.habit,
        count(*) as days,
        quantile_disc(habits.minutes, 0.5) as minutes
    from habits
    group by habits.app_id, habits.user_id, isodow(habits.day) > 5, habits.habit
),

users as (
    select
        active.app_id,
        active.user_id,
        kinds.is_weekend,
        kinds.least_days,
        kinds.morning,
        kinds.late_morning,
        kinds.lunch,
        kinds.early_evening,
        kinds.night
    from {{ ref('active_users') }} as active
    cross join kinds
),

personal as (
    select
        users.app_id,
        users.user_id,
        users.is_weekend,
        users.late_morning,
        count(medians.habit) filter (medians.days >= users.least_days) as habits,
        coalesce(
            max(greatest(270, least(570, (medians.minutes - 45) // 15 * 15)))
                filter (medians.habit = 'leave' and medians.days >= users.least_days),
            max(users.morning)
        ) as morning_minutes,
        coalesce(
            max(greatest(690, least(810, (medians.minutes + 7) // 15 * 15)))
                filter (medians.habit = 'lunch' and medians.days >= users.least_days),
            max(users.lunch)
        ) as lunch_minutes,
        coalesce(
            max(greatest(930, least(1110, (medians.minutes + 7) // 15 * 15)))
                filter (medians.habit = 'knock_off' and medians.days >= users.least_days),
            max(users.early_evening)
        ) as early_evening_minutes,
        coalesce(
            max(greatest(1350, least(1530, (medians.minutes + 45) // 15 * 15)))
                filter (medians.habit = 'return' and medians.days >= users.least_days),
            max(users.night)
        ) as night_minutes
    from users
    left join medians
        on medians.app_id = users.app_id
        and medians.user_id = users.user_id
        and medians.is_weekend = users.is_weekend
    group by users.app_id, users.user_id, users.is_weekend, users.late_morning
)

select
    cast(personal.user_id as varchar) as user_id,
    cast(personal.is_weekend as boolean) as is_weekend,
    cast(personal.habits as integer) as habits,
    cast(personal.morning_minutes as integer) as morning_minutes,
    cast(greatest(personal.late_morning, personal.morning_minutes + 90) as integer) as late_morning_minutes,
    cast(personal.lunch_minutes as integer) as lunch_minutes,
    cast(personal.lunch_minutes + 120 as integer) as afternoon_minutes,
    cast(personal.early_evening_minutes as integer) as early_evening_minutes,
    cast(personal.early_evening_minutes + 120 as integer) as evening_minutes,
    cast(personal.night_minutes as integer) as night_minutes,
    cast(personal.app_id as varchar) as app_id
from personal
