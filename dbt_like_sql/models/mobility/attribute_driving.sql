-- One row per active user with drives in the nine weeks: scores, distance and time by the week before the end of the
-- data day, and by what came before (past). A drive that said too little (-1) counts in no score. Drives tell
-- motorways, residential roads (named city) and all others (noncity) apart; in what kind of city a residential road is
-- says the trip that is the drive, by its middle.
{% set scores = [
    ('aggr', 'smooth'), ('aggr_v2', 'aggr_v2'), ('anti', 'anticipative'), ('anti_v2', 'anti_v2'),
    ('hard_accel', 'hard_accel'), ('hard_brake', 'hard_brake'), ('hard_events', 'hard_events'), ('hard_turn', 'hard_turn'),
    ('legal', 'legal'), ('legal_v2', 'legal_v2'), ('phone', 'attention')
] %}
{% set overall = ['focus', 'mounted'] %}
{% set zones = [
    ('all', 'distance'), ('motorway', 'motorway_metres'), ('non_motorway-city', 'city_metres'),
    ('non_motorway-non_city', 'noncity_metres')
] %}
{% set times = [
    ('all', 'seconds'), ('motorway', 'motorway_seconds'), ('non_motorway-city', 'city_seconds'),
    ('non_motorway-non_city', 'noncity_seconds')
] %}
{% set periods = [('', 'is_week'), ('past.', 'not is_week')] %}
{% set measures = [
    'distance', 'motorway_metres', 'city_metres', 'noncity_metres', 'seconds', 'motorway_seconds', 'city_seconds',
    'noncity_seconds'
] %}
with drives as (
    select
        drives.app_id,
        drives.user_id,
        drives.ended_at > day.until - interval 7 days as is_week,
        drives.has_sensors as is_used,
        coalesce(drives.distance, 0) as distance,
        epoch_us(drives.ended_at - drives.started_at) // 1000000 as seconds,
        coalesce(drives.motorway_metres, 0) as motorway_metres,
        coalesce(drives.city_metres, 0) as city_metres,
        coalesce(drives.noncity_metres, 0) as noncity_metres,
        coalesce(drives.motorway_seconds, 0) as motorway_seconds,
        coalesce(drives.city_seconds, 0) as city_seconds,
        coalesce(drives.noncity_seconds, 0) as noncity_seconds,
        if(trips.city_type in ('big_city', 'city'), coalesce(drives.city_seconds, 0), 0) as in_city_seconds,
        if(trips.city_type in ('town', 'rural'), coalesce(drives.city_seconds, 0), 0) as outside_seconds,
        {% for name, column in scores %}
        nullif(drives.{{ column }}, -1) as {{ column }},
        {% endfor %}
        {% for column in overall %}
        nullif(drives.{{ column }}, -1) as {{ column }}{% if not loop.last %},{% endif %}

        {% endfor %}
    from {{ ref('drives_newest') }} as drives
    inner join {{ ref('active_users') }} as users
        on users.app_id = drives.app_id
        and users.user_id = drives.user_id
    left join {{ source('mobility_layers', 'trips') }} as trips
        on trips.app_id = drives.app_id
        and trips.user_id = drives.user_id
        and trips.event_id = drives.event_id
    cross join {{ source('mobility_layers', 'day') }} as day
    where drives.ended_at > day.window_start
        and drives.ended_at <= day.until
        and drives.processed_at < day.until
),

-- Sums of decimals and of whole numbers, so that their order does not matter.
totals as (
    select
        app_id,
        user_id,
        is_week,
        {% for name, column in scores %}
        {% for zone, metres in zones %}
        sum({{ column }} * {{ metres }})
        / nullif(sum({{ metres }}) filter (where {{ column }} is not null), 0) as {{ column }}_{{ metres }},
        {% endfor %}
        sum({{ column }}) / nullif(count({{ column }}), 0) as {{ column }}_plain,
        {% endfor %}
        {% for column in overall %}
        sum({{ column }} * distance)
        / nullif(sum(distance) filter (where {{ column }} is not null), 0) as {{ column }}_distance,
        {% endfor %}
        sum(in_city_seconds) as in_city_seconds,
        sum(outside_seconds) as outside_seconds,
        -- The seconds of mapped roads may add up to more than the drive took.
        greatest(sum(seconds), sum(motorway_seconds + city_seconds + noncity_seconds)) as zone_seconds,
        {% for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        sum({{ measure }}) filter (where is_used) as {{ measure }}_used{% if not loop.last %},{% endif %}

        {% endfor %}
    from drives
    group by app_id, user_id, is_week
)

select
    cast(user_id as varchar) as user_id,
    {% for past, period in periods %}
    {% for name, column in scores %}
    {% for zone, metres in zones %}
    cast(round(max({{ column }}_{{ metres }}) filter (where {{ period }}), 4) as double)
        as "tr.car.bhvr.{{ past }}{{ name }}.{{ zone }}.value",
    {% endfor %}
    cast(round(max({{ column }}_plain) filter (where {{ period }}), 4) as double)
        as "tr.car.bhvr.{{ past }}{{ name }}.total.value",
    {% endfor %}
    {% for column in overall %}
    cast(round(max({{ column }}_distance) filter (where {{ period }}), 4) as double)
        as "tr.car.bhvr.{{ past }}{{ column }}.all.value",
    {% endfor %}
    {% for kind, measures_by_zone in [('dist', zones), ('time', times)] %}
    {% for zone, measure in measures_by_zone %}
    cast(max({{ measure }}) filter (where {{ period }}) as double) as "tr.car.bhvr.{{ kind }}.{{ past }}{{ zone }}.value",
    cast(max({{ measure }}_used) filter (where {{ period }}) as double)
        as "tr.car.bhvr.{{ kind }}_used.{{ past }}{{ zone }}.value",
    {% endfor %}
    {% endfor %}
    {% endfor %}
    {% for zone, share in [
        ('motorway', 'motorway_seconds'),
        ('perc.total', 'motorway_seconds + in_city_seconds + outside_seconds + noncity_seconds'),
        ('residential-city', 'in_city_seconds'),
        ('residential-non_city', 'outside_seconds'),
        ('road', 'noncity_seconds'),
        ('unknown', 'zone_seconds - motorway_seconds - in_city_seconds - outside_seconds - noncity_seconds')
    ] %}
    cast(round(sum({{ share }}) / nullif(sum(zone_seconds), 0), 4) as double)
        as "transport.car.zone.{{ zone }}{{ '' if zone == 'perc.total' else '.perc' }}.value",
    {% endfor %}
    cast(app_id as varchar) as app_id
from totals
group by app_id, user_id
