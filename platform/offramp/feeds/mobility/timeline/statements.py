"""The SQL of a build's reading, by name. What stands in braces is filled in by ``reading``."""

# Grain: one touched user.
TOUCHED = """
with arrived as (
    select fixes.app_id, fixes.user_id, {first_on} as first_on
    from "mobility.fixes" as fixes
    where {new} and {came}
    group by fixes.app_id, fixes.user_id
),

states as (
    select
        app_id,
        user_id,
        day,
        -- The first part of an open leg may end on the day on which the leg began.
        cast(case when is_stay then last_at else points[1].tracked_at end as date) as may_end_on,
        points[1].tracked_at as legs_from
    from "before.open_stays"
),

open_before as (
    select arrived.app_id, arrived.user_id, arrived.first_on, states.may_end_on
    from arrived
    asof left join states
        on arrived.app_id = states.app_id and arrived.user_id = states.user_id and arrived.first_on > states.day
),

seen as (
    select app_id, user_id, max(day) as last_day
    from states
    group by app_id, user_id
),

-- Who has no state was never seen before: all of such a user is in what arrived, unless this is the first build.
ranged as (
    select
        open_before.app_id,
        open_before.user_id,
        open_before.first_on,
        case
            when seen.user_id is null or seen.last_day < open_before.first_on then open_before.first_on
            when may_end_on is not null then least(first_on, may_end_on)
        end as from_on,
        coalesce(seen.last_day < open_before.first_on, false) as is_onward,
        seen.user_id is not null or open_before.first_on = date '0001-01-01' as is_old
    from open_before
    left join seen
        on open_before.app_id = seen.app_id and open_before.user_id = seen.user_id
)

select
    row_number() over (order by ranged.app_id, ranged.user_id) as number,
    ranged.app_id,
    ranged.user_id,
    ranged.first_on,
    ranged.from_on,
    ranged.is_onward,
    states.day as base_day,
    ranged.is_old and states.day is null as is_whole,
    case
        when states.day is not null then states.legs_from
        when ranged.is_old then timestamp '0001-01-01'
        else cast(ranged.first_on as timestamp)
    end as legs_from
from ranged
asof left join states
    on ranged.app_id = states.app_id
    and ranged.user_id = states.user_id
    -- A null would be joined as later than every day.
    and coalesce(ranged.from_on, date '0001-01-01') > states.day
order by ranged.app_id, ranged.user_id
"""

# Grain: one fix of what is open in the states to go on from.
POINTS = """
select
    number,
    point.tracked_at as tracked_at,
    point.latitude as latitude,
    point.longitude as longitude,
    point.speed as speed,
    point.accuracy as accuracy,
    point.received_at as received_at
from (
    select touched.number, unnest(states.points) as point
    from touched
    inner join "before.open_stays" as states
        on touched.app_id = states.app_id and touched.user_id = states.user_id and touched.base_day = states.day
)
"""

# Grain: one fix to fold.
FIXES = """
select
    touched.number,
    fixes.tracked_at,
    fixes.latitude,
    fixes.longitude,
    fixes.speed,
    fixes.accuracy,
    fixes.received_at
from "mobility.fixes" as fixes
inner join (select number, app_id, user_id, from_on from touched where {chosen}) as touched
    on touched.app_id = fixes.app_id and touched.user_id = fixes.user_id
where {is_read} and {since} and {came}
"""

# Grain: one touched user that goes on from a state.
BASES = """
select
    touched.number,
    states.opened,
    states.anchor_at,
    states.fixes,
    states.anchor_latitude,
    states.anchor_longitude,
    states.sum_latitude,
    states.sum_sine,
    states.sum_cosine
from touched
inner join "before.open_stays" as states
    on touched.app_id = states.app_id and touched.user_id = states.user_id and touched.base_day = states.day
order by touched.number
"""

# Grain: one reason why fixes of an app do not count.
FAULTS = """
select app_id, cast(count(*) as bigint) as fixes, reason
from (
    select fixes.app_id, {reason} as reason
    from "mobility.fixes" as fixes
    where {came}
)
where reason is not null
group by app_id, reason
"""

IS_TOUCHED = "(app_id, user_id) in (select (app_id, user_id) from touched)"

# Grain: one row of a leg in an earlier build, superseded or not.
KNOWN = """
with newest as ({newest})

select
    touched.number,
    legs.event_id,
    legs.started_at,
    legs.ended_at,
    legs.processed_at,
    newest.event_id is not null as is_newest
from touched
inner join "before.legs" as legs
    on touched.app_id = legs.app_id and touched.user_id = legs.user_id
left join newest
    on legs.app_id = newest.app_id
    and legs.user_id = newest.user_id
    and legs.event_id = newest.event_id
    and legs.built_on = newest.built_on
where {is_read} and legs.ended_at >= coalesce(touched.from_on, date '0001-01-03') - interval 2 days
order by touched.number, legs.started_at, legs.ended_at, legs.built_on
"""

# Grain: one activity or transition of a touched user.
EVENTS = """
select
    touched.number,
    touched.app_id,
    touched.user_id,
    events.occurred_at,
    events.kind,
    events.activity,
    events.confidence,
    events.event_id
from "mobility.sdk_events" as events
inner join (select number, app_id, user_id, legs_from from touched where {chosen}) as touched
    on touched.app_id = events.app_id and touched.user_id = events.user_id
where events.received_at < {until}
    and {is_read}
    and events.occurred_at >= touched.legs_from
    and events.kind in ('activity', 'transition')
"""

NO_EVENTS = EVENTS.format(chosen="false", is_read="false", until="timestamp '0001-01-01'")

# Grain: one touched user.
USERS = """
select number, app_id, user_id, first_on, from_on, is_onward, base_day, legs_from
from touched
order by number
"""

# Grain: one stop. A venue with several kinds is several stops.
STOPS = """
select kind, latitude, longitude
from (
    select
        unnest([
            case when types like '%"busstop"%' then 'bus' end,
            case when types like '%"tramstop"%' then 'tram' end,
            case when types like '%"trainstation"%' then 'train' end,
            case when types like '%"aerodrome"%' or types like '%"airport"%' then 'airport' end
        ]) as kind,
        latitude,
        longitude,
        venue_id
    from "mobility.venues"
)
where kind is not null
order by venue_id, kind
"""

# Grain: one state that this build does not make anew.
STATES = """
select states.*
from "before.open_stays" as states
left join touched
    on states.app_id = touched.app_id and states.user_id = touched.user_id
where touched.number is null or (touched.base_day is not null and states.day < touched.from_on)
order by states.app_id, states.user_id, states.day
"""
