-- One row per user with trips: how long, how far and how often the user travels, by mode.
{% set modes = [
    ('biking', 'biking'), ('bus', 'bus'), ('car', 'car'), ('flight', 'flight'), ('running', 'running'), ('train', 'train'),
    ('tram', 'tram'), ('unknown', 'insufficient_data'), ('walking', 'walking')
] %}
with trips as (
    select
        app_id,
        user_id,
        days_ago,
        mode,
        distance,
        seconds,
        mode in ('walking', 'running', 'biking') as is_healthy,
        -- Business hours are 09:00 to 17:00 from Monday to Friday.
        if(
            weekday < 5,
            greatest(
                0,
                least(epoch_us(local_end) - epoch_us(on_date), 61200000000)
                - greatest(epoch_us(local_start) - epoch_us(on_date), 32400000000)
            ) // 1000000,
            0
        ) as business_seconds
    from {{ ref('attribute_trips') }}
),

daily as (
    select
        app_id,
        user_id,
        days_ago,
        sum(business_seconds) as business,
        sum(seconds) filter (where mode = 'walking') as walking,
        sum(seconds) filter (where mode = 'biking') as biking
    from trips
    group by app_id, user_id, days_ago
),

by_day as (
    select
        app_id,
        user_id,
        avg(business) filter (where business > 0) as business_day,
        avg(walking) as walking_day,
        avg(biking) as biking_day
    from daily
    group by app_id, user_id
),

totals as (
    select
        app_id,
        user_id,
        {% for name, mode in modes %}
        sum(seconds) filter (where mode = '{{ mode }}') as {{ name }}_seconds,
        sum(seconds) filter (where mode = '{{ mode }}' and days_ago < 7) as {{ name }}_seconds_week,
        sum(distance) filter (where mode = '{{ mode }}' and days_ago < 7) as {{ name }}_distance_week,
        {% endfor %}
        count(*) filter (where mode = 'biking' and days_ago < 7) as biking_week,
        avg(distance) filter (where mode = 'biking') as biking_distance,
        avg(seconds) filter (where mode = 'biking') as biking_duration,
        avg(distance) filter (where mode = 'walking') as walking_distance,
        avg(seconds) filter (where mode = 'walking') as walking_duration,
        count(*) filter (where mode = 'car' and days_ago < 30) as car_month,
        count(*) filter (where mode = 'flight' and days_ago < 30) as flight_month,
        count(*) filter (where is_healthy and days_ago < 7) as healthy_week,
        avg(seconds) filter (where is_healthy) as healthy_duration,
        sum(seconds) filter (where is_healthy and days_ago < 7) as healthy_seconds_week,
        sum(seconds)
            filter (where not is_healthy and mode <> 'insufficient_data' and days_ago < 7) as unhealthy_seconds_week,
        count(*) filter (where mode in ('bus', 'train', 'tram') and days_ago < 7) as public_week,
        avg(distance) as distance,
        avg(seconds) as duration,
        sum(seconds) as seconds
    from trips
    group by app_id, user_id
)

select
    cast(totals.user_id as varchar) as user_id,
    cast(totals.biking_week as double) as "transport.biking.count.week.value",
    cast(round(totals.biking_distance, 4) as double) as "transport.biking.distance.value",
    cast(round(totals.biking_duration, 4) as double) as "transport.biking.duration.value",
    {% for name, mode in modes %}
    cast(round(coalesce(totals.{{ name }}_seconds, 0) / nullif(totals.seconds, 0), 4) as double)
        as "transport.{{ name }}.perc.value",
    {% if name != 'running' %}
    cast(totals.{{ name }}_distance_week as double) as "transport.{{ name }}.distance.week.value",
    cast(totals.{{ name }}_seconds_week as double) as "transport.{{ name }}.time.week.value",
    {% endif %}
    {% endfor %}
    cast(round(by_day.business_day, 4) as double) as "transport.business_hours.time.day.value",
    cast(totals.car_month as double) as "transport.car.count.month.value",
    cast(round(totals.distance, 4) as double) as "transport.distance.value",
    cast(round(totals.duration, 4) as double) as "transport.duration.value",
    cast(totals.flight_month as double) as "transport.flight.count.month.value",
    cast(round(by_day.biking_day, 4) as double) as "transport.health.biking.duration.value",
    cast(totals.healthy_week as double) as "transport.health.count.week.value",
    cast(round(totals.healthy_duration, 4) as double) as "transport.health.duration.value",
    cast(round(by_day.walking_day, 4) as double) as "transport.health.walking.duration.value",
    cast(totals.healthy_seconds_week as double) as "transport.healthy.time.week.value",
    cast(totals.public_week as double) as "transport.public_transport.count.week.value",
    cast(totals.unhealthy_seconds_week as double) as "transport.unhealthy.time.week.value",
    cast(round(totals.walking_distance, 4) as double) as "transport.walking.distance.value",
    cast(round(totals.walking_duration, 4) as double) as "transport.walking.duration.value",
    cast(totals.app_id as varchar) as app_id
from totals
inner join by_day
    on by_day.app_id = totals.app_id
    and by_day.user_id = totals.user_id
