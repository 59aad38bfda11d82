-- One row per active user: counts and times of moments, and when the parts of the user's day start.
{% set parts = ['afternoon', 'early_evening', 'evening', 'late_morning', 'lunch', 'morning', 'night'] %}
with moments as (
    select
        moments.app_id,
        moments.user_id,
        moments.moment_definition_id,
        moments.started_at,
        coalesce(moments.ended_at, day.until) as until_at,
        cast(moments.local_start as date) as on_date,
        day.day - cast(moments.local_start as date) as days_ago,
        moments.seconds
    from {{ ref('moment_rows') }} as moments
    cross join {{ source('mobility_layers', 'day') }} as day
    where moments.moment_definition_id in ('dogwalk', 'working_remote', 'business_trip')
        and day.day - cast(moments.local_start as date) between 0 and 62
),

homes as (
    select
        app_id,
        user_id,
        arg_max(country, struct_pack(seconds := seconds, place_id := place_id)) as country,
        arg_max(region, struct_pack(seconds := seconds, place_id := place_id)) as region
    from {{ source('mobility_layers', 'places') }}
    where significance = 'home'
    group by app_id, user_id
),

business_trips as (
    select
        moments.app_id,
        moments.user_id,
        moments.started_at,
        bool_or(stays.country <> homes.country) as is_abroad,
        bool_or(stays.region <> homes.region) as is_elsewhere
    from moments
    inner join homes
        on homes.app_id = moments.app_id
        and homes.user_id = moments.user_id
    left join {{ ref('attribute_stays') }} as stays
        on stays.app_id = moments.app_id
        and stays.user_id = moments.user_id
        and stays.started_at >= moments.started_at
        and stays.started_at < moments.until_at
    where moments.moment_definition_id = 'business_trip'
        and moments.days_ago < 30
    group by moments.app_id, moments.user_id, moments.started_at
),

trips_by_reach as (
    select
        app_id,
        user_id,
        count(*) filter (where is_abroad) as abroad,
        count(*) filter (where is_elsewhere and not coalesce(is_abroad, false)) as elsewhere,
        count(*) filter (where not coalesce(is_elsewhere, false) and not coalesce(is_abroad, false)) as near
    from business_trips
    group by app_id, user_id
),

flights as (
    select
        moments.app_id,
        moments.user_id,
        count(*) as flights
    from moments
    inner join {{ source('mobility_layers', 'trips') }} as trips
        on trips.app_id = moments.app_id
        and trips.user_id = moments.user_id
        and trips.started_at >= moments.started_at
        and trips.started_at < moments.until_at
    where moments.moment_definition_id = 'business_trip'
        and moments.days_ago < 30
        and trips.mode = 'flight'
    group by moments.app_id, moments.user_id
),

remote_places as (
    -- On a sphere of 6371 km. Whole metres, so that their sum has no order.
    select
        moments.app_id,
        moments.user_id,
        moments.started_at,
        min(
            cast(
                round(
                    2 * 6371000 * asin(
                        sqrt(
                            least(
                                1,
                                pow(sin(radians(visits.latitude - places.latitude) / 2), 2)
                                + cos(radians(visits.latitude)) * cos(radians(places.latitude))
                                * pow(sin(radians(visits.longitude - places.longitude) / 2), 2)
                            )
                        )
                    )
                ) as bigint
            )
        ) as metres
    from moments
    inner join {{ source('mobility_layers', 'visits') }} as visits
        on visits.app_id = moments.app_id
        and visits.user_id = moments.user_id
        and visits.started_at = moments.started_at
        and visits.significance <> 'home'
    inner join {{ source('mobility_layers', 'places') }} as places
        on places.app_id = moments.app_id
        and places.user_id = moments.user_id
        and places.significance = 'home'
    where moments.moment_definition_id = 'working_remote'
    group by moments.app_id, moments.user_id, moments.started_at
),

radii as (
    select app_id, user_id, avg(metres) as metres
    from remote_places
    group by app_id, user_id
),

counts as (
    select
        app_id,
        user_id,
        count(*) filter (where moment_definition_id = 'dogwalk' and days_ago < 7) as dogwalks,
        count(distinct on_date) filter (where moment_definition_id = 'working_remote' and days_ago < 7) as remote_days,
        sum(seconds) filter (where moment_definition_id = 'working_remote' and days_ago < 7) as remote_seconds
    from moments
    group by app_id, user_id
),

at_work as (
    select app_id, user_id, sum(seconds) as seconds
    from {{ ref('attribute_stays') }}
    where significance = 'work'
        and days_ago < 7
    group by app_id, user_id
),

times as (
    select
        app_id,
        user_id,
        {% for part in parts %}
        max({{ part }}_minutes) filter (where not is_weekend) as {{ part }},
        max({{ part }}_minutes) filter (where is_weekend) as {{ part }}_weekend{% if not loop.last %},{% endif %}

        {% endfor %}
    from {{ ref('moment_times') }}
    group by app_id, user_id
)

select
    cast(times.user_id as varchar) as user_id,
    cast(coalesce(counts.dogwalks, 0) as bigint) as "dogwalk.count.week.value",
    cast(coalesce(flights.flights, 0) as bigint) as "moment.business_flight.count.month.value",
    cast(coalesce(trips_by_reach.abroad, 0) as bigint) as "moment.business_trip.global.count.month.value",
    cast(coalesce(trips_by_reach.near, 0) as bigint) as "moment.business_trip.local.count.month.value",
    cast(coalesce(trips_by_reach.elsewhere, 0) as bigint) as "moment.business_trip.regional.count.month.value",
    cast(round(radii.metres, 4) as double) as "moment.working_remote.radius.value",
    {% for part in parts %}
    cast(round(times.{{ part }} % 1440 / 60, 4) as double) as "semantic.time.{{ part }}.start.value",
    cast(round(times.{{ part }}_weekend % 1440 / 60, 4) as double) as "semantic.time.{{ part }}.start.we.value",
    {% endfor %}
    cast(coalesce(counts.remote_days, 0) as bigint) as "working.remote.days_in_week.value",
    cast(coalesce(counts.remote_seconds, 0) as double) as "working.remote.time.week.value",
    cast(coalesce(counts.remote_seconds, 0) + coalesce(at_work.seconds, 0) as double) as "working.time.week.value",
    cast(times.app_id as varchar) as app_id
from times
left join counts
    on counts.app_id = times.app_id
    and counts.user_id = times.user_id
left join flights
    on flights.app_id = times.app_id
    and flights.user_id = times.user_id
left join trips_by_reach
    on trips_by_reach.app_id = times.app_id
    and trips_by_reach.user_id = times.user_id
left join radii
    on radii.app_id = times.app_id
    and radii.user_id = times.user_id
left join at_work
    on at_work.app_id = times.app_id
    and at_work.user_id = times.user_id
