"""Driving events as the JSON text that is delivered (mobility_offloads.md, section 4, driving_events_realtime).

Nine lists, always all of them, and always in this order. Durations are whole milliseconds, as the vendor's API has
them (5321 for 5.3 s); strengths are in units of 0.2 m/s2 with at most three decimals; braking and right are negative.
``boundaries`` holds the drive itself; idle, breakdown, crash and traffic are empty, as in the samples. Handling the
phone and calling by hand are anomalies; calling hands-free is none.
"""

from __future__ import annotations

from offramp.feeds.mobility.driving import thresholds as at

LISTS = ("acceleration", "idle", "breakdown", "boundaries", "turn", "anomalies", "mounted", "crash", "traffic")


def local_text(instant: str) -> str:
    """Return the expression for an instant's text, of rows that have seconds_east and suffix: ISO 8601, milliseconds.

    What is smaller than a millisecond is cut off.
    """
    return f"strftime({instant} + to_seconds(seconds_east), '%Y-%m-%dT%H:%M:%S.%g') || suffix"


def event_texts() -> str:
    """Return the CTEs from ``sensed`` to ``behavior_texts``: one row per drive that has sensor events."""
    lists = ",\n        ".join(f"{name} := {_list(name)}" for name in LISTS)
    return f"""told as (
    select number, event_id, kind, started_at, drive_started_at, drive_ended_at, magnitude, angle, seconds_east, suffix,
        epoch_ms(ended_at) - epoch_ms(started_at) as duration,
        {local_text("started_at")} as start_text,
        {local_text("ended_at")} as end_text,
        {_strength("magnitude")} as peak_strength,
        {_strength("mean")} as mean_strength,
        round(mean * {at.UNITS_PER_METRE} * (epoch_ms(ended_at) - epoch_ms(started_at)) / 1000, 3) + 0.0 as integral
    from sensed
),
described as (
    select number, kind, started_at, event_id, {local_text("drive_started_at")} as drive_start,
        {local_text("drive_ended_at")} as drive_end,
        {_acceleration()} as acceleration_event,
        {_turn()} as turn_event,
        {_plain("anomalies", "phone_usage")} as anomaly_event,
        {_plain("mounted", "mounted")} as mounted_event
    from told
),
behavior_texts as (
    select number, cast(to_json(struct_pack(
        {lists}
    )) as varchar) as behavior_events
    from described
    group by number
)"""


def _strength(column: str) -> str:
    # Minus zero becomes zero.
    return f"round({column} * {at.UNITS_PER_METRE}, 3) + 0.0"


def _acceleration() -> str:
    peak = (
        'struct_pack(duration := duration, "max" := peak_strength, integral := integral, mean := mean_strength,'
        ' start := start_text, "end" := end_text, is_positive := magnitude > 0)'
    )
    return f"""struct_pack(
            duration := duration, features := struct_pack(magnitude := peak_strength), mean := mean_strength,
            start := start_text, magnitude := 0, "end" := end_text, category := 'acceleration',
            type := case when magnitude >= {at.COASTING} then 'accelerate'
                when magnitude <= -{at.COASTING} then 'brake' else 'coast' end,
            peaks := case when abs(magnitude) >= {at.COASTING} then [{peak}] else [] end
        )"""


def _turn() -> str:
    return f"""struct_pack(
            duration := duration, features := struct_pack(magnitude := peak_strength), mean := mean_strength,
            start := start_text, magnitude := 0, "end" := end_text, category := 'turn',
            type := case when abs(angle) >= {at.ROUNDABOUT_DEGREES} then 'roundabout'
                when coalesce(angle, magnitude) < 0 then 'right_turn' else 'left_turn' end,
            peaks := [struct_pack(
                duration := duration, mean := mean_strength, start := start_text, angle := round(angle, 3) + 0.0,
                magnitude := peak_strength, "end" := end_text, is_positive := coalesce(angle, magnitude) > 0
            )]
        )"""


def _plain(category: str, type_: str) -> str:
    return (
        'struct_pack(duration := duration, start := start_text, "end" := end_text,'
        f" category := '{category}', type := '{type_}')"
    )


def _list(name: str) -> str:
    events = {
        "acceleration": ("acceleration_event", "kind = 'acceleration'"),
        "turn": ("turn_event", "kind = 'turn'"),
        "anomalies": ("anomaly_event", "kind in ('phone_handling', 'call_handheld')"),
        "mounted": ("mounted_event", "kind = 'mounted'"),
    }
    if name == "boundaries":
        return (
            "[struct_pack(category := 'boundaries', start := any_value(drive_start), \"end\" := any_value(drive_end),"
            " features := cast('{}' as json))]"
        )
    if name not in events:
        return "cast([] as integer[])"
    event, condition = events[name]
    return f"coalesce(list({event} order by started_at, event_id) filter ({condition}), [])"
