-- One row per active user and moment of the last nine weeks: the union of the families. A moment that goes on has no
-- end. Of moments of one definition that start in the same second the longest stays, for start is part of the key.
with families as (
{%- for family in ['activity', 'geography', 'location', 'semantic_time', 'travel', 'ways', 'work'] %}
    select
        family.app_id,
        family.user_id,
        family.moment_definition_id,
        family.started_at,
        family.ended_at,
        family.start_offset,
        family.end_offset,
        family.name
    from {{ ref('moment_' ~ family) }} as family
    {%- if not loop.last %}
    union all
    {%- endif %}
{%- endfor %}
),

within as (
    select
        families.app_id,
        families.user_id,
        families.moment_definition_id,
        families.started_at,
        families.ended_at,
        coalesce(families.ended_at, families.started_at) as decides_at,
        coalesce(families.ended_at, day.until) as until_at,
        families.started_at + to_seconds(families.start_offset) as local_start,
        families.ended_at + to_seconds(families.end_offset) as local_end,
        families.start_offset,
        families.end_offset,
        families.name
    from families
    cross join {{ source('mobility_layers', 'day') }} as day
    where coalesce(families.ended_at, families.started_at) >= day.window_start
        and coalesce(families.ended_at, families.started_at) < day.until
),

printed as (
    select
        within.app_id,
        within.user_id,
        within.moment_definition_id,
        within.started_at,
        within.ended_at,
        within.decides_at,
        within.local_start,
        strftime(within.local_start, '%Y-%m-%dT%H:%M:%S') || if(
            within.start_offset = 0,
            'Z',
            format(
                '{}{:02d}:{:02d}',
                if(within.start_offset < 0, '-', '+'),
                abs(within.start_offset) // 3600,
                abs(within.start_offset) % 3600 // 60
            )
        ) as start_text,
        strftime(within.local_end, '%Y-%m-%dT%H:%M:%S') || if(
            within.end_offset = 0,
            'Z',
            format(
                '{}{:02d}:{:02d}',
                if(within.end_offset < 0, '-', '+'),
                abs(within.end_offset) // 3600,
                abs(within.end_offset) % 3600 // 60
            )
        ) as end_text,
        within.name,
        -- Between the texts, which are cut to whole seconds.
        date_diff('second', within.started_at, within.until_at) as seconds
    from within
)

select
    cast(printed.user_id as varchar) as user_id,
    cast(printed.start_text as varchar) as start,
    cast(printed.moment_definition_id as varchar) as moment_definition_id,
    cast(printed.end_text as varchar) as "end",
    cast(printed.name as varchar) as name,
    cast(printed.started_at as timestamp) as started_at,
    cast(printed.ended_at as timestamp) as ended_at,
    cast(printed.decides_at as timestamp) as until_at,
    cast(printed.local_start as timestamp) as local_start,
    cast(printed.seconds as bigint) as seconds,
    cast(printed.app_id as varchar) as app_id
from printed
qualify row_number() over (
    partition by printed.app_id, printed.user_id, printed.moment_definition_id, printed.start_text
    order by printed.seconds desc, printed.started_at, printed.end_text, printed.name
) = 1
