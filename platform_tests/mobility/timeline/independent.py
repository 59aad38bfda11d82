"""The stay rule a second time, as DuckDB SQL over lists, without a line of the product's code."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import polars as pl

# grain: one fix; the order of fixes at one instant is that of their places
NUMBERED = """
create or replace temp table numbered as
select app_id, user_id, n, micros, latitude, longitude,
    coalesce(micros - lag(micros) over (partition by app_id, user_id order by n) > $gap_micros, true) as is_after_gap
from (
    select app_id, user_id, epoch_us(tracked_at) as micros, latitude, longitude,
        row_number() over (partition by app_id, user_id order by tracked_at, latitude, longitude) as n
    from (
        select distinct app_id, user_id, tracked_at, latitude, longitude from given
        where latitude between -90 and 90 and longitude between -180 and 180
    )
)
"""
METRES = """
create temp macro metres(lat_a, lon_a, lat_b, lon_b) as 2 * 6371000.0 * asin(sqrt(least(1.0,
    sin(radians(lat_b - lat_a) / 2) ** 2
    + cos(radians(lat_a)) * cos(radians(lat_b)) * sin(radians(lon_b - lon_a) / 2) ** 2)))
"""
# grain: one group: an anchor and the fixes that follow; one at least $metres away, or after a gap, is the next anchor
ORACLE_GROUPS = """
create or replace temp table groups as
with walks as (
    select app_id, user_id,
        list({'n': n, 'latitude': latitude, 'longitude': longitude, 'is_after_gap': is_after_gap} order by n) as fixes
    from numbered group by all
),
folded as (
    select app_id, user_id, list_reduce(
        fixes,
        lambda state, fix: case
            when fix.is_after_gap
                or metres(state.latitude, state.longitude, fix.latitude, fix.longitude) >= $metres then {
                'n': fix.n, 'latitude': fix.latitude, 'longitude': fix.longitude, 'is_after_gap': fix.is_after_gap,
                'anchors': list_append(state.anchors, {'n': fix.n, 'is_after_gap': fix.is_after_gap})}
            else state end,
        {'n': 0::bigint, 'latitude': 0::double, 'longitude': 0::double, 'is_after_gap': false,
         'anchors': []::struct(n bigint, is_after_gap boolean)[]}
    ).anchors as anchors
    from walks
),
unnested as (select app_id, user_id, unnest(anchors) as anchor from folded),
followed as (
    select app_id, user_id, anchor.n as first_n,
        lead(anchor.n) over (partition by app_id, user_id order by anchor.n) as next_n,
        lead(anchor.is_after_gap) over (partition by app_id, user_id order by anchor.n) as is_before_gap
    from unnested
),
ends as (select app_id, user_id, max(n) as end_n from numbered group by all)
select app_id, user_id, first_n, coalesce(next_n - 1, end_n) as last_n, coalesce(next_n, end_n) as until_n,
    coalesce(is_before_gap, false) as is_before_gap
from followed join ends using (app_id, user_id)
"""
STAY_FIXES = """
create or replace temp table stay_fixes as
select g.app_id, g.user_id, g.first_n, b.micros as began, u.micros as ended, f.n, f.latitude, f.longitude
from groups as g
join numbered as b on b.app_id = g.app_id and b.user_id = g.user_id and b.n = g.first_n
join numbered as u on u.app_id = g.app_id and u.user_id = g.user_id and u.n = g.until_n
join numbered as f on f.app_id = g.app_id and f.user_id = g.user_id and f.n between g.first_n and g.last_n
where not g.is_before_gap and u.micros - b.micros >= $least_micros
"""
# grain: one stay; the centre is the mean of its different places, longitudes as angles
STAYS = """
with places as (
    select app_id, user_id, first_n, latitude, longitude, any_value(began) as began, any_value(ended) as ended,
        count(*) as fixes
    from stay_fixes group by all
)
select app_id, user_id, make_timestamp(any_value(began)) as started_at, make_timestamp(any_value(ended)) as ended_at,
    avg(latitude) as latitude,
    degrees(atan2(avg(sin(radians(longitude))), avg(cos(radians(longitude))))) as longitude,
    sum(fixes)::bigint as fixes
from places group by app_id, user_id, first_n
order by app_id, user_id, started_at, ended_at
"""
# grain: one leg: an island of at least two fixes, at two places or more, that belong to no stay
LEGS = """
with loose as (
    select f.app_id, f.user_id, f.n, f.micros, f.latitude, f.longitude,
        f.is_after_gap
            or lag(f.n) over (partition by f.app_id, f.user_id order by f.n) is distinct from f.n - 1 as is_first
    from numbered as f anti join stay_fixes as s on s.app_id = f.app_id and s.user_id = f.user_id and s.n = f.n
),
islands as (select *, sum(is_first::int) over (partition by app_id, user_id order by n) as island from loose)
select app_id, user_id, make_timestamp(min(micros)) as started_at, make_timestamp(max(micros)) as ended_at,
    count(*) as fixes,
    list({'tracked_at': make_timestamp(micros), 'latitude': latitude, 'longitude': longitude} order by n) as points
from islands group by app_id, user_id, island
having count(*) >= 2 and count(distinct (latitude, longitude)) >= 2
order by app_id, user_id, started_at, ended_at
"""

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
select app_id, user_id, micros, latitude, longitude, received,
    row_number() over (partition by app_id, user_id order by micros) as n
from ranked where place = 1
"""
# grain: one group: an anchor and the fixes less than 100 m from it that follow, after whatever silence
PRODUCT_GROUPS = """
create or replace temp table groups as
with walks as (
    select app_id, user_id, list({'n': n, 'latitude': latitude, 'longitude': longitude} order by n) as fixes
    from numbered group by all
),
folded as (
    select app_id, user_id, list_reduce(
        fixes,
        lambda state, fix: case
            when state.n = 0
                or metres(state.latitude, state.longitude, fix.latitude, fix.longitude) >= 100.0 then {
                'n': fix.n, 'latitude': fix.latitude, 'longitude': fix.longitude,
                'anchors': list_append(state.anchors, fix.n)}
            else state end,
        {'n': 0::bigint, 'latitude': 0::double, 'longitude': 0::double, 'anchors': []::bigint[]}
    ).anchors as anchors
    from walks
),
unnested as (select app_id, user_id, unnest(anchors) as first_n from folded),
bounded as (
    select app_id, user_id, first_n,
        lead(first_n) over (partition by app_id, user_id order by first_n) as next_n
    from unnested
),
ends as (select app_id, user_id, max(n) as end_n from numbered group by all),
spans as (
    select app_id, user_id, first_n, coalesce(next_n - 1, end_n) as last_n, next_n is not null as is_closed
    from bounded join ends using (app_id, user_id)
),
settled as (
    select s.app_id, s.user_id, s.first_n, min(f.n) as settled_n
    from spans as s
    join numbered as a on a.app_id = s.app_id and a.user_id = s.user_id and a.n = s.first_n
    join numbered as f on f.app_id = s.app_id and f.user_id = s.user_id and f.n between s.first_n and s.last_n
    where f.micros - a.micros >= 300 * 1000000
    group by all
)
select s.app_id, s.user_id, s.first_n, s.last_n, s.is_closed, a.micros as began, z.micros as ended, t.settled_n,
    z.micros - a.micros >= 300 * 1000000 as is_stay,
    a.micros - p.micros as step_micros, metres(p.latitude, p.longitude, a.latitude, a.longitude) as step_metres
from spans as s
join numbered as a on a.app_id = s.app_id and a.user_id = s.user_id and a.n = s.first_n
join numbered as z on z.app_id = s.app_id and z.user_id = s.user_id and z.n = s.last_n
left join numbered as p on p.app_id = s.app_id and p.user_id = s.user_id and p.n = s.first_n - 1
left join settled as t on t.app_id = s.app_id and t.user_id = s.user_id and t.first_n = s.first_n
"""
# grain: one closed stay; the centre is the mean of all its fixes, longitudes as angles
PRODUCT_STAYS = """
select g.app_id, g.user_id, make_timestamp(g.began) as started_at, make_timestamp(g.ended) as ended_at,
    avg(f.latitude) as latitude,
    degrees(atan2(avg(sin(radians(f.longitude))), avg(cos(radians(f.longitude))))) as longitude,
    count(*) as fixes
from groups as g
join numbered as f on f.app_id = g.app_id and f.user_id = g.user_id and f.n between g.first_n and g.last_n
where g.is_stay and g.is_closed
group by g.app_id, g.user_id, g.first_n, g.began, g.ended
order by g.app_id, g.user_id, started_at
"""
# grain: one closed leg. The fold goes from group to group: `since` is the first fix of the leg that is open, `is_away`
# tells whether a fix was outside its first anchor.
PRODUCT_LEGS = """
with boundaries as (
    select *, case
        when step_micros is null then 'begin'
        when step_micros <= 15 * 60 * 1000000 then 'on'
        when step_metres >= 100000.0 then 'jump'
        when step_metres >= 1000.0 and step_metres / (step_micros / 1e6) >= 1.4 then 'on'
        else 'cut' end as boundary
    from groups
),
walks as (
    select app_id, user_id, list({
        'first_n': first_n, 'last_n': last_n, 'settled_n': settled_n, 'began': began, 'ended': ended,
        'is_stay': is_stay, 'boundary': boundary} order by first_n) as steps
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
                when step.is_stay then step.ended
                when step.boundary <> 'on' or step.began - state.since_micros >= 86400 * 1000000::bigint
                    then step.began
                else state.since_micros end,
            'is_away': not step.is_stay and step.boundary = 'on'
                and step.began - state.since_micros < 86400 * 1000000::bigint,
            'last_n': step.last_n,
            'legs': list_concat(state.legs, list_filter([
                case when step.boundary in ('cut', 'jump') and state.is_away
                    then {'from_n': state.since, 'to_n': state.last_n, 'closed_n': step.first_n} end,
                case when step.boundary = 'jump'
                    then {'from_n': state.last_n, 'to_n': step.first_n, 'closed_n': step.first_n} end,
                case when step.boundary = 'on' and step.began - state.since_micros >= 86400 * 1000000::bigint
                    then {'from_n': state.since, 'to_n': step.first_n, 'closed_n': step.first_n}
                    when step.boundary = 'on' and step.is_stay
                    then {'from_n': state.since, 'to_n': step.first_n, 'closed_n': step.settled_n} end
            ], lambda leg: leg is not null))
        },
        {'since': 0::bigint, 'since_micros': 0::bigint, 'is_away': false, 'last_n': 0::bigint,
         'legs': []::struct(from_n bigint, to_n bigint, closed_n bigint)[]}
    ).legs as legs
    from walks
),
unnested as (select app_id, user_id, unnest(legs) as leg from folded)
select u.app_id, u.user_id, make_timestamp(min(f.micros)) as started_at, make_timestamp(max(f.micros)) as ended_at,
    count(*) as fixes, list({'tracked_at': make_timestamp(f.micros), 'latitude': f.latitude, 'longitude': f.longitude}
        order by f.n) as points,
    make_timestamp(any_value(c.micros)) as closed_at,
    make_timestamp(greatest(max(f.received), any_value(c.received))) as received_at
from unnested as u
join numbered as f on f.app_id = u.app_id and f.user_id = u.user_id and f.n between u.leg.from_n and u.leg.to_n
join numbered as c on c.app_id = u.app_id and c.user_id = u.user_id and c.n = u.leg.closed_n
group by u.app_id, u.user_id, u.leg
order by u.app_id, u.user_id, started_at, ended_at
"""


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    # One for all calls: to open one costs as much as a fold of a few hundred fixes.
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(METRES)
    return connection


def oracle(fixes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return stays and legs by the anchor rule: 100 m, 5 min, gap of 15 min, and the last stay counts."""
    minute = 60_000_000
    connection = _connection()
    connection.register("given", fixes)
    connection.execute(NUMBERED, {"gap_micros": 15 * minute})
    connection.execute(ORACLE_GROUPS, {"metres": 100.0})
    connection.execute(STAY_FIXES, {"least_micros": 5 * minute})
    return connection.execute(STAYS).pl(), connection.execute(LEGS).pl()


def product(fixes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the stays and legs that are closed by the rule of the offloads."""
    connection = _connection()
    connection.register("given", fixes)
    connection.execute(COUNTED)
    connection.execute(PRODUCT_GROUPS)
    return connection.execute(PRODUCT_STAYS).pl(), connection.execute(PRODUCT_LEGS).pl()
