-- One row per active user and way between home and work, or round on foot with the dog. What lies between two stays is
-- one way, with its trips and its short stays: those of up to 30 minutes, neither at home nor at work.
with events as (
    select
        visits.app_id,
        visits.user_id,
        visits.started_at,
        visits.ended_at,
        visits.local_end,
        visits.start_offset,
        visits.end_offset,
        visits.significance,
        visits.significance in ('home', 'work') or visits.seconds > 1800 as is_stay,
        false as is_trip,
        false as is_walk,
        -- Dogs are walked in parks, in the woods and round the block, and wait for nobody in a shop.
        len(coalesce(visits.venue_types, [])) = 0
            or list_has_any(visits.venue_types, ['park', 'nature', 'forest', 'beach']) as is_green
    from {{ source('mobility_layers', 'visits') }} as visits
    join {{ ref('active_users') }} as users
        on users.app_id = visits.app_id
        and users.user_id = visits.user_id
    union all
    select
        trips.app_id,
        trips.user_id,
        trips.started_at,
        trips.ended_at,
        trips.local_end,
        trips.start_offset,
        trips.end_offset,
        null as significance,
        false as is_stay,
        true as is_trip,
        trips.mode = 'walking' as is_walk,
        true as is_green
    from {{ source('mobility_layers', 'trips') }} as trips
    join {{ ref('active_users') }} as users
        on users.app_id = trips.app_id
        and users.user_id = trips.user_id
),

numbered as (
    select
        events.app_id, events.user_id, events.started_at, events.ended_at, events.local_end, events.start_offset,
        events.end_offset, events.significance, events.is_stay, events.is_trip, events.is_walk, events.is_green,
        count(*) filter (events.is_stay) over (
            partition by events.app_id, events.user_id
            order by events.started_at, events.is_trip, events.ended_at
            rows between unbounded preceding and current row
        ) as number
    from events
),

ways as (
    select
        numbered.app_id,
        numbered.user_id,
        numbered.number,
        max(numbered.significance) filter (numbered.is_stay) as origin,
        max(numbered.ended_at) filter (numbered.is_stay) as left_at,
        max(numbered.local_end) filter (numbered.is_stay) as local_left,
        max(numbered.end_offset) filter (numbered.is_stay) as left_offset,
        min(numbered.started_at) filter (numbered.is_stay) as stayed_at,
        max(numbered.start_offset) filter (numbered.is_stay) as stay_offset,
        count(*) filter (numbered.is_trip) as trips,
        count(*) filter (numbered.is_trip and not numbered.is_walk) as rides,
        count(*) filter (not numbered.is_stay and not numbered.is_green) as errands
    from numbered
    group by numbered.app_id, numbered.user_id, numbered.number
),

between_stays as (
    select
        ways.app_id,
        ways.user_id,
        ways.origin,
        ways.left_at,
        ways.local_left,
        ways.left_offset,
        ways.trips,
        ways.rides,
        ways.errands,
        lead(ways.origin) over (partition by ways.app_id, ways.user_id order by ways.number) as destination,
        lead(ways.stayed_at) over (partition by ways.app_id, ways.user_id order by ways.number) as arrived_at,
        lead(ways.stay_offset) over (partition by ways.app_id, ways.user_id order by ways.number) as arrival_offset
    from ways
),

commutes as (
    select
        between_stays.app_id,
        between_stays.user_id,
        if(between_stays.origin = 'home', 'commute_from_home', 'commute_from_work') as moment_definition_id,
        between_stays.left_at,
        between_stays.left_offset,
        between_stays.arrived_at,
        between_stays.arrival_offset
    from between_stays
    where between_stays.trips > 0
        and between_stays.arrived_at > between_stays.left_at
        and between_stays.arrived_at <= between_stays.left_at + interval 3 hours
        and (
            (between_stays.origin = 'home' and between_stays.destination = 'work')
            or (between_stays.origin = 'work' and between_stays.destination = 'home')
        )
),

rounds as (
    select
        between_stays.app_id,
        between_stays.user_id,
        between_stays.left_at,
        between_stays.left_offset,
        between_stays.arrived_at,
        between_stays.arrival_offset,
        cast(between_stays.local_left as date) as day
    from between_stays
    where between_stays.origin = 'home'
        and between_stays.destination = 'home'
        and between_stays.trips > 0
        and between_stays.rides = 0
        and between_stays.errands = 0
        and between_stays.arrived_at >= between_stays.left_at + interval 5 minutes
        and between_stays.arrived_at <= between_stays.left_at + interval 90 minutes
),

-- A dog must go out every day: rounds on seven days or more, and on half of the days on which the user left home.
walkers as (
    select rounds.app_id, rounds.user_id, count(distinct rounds.day) as days
    from rounds
    group by rounds.app_id, rounds.user_id
),

leavers as (
    select between_stays.app_id, between_stays.user_id, count(distinct cast(between_stays.local_left as date)) as days
    from between_stays
    where between_stays.origin = 'home' and between_stays.left_at is not null
    group by between_stays.app_id, between_stays.user_id
),

found as (
    select
        commutes.app_id, commutes.user_id, commutes.moment_definition_id,
        commutes.left_at, commutes.left_offset, commutes.arrived_at, commutes.arrival_offset
    from commutes
    union all
    select
        rounds.app_id, rounds.user_id, 'dogwalk' as moment_definition_id,
        rounds.left_at, rounds.left_offset, rounds.arrived_at, rounds.arrival_offset
    from rounds
    join walkers
        on walkers.app_id = rounds.app_id
        and walkers.user_id = rounds.user_id
    join leavers
        on leavers.app_id = rounds.app_id
        and leavers.user_id = rounds.user_id
    where walkers.days >= 7
        and walkers.days * 2 >= leavers.days
)

select
    cast(found.user_id as varchar) as user_id,
    cast(found.moment_definition_id as varchar) as moment_definition_id,
    cast(found.left_at as timestamp) as started_at,
    cast(found.arrived_at as timestamp) as ended_at,
    cast(found.left_offset as integer) as start_offset,
    cast(found.arrival_offset as integer) as end_offset,
    cast(null as varchar) as name,
    cast(found.app_id as varchar) as app_id
from found
