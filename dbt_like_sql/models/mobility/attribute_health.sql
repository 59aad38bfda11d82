-- One row per active user: time of moving by one's own force and at sport, and scores that compare it with a norm.
{% set periods = [('', 'nine_weeks', 0, 62), ('.last_week', 'last_week', 7, 13), ('.week', 'week', 0, 6)] %}
with spans as (
    select
        app_id,
        user_id,
        days_ago,
        seconds as travel,
        if(mode = 'walking', seconds, 0) as walking,
        if(mode = 'biking', seconds, 0) as biking,
        if(mode in ('walking', 'running', 'biking'), seconds, 0) as healthy,
        0 as sport,
        0 as social
    from {{ ref('attribute_trips') }}
    union all
    select
        app_id,
        user_id,
        days_ago,
        0 as travel,
        0 as walking,
        0 as biking,
        0 as healthy,
        if(contains(venue_types, '|sport|'), seconds, 0) as sport,
        if(
            contains(venue_types, '|drinks|')
            or contains(venue_types, '|restaurant|')
            or contains(venue_types, '|culture|')
            or contains(venue_types, '|leisure|')
            or contains(venue_types, '|sport|'),
            seconds,
            0
        ) as social
    from {{ ref('attribute_stays') }}
    where coalesce(significance, '') not in ('home', 'work')
),

totals as (
    select
        app_id,
        user_id,
        {% for suffix, period, first, last in periods %}
        {% for measure in ['travel', 'walking', 'biking', 'healthy', 'sport', 'social'] %}
        coalesce(sum({{ measure }}) filter (where days_ago between {{ first }} and {{ last }}), 0)
            as {{ measure }}_{{ period }},
        {% endfor %}
        {% endfor %}
        count(*) as spans
    from spans
    group by app_id, user_id
)

select
    cast(totals.user_id as varchar) as user_id,
    {% for suffix, period, first, last in periods %}
    -- 150 minutes a week are what the WHO asks of adults at least.
    cast(
        round(
            least(1, (totals.healthy_{{ period }} + totals.sport_{{ period }}) * 7 / nullif(days.{{ period }} * 9000, 0)),
            4
        ) as double
    ) as "health.activity.score{{ suffix }}.value",
    cast(totals.biking_{{ period }} as double) as "health.biking.total{{ suffix }}.value",
    cast(round(totals.healthy_{{ period }} / nullif(totals.travel_{{ period }}, 0), 4) as double)
        as "health.mobility.score{{ suffix }}.value",
    cast(
        round(least(1, totals.social_{{ period }} * 7 / nullif(days.{{ period }} * 36000, 0)), 4) as double
    ) as "health.social.score{{ suffix }}.value",
    cast(totals.sport_{{ period }} as double) as "health.sport.total{{ suffix }}.value",
    cast(totals.walking_{{ period }} as double) as "health.walking.total{{ suffix }}.value",
    {% endfor %}
    cast(totals.healthy_week + totals.sport_week as double) as "healthy.activity.time.week.value",
    cast(totals.app_id as varchar) as app_id
from totals
inner join {{ ref('attribute_days') }} as days
    on days.app_id = totals.app_id
    and days.user_id = totals.user_id
