"""The stay rule a second time, as DuckDB SQL over lists, without a line of the product's code."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import duckdb

from platform_tests.mobility.timeline.independent_product import COUNTED, PRODUCT_GROUPS, PRODUCT_LEGS, PRODUCT_STAYS

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
