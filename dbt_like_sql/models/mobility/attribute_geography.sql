-- One row per user: in which countries, regions, cities and sizes of city the time of stays passed.
-- Of a scope's time with a known value, the most common value has the most; a tie goes to the first in order.
{% set fields = ['city', 'city_type', 'country', 'region'] %}
{% set scopes = ['everywhere', 'home', 'work', 'week', 'weekend', 'holiday'] %}
{% set sizes = ['big_city', 'city', 'rural', 'town', 'unknown'] %}
with holidays as (
    select
        moments.app_id,
        moments.user_id,
        moments.started_at,
        coalesce(moments.ended_at, day.until) as until_at
    from {{ ref('moment_rows') }} as moments
    cross join {{ source('mobility_layers', 'day') }} as day
    where moments.moment_definition_id = 'holiday'
),

away as (
    select distinct
        stays.app_id,
        stays.user_id,
        stays.started_at
    from {{ ref('attribute_stays') }} as stays
    inner join holidays
        on holidays.app_id = stays.app_id
        and holidays.user_id = stays.user_id
        and stays.started_at >= holidays.started_at
        and stays.started_at < holidays.until_at
),

cells as (
    select
        stays.app_id,
        stays.user_id,
        stays.country,
        stays.region,
        stays.city,
        stays.city_type,
        sum(stays.seconds) as everywhere,
        sum(stays.seconds) filter (where stays.significance = 'home') as home,
        sum(stays.seconds) filter (where stays.significance = 'work') as work,
        sum(stays.seconds) filter (where stays.weekday < 5) as week,
        sum(stays.seconds) filter (where stays.weekday >= 5) as weekend,
        sum(stays.seconds) filter (where away.started_at is not null) as holiday
    from {{ ref('attribute_stays') }} as stays
    left join away
        on away.app_id = stays.app_id
        and away.user_id = stays.user_id
        and away.started_at = stays.started_at
    group by stays.app_id, stays.user_id, stays.country, stays.region, stays.city, stays.city_type
),

named as (
    select
        app_id,
        user_id,
        unnest([
            {'field': 'city', 'name': city},
            {'field': 'city_type', 'name': upper(nullif(city_type, 'unknown'))},
            {'field': 'country', 'name': country},
            {'field': 'region', 'name': region}
        ]) as cell,
        [
            {% for scope in scopes %}
            {'scope': '{{ scope }}', 'seconds': {{ scope }}}{% if not loop.last %},{% endif %}

            {% endfor %}
        ] as spans
    from cells
),

spread as (
    select
        app_id,
        user_id,
        cell.field as field,
        cell.name as name,
        unnest(spans) as span
    from named
    where cell.name is not null
),

summed as (
    select
        app_id,
        user_id,
        span.scope as scope,
        field,
        name,
        sum(span.seconds) as seconds
    from spread
    where span.seconds > 0
    group by app_id, user_id, span.scope, field, name
),

ranked as (
    select
        app_id,
        user_id,
        scope,
        field,
        name,
        seconds / sum(seconds) over (partition by app_id, user_id, scope, field) as share,
        row_number() over (partition by app_id, user_id, scope, field order by seconds desc, name) as place
    from summed
),

most_common as (
    select
        app_id,
        user_id,
        {% for scope in scopes %}
        {% for field in fields %}
        max(name) filter (where scope = '{{ scope }}' and field = '{{ field }}') as {{ scope }}_{{ field }},
        max(share) filter (where scope = '{{ scope }}' and field = '{{ field }}') as {{ scope }}_{{ field }}_share,
        {% endfor %}
        {% endfor %}
        count(*) as values_found
    from ranked
    where place = 1
    group by app_id, user_id
),

sized as (
    select
        app_id,
        user_id,
        {% for size in sizes %}
        {% for scope in ['everywhere', 'home', 'work'] %}
        coalesce(sum({{ scope }}) filter (where city_type = '{{ size }}'), 0)
        / nullif(sum({{ scope }}), 0) as {{ scope }}_{{ size }},
        {% endfor %}
        {% endfor %}
        coalesce(sum(home), 0) as home_seconds,
        coalesce(sum(work), 0) as work_seconds
    from cells
    group by app_id, user_id
)

select
    cast(sized.user_id as varchar) as user_id,
    {% for scope in scopes %}
    {% set prefix = '' if scope == 'everywhere' else scope ~ '.' %}
    {% for field in fields %}
    cast(round(most_common.{{ scope }}_{{ field }}_share, 4) as double)
        as "stationary.{{ prefix }}{{ field }}.homogeneity.value",
    cast(most_common.{{ scope }}_{{ field }} as varchar) as "stationary.{{ prefix }}{{ field }}.mostcommon.value",
    {% endfor %}
    {% endfor %}
    {% for scope in ['everywhere', 'home', 'work'] %}
    {% set prefix = '' if scope == 'everywhere' else scope ~ '.' %}
    {% for size in sizes %}
    cast(round(sized.{{ scope }}_{{ size }}, 4) as double) as "stationary.{{ prefix }}{{ size }}.perc.value",
    {% endfor %}
    {% endfor %}
    cast(sized.home_seconds as double) as "stationary.home.perc.total.value",
    cast(sized.work_seconds as double) as "stationary.work.perc.total.value",
    cast(sized.app_id as varchar) as app_id
from sized
left join most_common
    on most_common.app_id = sized.app_id
    and most_common.user_id = sized.user_id
