-- One row per user with commutes: how the user gets to work and back.
{% set modes = [
    ('biking', 'biking'), ('bus', 'bus'), ('car', 'car'), ('running', 'running'), ('train', 'train'), ('tram', 'tram'),
    ('unknown', 'insufficient_data'), ('walking', 'walking')
] %}
with legs as (
    select
        app_id,
        user_id,
        event_id,
        local_start,
        days_ago,
        mode,
        distance,
        seconds,
        commute_to,
        is_departure,
        (epoch_us(local_start) - epoch_us(on_date)) // 1000000 as start_second
    from {{ ref('attribute_trips') }}
    where commute_to is not null
),

numbered as (
    -- Legs from one departure to the next are one commute.
    select
        app_id,
        user_id,
        distance,
        seconds,
        sum(if(is_departure, 1, 0)) over (partition by app_id, user_id order by local_start, event_id) as commute
    from legs
),

commutes as (
    select
        app_id,
        user_id,
        commute,
        sum(distance) as distance,
        sum(seconds) as seconds
    from numbered
    group by app_id, user_id, commute
),

means as (
    select
        app_id,
        user_id,
        avg(distance) as distance,
        avg(seconds) as duration
    from commutes
    group by app_id, user_id
),

totals as (
    select
        app_id,
        user_id,
        {% for name, mode in modes %}
        coalesce(sum(seconds) filter (where mode = '{{ mode }}'), 0) as {{ name }}_seconds,
        coalesce(sum(distance) filter (where mode = '{{ mode }}'), 0) as {{ name }}_distance,
        {% endfor %}
        sum(seconds) as seconds,
        sum(distance) as distance,
        sum(seconds) filter (where days_ago < 7) as seconds_week,
        sum(seconds) filter (where mode in ('walking', 'running', 'biking') and days_ago < 7) as healthy_week,
        sum(seconds) filter (
            where mode not in ('walking', 'running', 'biking', 'insufficient_data') and days_ago < 7
        ) as unhealthy_week,
        avg(start_second) filter (where is_departure and commute_to = 'work') as to_work,
        avg(start_second) filter (where is_departure and commute_to = 'home') as to_home
    from legs
    group by app_id, user_id
),

travel as (
    select
        app_id,
        user_id,
        sum(seconds) as seconds,
        sum(distance) as distance
    from {{ ref('attribute_trips') }}
    group by app_id, user_id
)

select
    cast(totals.user_id as varchar) as user_id,
    {% for name, mode in modes %}
    cast(round(totals.{{ name }}_seconds / nullif(totals.seconds, 0), 4) as double)
        as "transport.commute.{{ name }}.perc.value",
    cast(round(totals.{{ name }}_distance / nullif(totals.distance, 0), 4) as double)
        as "transport.commute.distance.{{ name }}.perc.value",
    {% endfor %}
    cast(round(means.distance, 4) as double) as "transport.commute.distance.value",
    cast(round(totals.distance / nullif(travel.distance, 0), 4) as double)
        as "transport.commute.distance.perc.total.value",
    cast(round(means.duration, 4) as double) as "transport.commute.duration.value",
    cast(totals.healthy_week as double) as "transport.commute.healthy.time.week.value",
    cast(round(totals.to_work / 3600, 4) as double) as "transport.commute.home.work.start.value",
    cast(round(totals.seconds / nullif(travel.seconds, 0), 4) as double) as "transport.commute.perc.total.value",
    cast(totals.seconds_week as double) as "transport.commute.time.week.value",
    cast(totals.unhealthy_week as double) as "transport.commute.unhealthy.time.week.value",
    cast(round(totals.to_home / 3600, 4) as double) as "transport.commute.work.home.start.value",
    cast(totals.app_id as varchar) as app_id
from totals
inner join means
    on means.app_id = totals.app_id
    and means.user_id = totals.user_id
inner join travel
    on travel.app_id = totals.app_id
    and travel.user_id = totals.user_id
