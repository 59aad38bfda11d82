from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from platform_tests.sources.phones.landing import DAY, START, land

if TYPE_CHECKING:
    from pathlib import Path

    from offramp.sources.phones.source import PhonesSource

END = START + 20 * DAY


@pytest.fixture(scope="module")
def landed(lived_phones: PhonesSource, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """All tables after twenty days, and the truth, as views."""
    folder: Path = land(lived_phones, tmp_path_factory.mktemp("landed"), as_of=END)
    connection = duckdb.connect()
    for file in folder.glob("*.parquet"):
        connection.execute(f"create view {file.stem} as from '{file}'")
    truth = lived_phones.truth(START.date(), END.date())
    for name in ("stays", "legs", "people"):
        connection.register(f"true_{name}", getattr(truth, name).to_arrow())
    return connection


def one(landed: duckdb.DuckDBPyConnection, query: str) -> tuple:
    return landed.execute(query).fetchall()[0]


def test_faults_of_phones_have_the_shares_of_real_ones(landed: duckdb.DuckDBPyConnection) -> None:
    poor, absurd, zero, future, repeated, ties, ahead, silent_speed = one(
        landed,
        """
        with once as (
            select *, row_number() over (partition by user_id, tracked_at, latitude, longitude order by received_at) n,
                   count(*) over (partition by user_id, tracked_at, received_at) at_once
            from fixes
        )
        select avg((accuracy > 45)::int), avg((isnan(latitude) or latitude > 90)::int),
               count(*) filter (latitude = 0 and longitude = 0),
               count(*) filter (tracked_at > received_at + interval 100 days),
               avg((n > 1)::int), avg((at_once > 1)::int),
               count(*) filter (tracked_at between received_at and received_at + interval 2 hours),
               avg((speed is null)::int)
        from once
        """,
    )
    assert 0.01 < poor < 0.03
    assert 0 < absurd < 0.001
    assert zero > 5
    assert future > 3
    assert 0.003 < repeated < 0.04
    assert 0.001 < ties < 0.01
    assert 0 < ahead < 3_000
    assert 0.05 < silent_speed < 0.15


def test_most_arrives_within_the_hour_and_some_hours_or_days_later_and_out_of_order(
    landed: duckdb.DuckDBPyConnection,
) -> None:
    soon, hours, days, three, next_day, batches = one(
        landed,
        """
        with lags as (
            select user_id, received_at, received_at - tracked_at as lag,
                   received_at::date > tracked_at::date as is_next
            from fixes where tracked_at < received_at + interval 2 hours
        )
        select avg((lag < interval 61 minutes)::int), avg((lag between interval 2 hours and interval 12 hours)::int),
               avg((lag > interval 19 hours)::int), count(*) filter (lag > interval 65 hours), avg(is_next::int),
               count(*) / count(distinct (user_id, received_at))
        from lags
        """,
    )
    assert 0.88 < soon < 0.97
    assert 0.005 < hours < 0.05
    assert 0.01 < days < 0.07
    assert three > 0
    assert 0.03 < next_day < 0.2
    assert 5 < batches < 200
    (falls,) = one(
        landed,
        """
        with batches as (select user_id, received_at, max(tracked_at) as newest from fixes group by all),
        ordered as (
            select newest < lag(newest) over (partition by user_id order by received_at) as falls from batches
        )
        select count(*) filter (falls) from ordered
        """,
    )
    assert falls > 20


def test_moving_phones_look_every_ten_to_sixty_seconds_and_still_ones_hardly(
    landed: duckdb.DuckDBPyConnection,
) -> None:
    (median, low, high) = one(
        landed,
        """
        with moving as (
            select f.user_id, l.started_at,
                   epoch(f.tracked_at - lag(f.tracked_at) over (partition by f.user_id, l.started_at
                                                                order by f.tracked_at)) as seconds
            from (select distinct user_id, tracked_at from fixes) f
            join true_legs l on l.user_id = f.user_id and f.tracked_at between l.started_at and l.ended_at
            where l.mode in ('walking', 'car', 'biking')
        )
        select median(seconds), quantile_cont(seconds, 0.05), quantile_cont(seconds, 0.95) from moving where seconds > 0
        """,
    )
    assert 10 <= low < median < high <= 75
    (share, beating) = one(
        landed,
        """
        with asleep as (
            select s.user_id,
                   count(distinct f.tracked_at) / (any_value(epoch(s.ended_at - s.started_at)) / 3600) as rate
            from true_stays s join true_people p using (user_id)
            left join fixes f on f.user_id = s.user_id
              and f.tracked_at between s.started_at + interval 10 minutes and s.ended_at - interval 2 minutes
            where s.ended_at - s.started_at > interval 7 hours and s.started_at > timestamp '2026-01-06'
              and s.kind = 'home'
              and p.silent_from is null and p.left_at is null and p.joined_at = timestamp '2026-01-05'
            group by s.user_id, s.started_at
        ), users as (select user_id, median(rate) as rate from asleep group by user_id)
        select avg((rate > 0.5)::int), quantile_cont(rate, 0.9) from users
        """,
    )
    assert 0.3 < share < 0.9
    assert beating <= 2.1


def test_sdk_events_say_what_is_true_most_of_the_time(landed: duckdb.DuckDBPyConnection) -> None:
    right, unknown, lowest, highest = one(
        landed,
        """
        with named as (
            select e.activity, e.confidence, case l.mode when 'walking' then 'walking' when 'running' then 'running'
                   when 'biking' then 'cycling' else 'automotive' end as wanted
            from sdk_events e
            join true_legs l on l.user_id = e.user_id and e.occurred_at between l.started_at and l.ended_at
            where e.kind = 'activity'
        )
        select avg((activity = wanted)::int), avg((activity = 'unknown')::int), min(confidence), max(confidence)
        from named
        """,
    )
    assert right > 0.8
    assert 0.02 < unknown < 0.1
    assert 0 <= lowest < highest <= 1
    kinds = landed.execute("select kind, count(*), count(activity), count(confidence), count(battery) from sdk_events "
                           "group by kind order by kind").fetchall()  # fmt: skip
    assert [kind for kind, *_ in kinds] == ["activity", "battery", "boot", "transition"]
    counts = {kind: rest for kind, *rest in kinds}
    assert counts["activity"] == [counts["activity"][0]] * 3 + [0]
    assert counts["battery"] == [counts["battery"][0], 0, 0, counts["battery"][0]]
    assert counts["transition"] == [counts["transition"][0]] * 2 + [0, 0]
    assert counts["boot"] == [counts["boot"][0], 0, 0, 0]


def test_payloads_tell_of_trips_and_a_silent_user_sends_none_for_a_week(landed: duckdb.DuckDBPyConnection) -> None:
    kinds = landed.execute("select distinct kind from payloads order by 1").fetchall()
    assert kinds == [("stationary_event",), ("trip",), ("trip_event",)]
    (gap,) = one(
        landed,
        """
        with gaps as (
            select received_at - lag(received_at) over (order by received_at) as gap
            from payloads join true_people using (user_id) where label = 'silent'
        )
        select max(gap) > interval 7 days from gaps
        """,
    )
    assert gap


def test_users_join_later_leave_and_are_linked_over_time(
    landed: duckdb.DuckDBPyConnection, lived_phones: PhonesSource
) -> None:
    late, gone = one(
        landed,
        "select count(*) filter (joined_at > timestamp '2026-01-06'), count(left_at) from true_people",
    )
    assert late >= 3
    assert gone >= 1
    (outside,) = one(
        landed,
        """
        select count(*) from fixes join true_people using (user_id)
        where tracked_at < joined_at or (tracked_at > left_at + interval 1 hour and tracked_at < received_at)
           or (tracked_at > silent_from + interval 1 hour and tracked_at < silent_until)
        """,
    )
    assert outside == 0
    with lived_phones.connect() as connection:
        counts = [
            connection.execute(f"select count(*) from ({lived_phones.select_as_of('user_links', START + n * DAY)})")
            .fetchall()[0][0]
            for n in (0, 1, 5, 20)
        ]  # fmt: skip
    assert counts[0] == 0
    assert counts == sorted(set(counts))
    assert 0.45 * 60 < counts[-1] < 0.8 * 60


def test_drivers_differ_by_character(landed: duckdb.DuckDBPyConnection) -> None:
    rows = landed.execute(
        """
        select p.character,
               avg((abs(magnitude) > 3)::int) filter (kind in ('acceleration', 'turn')) as harsh,
               count(*) filter (kind in ('phone_handling', 'call_handheld')) / count(*) as handling
        from sensor_events e join true_people p using (user_id)
        join true_legs l on l.user_id = e.user_id and e.started_at between l.started_at and l.ended_at
        where l.role = 'driver' group by 1
        """
    ).fetchall()
    harsh, handling = ({name: row[place] for name, *row in rows} for place in (0, 1))
    assert harsh["aggressive"] > 3 * harsh["calm"]
    assert handling["distracted"] > 4 * handling["calm"]
    wrong = one(
        landed,
        """
        select count(*) filter (ended_at <= started_at), count(*) filter (angle is not null and kind <> 'turn'),
               count(*) filter (magnitude is null and kind in ('acceleration', 'turn')),
               count(*) filter (kind = 'acceleration' and abs(magnitude) < 1),
               count(distinct kind)
        from sensor_events
        """,
    )
    assert wrong[:3] == (0, 0, 0)
    assert wrong[3] > 100
    assert wrong[4] == 6


def test_waypoints_know_road_and_limit_and_the_speeder_keeps_to_none(landed: duckdb.DuckDBPyConnection) -> None:
    over = dict(
        landed.execute(
            """
            select p.is_speeding, avg((speed > speed_limit * 1.05)::int)
            from waypoints join true_people p using (user_id) where road = 'motorway' group by 1
            """
        ).fetchall()
    )
    assert over[True] > 0.5
    assert over[False] < 0.05
    roads = dict(landed.execute("select road, avg(speed) from waypoints group by 1").fetchall())
    assert roads["residential"] < roads["road"] < roads["motorway"]
    nulls = one(
        landed, "select count(*) - count(speed), count(*) - count(speed_limit), count(*) - count(road) from waypoints"
    )
    assert all(nulls)
    (beside,) = one(
        landed,
        """
        select count(*) from waypoints w where not exists (from true_legs l where l.user_id = w.user_id
          and l.mode = 'car' and w.tracked_at between l.started_at and l.ended_at + interval 1 second)
        """,
    )
    assert beside == 0


def test_venues_have_types_from_general_to_special_and_stand_apart(landed: duckdb.DuckDBPyConnection) -> None:
    valid, kinds, known, unknown, branded = one(
        landed,
        """
        select bool_and(json_array_length(types) >= 1), count(distinct types), count(opening_hours),
               count(*) - count(opening_hours), count(brand)
        from venues
        """,
    )
    assert valid
    assert kinds > 40
    assert known > 100
    assert unknown > 100
    assert branded > 100
    (near,) = one(
        landed,
        """
        with standing as (select * from venues where types not like '%publictransport%')
        select count(*) from standing a join standing b on a.venue_id < b.venue_id
        and abs(a.latitude - b.latitude) < 0.001 and abs(a.longitude - b.longitude) < 0.001
        """,
    )
    assert near == 0
