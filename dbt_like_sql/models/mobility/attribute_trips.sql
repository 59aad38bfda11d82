-- One row per trip of an active user that began on one of the 63 local dates up to the data day.
-- A trip is a leg of a commute if it lies within a moment of commuting.
with commutes as (
    -- A commute has three hours at most, so it lies within one date of UTC or two.
    select
        app_id,
        user_id,
        moment_definition_id,
        started_at,
        ended_at,
        unnest(generate_series(date_trunc('day', started_at), ended_at, interval 1 day)) as midnight
    from {{ ref('moment_rows') }}
    where moment_definition_id in ('commute_from_home', 'commute_from_work')
),

legs as (
    select
        trips.app_id,
        trips.user_id,
        trips.event_id,
        if(commutes.moment_definition_id = 'commute_from_home', 'work', 'home') as commute_to,
        row_number() over (
            partition by trips.app_id, trips.user_id, commutes.started_at
            order by trips.started_at, trips.event_id
        ) = 1 as is_departure
    from {{ source('mobility_layers', 'trips') }} as trips
    inner join commutes
        on commutes.app_id = trips.app_id
        and commutes.user_id = trips.user_id
        and commutes.midnight = date_trunc('day', trips.started_at)
        and trips.started_at >= commutes.started_at
        and trips.ended_at <= commutes.ended_at
    -- Commutes have no overlap but in their ends.
    qualify row_number() over (
        partition by trips.app_id, trips.user_id, trips.event_id
        order by commutes.started_at, commutes.moment_definition_id
    ) = 1
)

select
    cast(trips.user_id as varchar) as user_id,
    cast(trips.event_id as varchar) as event_id,
    cast(trips.local_start as date) as on_date,
    cast(day.day - cast(trips.local_start as date) as integer) as days_ago,
    cast(isodow(trips.local_start) - 1 as integer) as weekday,
    cast(trips.local_start as timestamp) as local_start,
    cast(trips.local_end as timestamp) as local_end,
    cast(trips.mode as varchar) as mode,
    cast(trips.distance as bigint) as distance,
    cast(trips.seconds as bigint) as seconds,
    cast(coalesce(nullif(trips.city_type, ''), 'unknown') as varchar) as city_type,
    cast(legs.commute_to as varchar) as commute_to,
    cast(coalesce(legs.is_departure, false) as boolean) as is_departure,
    cast(trips.app_id as varchar) as app_id
from {{ source('mobility_layers', 'trips') }} as trips
inner join {{ ref('active_users') }} as users
    on users.app_id = trips.app_id
    and users.user_id = trips.user_id
cross join {{ source('mobility_layers', 'day') }} as day
left join legs
    on legs.app_id = trips.app_id
    and legs.user_id = trips.user_id
    and legs.event_id = trips.event_id
where day.day - cast(trips.local_start as date) between 0 and 62
