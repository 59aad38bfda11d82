-- One row per active user and stay at a venue that is an activity: eating and drinking out, evenings, shopping, sport
-- and children brought to school. The hour in which the stay begins tells breakfast from lunch from dinner. Stays at
-- home and at work are no activities, so that a waiter's work is no dinner out.
with stays as (
    select
        visits.app_id,
        visits.user_id,
        visits.started_at,
        visits.ended_at,
        visits.start_offset,
        visits.end_offset,
        visits.local_start,
        visits.local_end,
        visits.place_id,
        visits.seconds // 60 as minutes,
        date_part('hour', visits.local_start) * 60 + date_part('minute', visits.local_start) as minute,
        isodow(visits.local_start) <= 5 as is_weekday,
        date_trunc('day', visits.local_start - interval 12 hours) + interval 23 hours as night_at,
        coalesce(visits.venue_types, []) as types
    from {{ source('mobility_layers', 'visits') }} as visits
    join {{ ref('active_users') }} as users
        on users.app_id = visits.app_id
        and users.user_id = visits.user_id
    where visits.significance not in ('home', 'work')
),

kinds as (
    select
        stays.app_id, stays.user_id, stays.started_at, stays.ended_at, stays.start_offset, stays.end_offset,
        stays.local_start, stays.place_id, stays.minutes, stays.minute, stays.is_weekday,
        list_contains(stays.types, 'restaurant') as is_restaurant,
        list_has_any(stays.types, ['restaurant', 'cafe', 'bakery']) as is_meal,
        list_has_any(stays.types, ['bar', 'pub', 'club', 'nightclub']) as is_bar,
        list_has_any(stays.types, ['bar', 'pub', 'club', 'nightclub', 'cafe', 'bakery']) as is_drink,
        list_has_any(
            stays.types,
            ['cinema', 'theatre', 'theater', 'music', 'concert', 'bowling', 'gambling', 'casino', 'culture']
        ) as is_show,
        list_contains(stays.types, 'shop') as is_shop,
        list_contains(stays.types, 'sport') as is_sport,
        list_has_any(stays.types, ['school', 'kindergarten', 'childcare']) as is_school,
        least(stays.local_end, stays.night_at + interval 6 hours) - greatest(stays.local_start, stays.night_at)
            >= interval 30 minutes as is_at_night
    from stays
),

-- On how many local days of the window the user began a stay at the place.
routines as (
    select kinds.app_id, kinds.user_id, kinds.place_id, count(distinct cast(kinds.local_start as date)) as days
    from kinds
    group by kinds.app_id, kinds.user_id, kinds.place_id
),

drop_offs as (
    select kinds.app_id, kinds.user_id, kinds.place_id, count(distinct cast(kinds.local_start as date)) as days
    from kinds
    where kinds.is_school and kinds.is_weekday and kinds.minutes <= 20 and kinds.minute between 390 and 599
    group by kinds.app_id, kinds.user_id, kinds.place_id
),

found as (
    select
        kinds.app_id,
        kinds.user_id,
        kinds.started_at,
        kinds.ended_at,
        kinds.start_offset,
        kinds.end_offset,
        unnest([one for one in [
            if(kinds.is_meal and kinds.minute between 300 and 659 and kinds.minutes between 10 and 89, 'breakfast_out', null),
            if(kinds.is_meal and kinds.minute between 660 and 869 and kinds.minutes between 10 and 179, 'lunch_out', null),
            if(kinds.is_restaurant and kinds.minute between 1020 and 1319 and kinds.minutes >= 20, 'dinner_out', null),
            if(kinds.is_drink and kinds.minute between 870 and 1079 and kinds.minutes >= 15, 'afternoon_drinks', null),
            if(kinds.is_drink and kinds.minute between 1080 and 1379 and kinds.minutes >= 15, 'evening_drinks', null),
            if(
                kinds.is_show and kinds.minute between 1020 and 1379 and kinds.minutes >= 45,
                'evening_entertainment',
                null
            ),
            if(kinds.is_bar and kinds.is_at_night, 'night_out', null),
            if(kinds.is_shop and routines.days >= 3, 'shopping_routine', null),
            if(kinds.is_sport and kinds.minutes >= 20, 'sporting', null),
            if(
                kinds.is_school and kinds.is_weekday and kinds.minutes <= 20 and kinds.minute between 390 and 599
                    and drop_offs.days >= 2,
                'children_drop_off',
                null
            )
        ] if one is not null]) as moment_definition_id
    from kinds
    join routines
        on routines.app_id = kinds.app_id
        and routines.user_id = kinds.user_id
        and routines.place_id = kinds.place_id
    left join drop_offs
        on drop_offs.app_id = kinds.app_id
        and drop_offs.user_id = kinds.user_id
        and drop_offs.place_id = kinds.place_id
    union all
    select
        trips.app_id,
        trips.user_id,
        trips.started_at,
        trips.ended_at,
        trips.start_offset,
        trips.end_offset,
        'sporting' as moment_definition_id
    from {{ source('mobility_layers', 'trips') }} as trips
    join {{ ref('active_users') }} as users
        on users.app_id = trips.app_id
        and users.user_id = trips.user_id
    where trips.mode = 'running'
        and trips.seconds >= 600
)

select
    cast(found.user_id as varchar) as user_id,
    cast(found.moment_definition_id as varchar) as moment_definition_id,
    cast(found.started_at as timestamp) as started_at,
    cast(found.ended_at as timestamp) as ended_at,
    cast(found.start_offset as integer) as start_offset,
    cast(if(found.ended_at is null, null, found.end_offset) as integer) as end_offset,
    cast(null as varchar) as name,
    cast(found.app_id as varchar) as app_id
from found
