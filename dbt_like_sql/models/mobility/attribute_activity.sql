-- One row per user with trips: when the days on which the user goes somewhere begin and end, local time.
-- A day goes from 04:00 to 04:00, so that the way home from a night out ends the day on which it was.
with trips as (
    select
        app_id,
        user_id,
        cast(local_start - interval 4 hours as date) as on_date,
        epoch_us(local_start - interval 4 hours)
        - epoch_us(cast(local_start - interval 4 hours as date)) as start_microseconds,
        epoch_us(local_end - interval 4 hours)
        - epoch_us(cast(local_start - interval 4 hours as date)) as end_microseconds
    from {{ ref('attribute_trips') }}
),

days as (
    select
        app_id,
        user_id,
        isodow(on_date) >= 6 as is_weekend,
        min(start_microseconds) // 1000000 as first_second,
        max(end_microseconds) // 1000000 as last_second
    from trips
    group by app_id, user_id, on_date
),

means as (
    select
        app_id,
        user_id,
        avg(first_second) filter (where not is_weekend) as first,
        avg(first_second) filter (where is_weekend) as first_weekend,
        avg(last_second) filter (where not is_weekend) as last,
        avg(last_second) filter (where is_weekend) as last_weekend
    from days
    group by app_id, user_id
)

select
    cast(user_id as varchar) as user_id,
    {% for name, mean in [
        ('first.time', 'first'), ('first.time.we', 'first_weekend'), ('last.time', 'last'), ('last.time.we', 'last_weekend')
    ] %}
    -- What rounds to midnight is 0, not 24.
    cast(round(({{ mean }} / 3600 + 4) % 24, 4) % 24 as double) as "activity.{{ name }}.value",
    {% endfor %}
    cast(app_id as varchar) as app_id
from means
