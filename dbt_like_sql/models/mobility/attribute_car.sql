-- One row per user with car trips: how the time by car divides, by where, how far, how long and when.
{% set groups = [
    ('context', ['big_city', 'city', 'rural', 'town', 'unknown']),
    ('distance', ['long', 'medium', 'short', 'very_long']),
    ('duration', ['long', 'medium', 'short', 'very_long']),
    ('tod', ['after_noon', 'evening', 'morning', 'night', 'noon']),
    ('week', ['weekend', 'workweek'])
] %}
with trips as (
    select
        app_id,
        user_id,
        seconds,
        city_type as context,
        case
            when distance < 5000 then 'short'
            when distance < 20000 then 'medium'
            when distance < 100000 then 'long'
            else 'very_long'
        end as distance,
        case
            when seconds < 900 then 'short'
            when seconds < 2700 then 'medium'
            when seconds < 7200 then 'long'
            else 'very_long'
        end as duration,
        case
            when hour(local_start) < 6 then 'night'
            when hour(local_start) < 11 then 'morning'
            when hour(local_start) < 14 then 'noon'
            when hour(local_start) < 18 then 'after_noon'
            when hour(local_start) < 22 then 'evening'
            else 'night'
        end as tod,
        if(weekday < 5, 'workweek', 'weekend') as week
    from {{ ref('attribute_trips') }}
    where mode = 'car'
),

totals as (
    select
        app_id,
        user_id,
        {% for field, values in groups %}
        {% for value in values %}
        coalesce(sum(seconds) filter (where {{ field }} = '{{ value }}'), 0) as {{ field }}_{{ value }},
        {% endfor %}
        {% endfor %}
        nullif(sum(seconds), 0) as seconds
    from trips
    group by app_id, user_id
)

select
    cast(user_id as varchar) as user_id,
    {% for field, values in groups %}
    {% for value in values %}
    cast(round({{ field }}_{{ value }} / seconds, 4) as double) as "transport.car.{{ field }}.{{ value }}.perc.value",
    {% endfor %}
    cast(
        round((
            {% for value in values if value != 'unknown' %}
            {{ field }}_{{ value }}{% if not loop.last %} +{% endif %}

            {% endfor %}
        ) / seconds, 4) as double
    ) as "transport.car.{{ field }}.perc.total.value",
    {% endfor %}
    cast(app_id as varchar) as app_id
from totals
