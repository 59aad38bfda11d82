"""Whole-number measures of drives, in SQL: what ``scores`` takes of sensor events and of map-matched waypoints."""

from __future__ import annotations

from offramp.feeds.mobility.driving import thresholds as at

EVENT_COLUMNS = (
    "sensor_events",
    "accel_impact",
    "brake_impact",
    "turn_impact",
    "moderate_impact",
    "moderate_turn_impact",
    "coasting_milliseconds",
    "slowdowns",
    "late_slowdowns",
    "slowdowns_v2",
    "late_slowdowns_v2",
    "handling_milliseconds",
    "handheld_milliseconds",
    "handsfree_milliseconds",
    "mounted_milliseconds",
)
WAYPOINT_COLUMNS = (
    "limit_milliseconds",
    "legal_milliseconds",
    "limit_millimetres",
    "legal_millimetres",
    "motorway_metres",
    "city_metres",
    "noncity_metres",
    "motorway_seconds",
    "city_seconds",
    "noncity_seconds",
)

# Faster than any car: such speeds and limits are faults.
_MOST_KMH = 500
# The speed at which the next waypoint was reached, on a plane of degrees of 111.195 km: 1 mm/ms is 360 of our units.
_REACHED_AT = f"""case when until_next > 0 and not is_last then cast(round(least(
            {_MOST_KMH * 100}, 40030200000.0 * sqrt(
            power(next_latitude - latitude, 2)
            + power((next_longitude - longitude) * cos(radians(latitude / 2 + next_latitude / 2)), 2)
        ) / until_next)) as bigint) end"""
_ROADS = (("motorway", "motorway"), ("city", "residential"), ("noncity", "road"))


def event_measures() -> str:
    """Return the CTEs from ``sensed`` to ``event_measures``: one row per drive that has sensor events.

    Times in the hand are those that at least one event covers, so that events that overlap do not count twice.
    """
    return f"""timed as (
    select number, event_id, kind, magnitude, epoch_ms(started_at) as begins,
        epoch_ms(ended_at) as ends,
        epoch_ms(ended_at) - epoch_ms(started_at) >= {at.LEAST_HARD_MILLISECONDS} as is_long
    from sensed
),
followed as (
    select *, min(begins) filter (kind = 'turn') over (
        partition by number order by begins, event_id rows between current row and unbounded following
    ) as next_turn
    from timed
),
weighed as (
    select *,
        {_impact("acceleration", "magnitude", at.HARD_ACCELERATION)} as accel_impact,
        {_impact("acceleration", "-magnitude", at.HARD_BRAKE)} as brake_impact,
        {_impact("turn", "abs(magnitude)", at.HARD_TURN)} as turn_impact,
        kind in ('acceleration', 'turn') and is_long and abs(magnitude) >= {at.MODERATE} as is_moderate,
        kind = 'acceleration' and abs(magnitude) < {at.COASTING} as is_coasting,
        kind = 'acceleration' and magnitude < {at.COASTING} as is_slowing,
        kind = 'acceleration' and is_long and magnitude <= -{at.MODERATE} as is_late,
        case when next_turn - ends <= {at.BEFORE_TURN_MILLISECONDS} then 2 else 1 end as weight
    from followed
),
covering as (
    select number, event_id, begins, ends, unnest(case kind
        when 'phone_handling' then ['handling', 'handheld']
        when 'call_handheld' then ['handheld']
        when 'call_handsfree' then ['handsfree']
        when 'mounted' then ['mounted']
    end) as what
    from timed
),
covered as (
    select number, what, greatest(0, ends - greatest(begins, coalesce(max(ends) over (
        partition by number, what order by begins, ends, event_id
        rows between unbounded preceding and 1 preceding
    ), begins))) as milliseconds
    from covering
),
coverage as (
    select number, {_sums_of_coverage()}
    from covered
    group by number
),
counted as (
    select number,
        count(*) as sensor_events,
        sum(accel_impact) as accel_impact,
        sum(brake_impact) as brake_impact,
        sum(turn_impact) as turn_impact,
        count(*) filter (is_moderate and kind = 'acceleration' and accel_impact = 0 and brake_impact = 0)
            * {at.MODERATE_IMPACT_METRES} as moderate_impact,
        count(*) filter (is_moderate and kind = 'turn' and turn_impact = 0)
            * {at.MODERATE_IMPACT_METRES} as moderate_turn_impact,
        sum(ends - begins) filter (is_coasting) as coasting_milliseconds,
        count(*) filter (is_slowing) as slowdowns,
        count(*) filter (is_late) as late_slowdowns,
        sum(weight) filter (is_slowing) as slowdowns_v2,
        sum(weight) filter (is_late) as late_slowdowns_v2
    from weighed
    group by number
),
event_measures as (
    select c.*, o.handling_milliseconds, o.handheld_milliseconds, o.handsfree_milliseconds, o.mounted_milliseconds
    from counted as c
    left join coverage as o on c.number = o.number
)"""


def waypoint_measures() -> str:
    """Return the CTEs from ``mapped`` to ``waypoint_measures``: one row per drive that has waypoints.

    A waypoint stands for the time up to the next one, and the way is its speed by that time. Speeds are in hundredths
    of km/h; one km/h by a millisecond is 1/3.6 mm. The limits are judged by what is known alone. The metres on roads
    are known wherever the road is: the last waypoint stands for the time up to the end of the drive, and one without a
    speed has that of the waypoint before or after it, else that at which the next one, on the map too, was reached.
    """
    sums = ",\n        ".join(_road_sums())
    tolerance = at.TOLERANCE_KMH * 100
    return f"""speeds as (
    select number, tracked_at, latitude, longitude, drive_ended_at, road,
        case when speed <= {_MOST_KMH} then cast(round(speed * 100) as bigint) end as speed,
        case when speed_limit <= {_MOST_KMH} then cast(round(speed_limit * 100) as bigint) end as speed_limit
    from mapped
),
around as (
    select *, lag(speed) over way as speed_before, lead(speed) over way as speed_after,
        lead(latitude) over way as next_latitude, lead(longitude) over way as next_longitude,
        epoch_ms(lead(tracked_at, 1, drive_ended_at) over way) - epoch_ms(tracked_at) as until_next,
        lead(tracked_at) over way is null as is_last
    from speeds
    window way as (partition by number order by tracked_at)
),
steps as (
    select number, road, speed, speed_limit, least(until_next, {at.LONGEST_STEP_MILLISECONDS}) as took,
        coalesce(
            speed_before + speed + speed_after
            - greatest(speed_before, speed, speed_after) - least(speed_before, speed, speed_after),
            speed
        ) as smoothed,
        coalesce(speed, speed_before, speed_after, {_REACHED_AT}, 0) as believed,
        speed_limit is not null and speed is not null and not is_last as has_limit
    from around
),
stretches as (
    select *, believed * took // 360 as millimetres, smoothed * took // 360 as smoothed_millimetres,
        speed <= speed_limit + {tolerance} as is_legal,
        smoothed <= speed_limit + {tolerance} as is_legal_smoothed
    from steps
),
waypoint_measures as (
    select number,
        sum(took) filter (has_limit) as limit_milliseconds,
        sum(took) filter (has_limit and is_legal) as legal_milliseconds,
        sum(smoothed_millimetres) filter (has_limit) as limit_millimetres,
        sum(smoothed_millimetres) filter (has_limit and is_legal_smoothed) as legal_millimetres,
        {sums}
    from stretches
    group by number
)"""


def _impact(kind: str, strength: str, hard: float) -> str:
    return (
        f"case when kind <> '{kind}' or not is_long then 0 when {strength} >= {at.SEVERE} then"
        f" {at.SEVERE_IMPACT_METRES} when {strength} >= {hard} then {at.HARD_IMPACT_METRES} else 0 end"
    )


def _sums_of_coverage() -> str:
    names = ("handling", "handheld", "handsfree", "mounted")
    return ", ".join(f"sum(milliseconds) filter (what = '{name}') as {name}_milliseconds" for name in names)


def _road_sums() -> list[str]:
    metres = [f"sum(millimetres) filter (road = '{road}') // 1000 as {name}_metres" for name, road in _ROADS]
    return metres + [f"sum(took) filter (road = '{road}') // 1000 as {name}_seconds" for name, road in _ROADS]
