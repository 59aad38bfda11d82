"""The stay rule of the offloads a second time: the SQL that ``independent`` runs."""

from __future__ import annotations

# grain: one fix that counts; the best of each instant
COUNTED = """
create or replace temp table numbered as
with possible as (
    select app_id, user_id, epoch_us(tracked_at) as micros, latitude, longitude,
        case when isnan(accuracy) then null else accuracy end as accuracy, speed, epoch_us(received_at) as received
    from given
    where latitude between -90 and 90 and longitude between -180 and 180
        and coalesce(isnan(accuracy) or accuracy between 0 and 200.0, true)
        and epoch_us(tracked_at) - epoch_us(received_at) <= 3600 * 1000000::bigint
        and epoch_us(received_at) - epoch_us(tracked_at) <= 63 * 86400 * 1000000::bigint
),
ranked as (
    select *, row_number() over (
        partition by app_id, user_id, micros
        order by accuracy nulls last, latitude, longitude, speed nulls last, received) as place
    from possible
)
select app_id, user_id, micros, latitude, longitude, accuracy, received,
    row_number() over (partition by app_id, user_id order by micros) as n
from ranked where place = 1
"""
# grain: one group: an anchor and the fixes less than 100 m from it that follow, each after a silence of 48 hours at
# most. One farther away ends it, unless twice its accuracy reaches back to the anchor: that is passed over.
PRODUCT_GROUPS = """
create or replace temp table groups as
with walks as (
    select app_id, user_id,
        list({'n': n, 'micros': micros, 'latitude': latitude, 'longitude': longitude, 'accuracy': accuracy} order by n)
            as fixes
    from numbered group by all
),
folded as (
    select app_id, user_id, list_reduce(
        fixes,
        lambda state, fix: case
            when state.first_n > 0 and metres(state.latitude, state.longitude, fix.latitude, fix.longitude) < 100.0
                and fix.micros - state.last.micros <= 172800 * 1000000::bigint
                then {
                'first_n': state.first_n, 'first_micros': state.first_micros,
                'latitude': state.latitude, 'longitude': state.longitude, 'last': fix,
                'groups': state.groups}
            when state.first_n > 0 and coalesce(
                metres(state.latitude, state.longitude, fix.latitude, fix.longitude) between 100.0 and 2 * fix.accuracy,
                false)
                then state
            else {
                'first_n': fix.n, 'first_micros': fix.micros,
                'latitude': fix.latitude, 'longitude': fix.longitude, 'last': fix,
                'groups': list_append(state.groups, {
                    'first_n': state.first_n, 'last_n': state.last.n, 'next_n': fix.n,
                    'left_micros': case
                        when fix.micros - state.last.micros > 172800 * 1000000::bigint then state.last.micros
                        when fix.micros - state.last.micros > 300 * 1000000 and
                            metres(state.last.latitude, state.last.longitude, fix.latitude, fix.longitude) < 250.0
                            then greatest(state.last.micros, fix.micros - 1000000 * round(
                                metres(state.last.latitude, state.last.longitude, fix.latitude, fix.longitude) / 1.4
                            )::bigint)
                        when state.last.micros - state.first_micros >= 300 * 1000000
                            and fix.micros - state.last.micros > 3600 * 1000000::bigint
                            and metres(state.last.latitude, state.last.longitude, fix.latitude, fix.longitude)
                                < least(5000.0, 0.5 * (fix.micros - state.last.micros) / 1e6)
                            then greatest(state.last.micros, fix.micros - 1000000 * round(
                                metres(state.last.latitude, state.last.longitude, fix.latitude, fix.longitude) / 5
                            )::bigint)
                        else state.last.micros end})}
            end,
        {'first_n': 0::bigint, 'first_micros': 0::bigint, 'latitude': 0::double, 'longitude': 0::double,
         'last': {'n': 0::bigint, 'micros': 0::bigint, 'latitude': 0::double, 'longitude': 0::double,
                  'accuracy': null::double},
         'groups': []::struct(first_n bigint, last_n bigint, next_n bigint, left_micros bigint)[]}
    ) as state
    from walks
),
unnested as (
    select app_id, user_id, unnest(list_append(state.groups, {
        'first_n': state.first_n, 'last_n': state.last.n, 'next_n': null::bigint, 'left_micros': state.last.micros
    })) as g
    from folded
),
spans as (
    select app_id, user_id, g.first_n, g.last_n, g.next_n, g.left_micros,
        lag(g.last_n) over (partition by app_id, user_id order by g.first_n) as before_n,
        lag(g.left_micros) over (partition by app_id, user_id order by g.first_n) as before_left_micros
    from unnested where g.first_n > 0
),
-- One fix inside a group.
members as (
    select s.app_id, s.user_id, s.first_n, f.n, f.micros
    from spans as s
    join numbered as a on a.app_id = s.app_id and a.user_id = s.user_id and a.n = s.first_n
    join numbered as f on f.app_id = s.app_id and f.user_id = s.user_id and f.n between s.first_n and s.last_n
    where metres(a.latitude, a.longitude, f.latitude, f.longitude) < 100.0
),
settled as (
    select m.app_id, m.user_id, m.first_n, min(m.n) as settled_n
    from members as m
    join numbered as a on a.app_id = m.app_id and a.user_id = m.user_id and a.n = m.first_n
    where m.micros - a.micros >= 300 * 1000000
    group by all
)
select s.app_id, s.user_id, s.first_n, s.last_n, s.next_n is not null as is_closed, a.micros as began,
    z.micros as last_micros, s.left_micros, coalesce(t.settled_n, s.next_n) as settled_n,
    s.left_micros - a.micros >= 300 * 1000000 as is_stay,
    a.micros - p.micros as step_micros, metres(p.latitude, p.longitude, a.latitude, a.longitude) as step_metres,
    s.before_left_micros > p.micros as is_awake
from spans as s
join numbered as a on a.app_id = s.app_id and a.user_id = s.user_id and a.n = s.first_n
join numbered as z on z.app_id = s.app_id and z.user_id = s.user_id and z.n = s.last_n
left join numbered as p on p.app_id = s.app_id and p.user_id = s.user_id and p.n = s.before_n
left join settled as t on t.app_id = s.app_id and t.user_id = s.user_id and t.first_n = s.first_n
"""
# grain: one closed stay; the centre is the mean of all its fixes, longitudes as angles
PRODUCT_STAYS = """
select g.app_id, g.user_id, make_timestamp(g.began) as started_at, make_timestamp(g.left_micros) as ended_at,
    avg(f.latitude) as latitude,
    degrees(atan2(avg(sin(radians(f.longitude))), avg(cos(radians(f.longitude))))) as longitude,
    count(*) as fixes
from groups as g
join numbered as a on a.app_id = g.app_id and a.user_id = g.user_id and a.n = g.first_n
join numbered as f on f.app_id = g.app_id and f.user_id = g.user_id and f.n between g.first_n and g.last_n
    and metres(a.latitude, a.longitude, f.latitude, f.longitude) < 100.0
where g.is_stay and g.is_closed
group by g.app_id, g.user_id, g.first_n, g.began, g.left_micros
order by g.app_id, g.user_id, started_at
"""
# grain: one closed leg. The fold goes from group to group: the leg that is open begins where the fix `since` was, at
# `since_micros`, and goes on with `next_n`, null until that is known; `is_away` tells whether a fix was outside its
# first anchor.
PRODUCT_LEGS = """
with boundaries as (
    select *, case
        when step_micros is null then 'begin'
        when is_awake or step_micros <= 15 * 60 * 1000000 then 'on'
        when step_micros > 172800 * 1000000::bigint then 'cut'
        when step_metres >= 100000.0 then 'jump'
        when step_micros <= 3 * 3600 * 1000000::bigint and step_metres / (step_micros / 1e6) >= 0.8 then 'on'
        else 'cut' end as boundary
    from groups
),
walks as (
    select app_id, user_id, list({
        'first_n': first_n, 'last_n': last_n, 'settled_n': settled_n, 'began': began, 'last_micros': last_micros,
        'left_micros': left_micros, 'is_stay': is_stay, 'boundary': boundary} order by first_n) as steps
    from boundaries group by all
),
folded as (
    select app_id, user_id, list_reduce(
        steps,
        lambda state, step: {
            'since': case
                when step.is_stay then step.last_n
                when step.boundary <> 'on' or step.began - state.since_micros >= 86400 * 1000000::bigint
                    then step.first_n
                else state.since end,
            'since_micros': case
                when step.is_stay then step.left_micros
                when step.boundary <> 'on' or step.began - state.since_micros >= 86400 * 1000000::bigint
                    then step.began
                else state.since_micros end,
            'next_n': case
                when step.is_stay then null
                when step.boundary <> 'on' or step.began - state.since_micros >= 86400 * 1000000::bigint
                    then step.first_n + 1
                else coalesce(state.next_n, step.first_n) end,
            'is_away': not step.is_stay and step.boundary = 'on'
                and step.began - state.since_micros < 86400 * 1000000::bigint,
            'last_n': step.last_n,
            'last_micros': step.last_micros,
            'legs': list_concat(state.legs, list_filter([
                case when step.boundary in ('cut', 'jump') and state.is_away
                    then {'from_n': state.since, 'from_micros': state.since_micros, 'next_n': state.next_n,
                          'to_n': state.last_n, 'closed_n': step.first_n} end,
                case when step.boundary = 'jump'
                    then {'from_n': state.last_n, 'from_micros': state.last_micros, 'next_n': step.first_n,
                          'to_n': step.first_n, 'closed_n': step.first_n} end,
                case when step.boundary = 'on' and step.began - state.since_micros >= 86400 * 1000000::bigint
                    then {'from_n': state.since, 'from_micros': state.since_micros,
                          'next_n': coalesce(state.next_n, step.first_n),
                          'to_n': step.first_n, 'closed_n': step.first_n}
                    when step.boundary = 'on' and step.is_stay
                    then {'from_n': state.since, 'from_micros': state.since_micros,
                          'next_n': coalesce(state.next_n, step.first_n),
                          'to_n': step.first_n, 'closed_n': step.settled_n} end
            ], lambda leg: leg is not null))
        },
        {'since': 0::bigint, 'since_micros': 0::bigint, 'next_n': 0::bigint, 'is_away': false, 'last_n': 0::bigint,
         'last_micros': 0::bigint,
         'legs': []::struct(from_n bigint, from_micros bigint, next_n bigint, to_n bigint, closed_n bigint)[]}
    ).legs as legs
    from walks
),
unnested as (select app_id, user_id, unnest(legs) as leg from folded),
points as (
    select u.app_id, u.user_id, u.leg, f.n,
        case when f.n = u.leg.from_n then u.leg.from_micros else f.micros end as micros,
        f.latitude, f.longitude, f.received
    from unnested as u
    join numbered as f on f.app_id = u.app_id and f.user_id = u.user_id
        and (f.n = u.leg.from_n or f.n between u.leg.next_n and u.leg.to_n)
)
select p.app_id, p.user_id, make_timestamp(min(p.micros)) as started_at, make_timestamp(max(p.micros)) as ended_at,
    count(*) as fixes, list({'tracked_at': make_timestamp(p.micros), 'latitude': p.latitude, 'longitude': p.longitude}
        order by p.n) as points,
    make_timestamp(any_value(c.micros)) as closed_at,
    make_timestamp(greatest(max(p.received), any_value(c.received))) as received_at
from points as p
join numbered as c on c.app_id = p.app_id and c.user_id = p.user_id and c.n = p.leg.closed_n
group by p.app_id, p.user_id, p.leg
order by p.app_id, p.user_id, started_at, ended_at
"""
