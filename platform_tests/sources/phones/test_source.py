from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offramp.domain.errors import SourceRefused
from offramp.domain.landings import TableSpec
from offramp.sources.phones.schema import APP_IDS, TABLES, UPLOADED
from platform_tests.sources.landing_folder import FolderWriter
from platform_tests.sources.phones.landing import DAY, START, land, specs, sums

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from offramp.sources.phones.source import PhonesSource

LIVE = """
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from offramp.sources.phones.source import PhonesSource
folder, scale, days = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
start = datetime(2026, 1, 5, tzinfo=UTC)
source = PhonesSource('mobility', folder, 7, start.date(), None, scale, lambda: start)
for number in range(days):
    source.select_as_of('fixes', start + timedelta(days=number))
    print(number, flush=True)
"""


def process(folder: Path, scale: float, days: int, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", LIVE, folder, str(scale), str(days)],
        env={"PYTHONPATH": ":".join(sys.path)} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_same_seed_gives_the_same_bytes_in_another_process_and_at_other_thread_counts(
    phones_of: Callable[..., PhonesSource], tmp_path: Path
) -> None:
    as_of = START + timedelta(days=4, hours=11)
    with process(tmp_path / "other", 0.1, 5, POLARS_MAX_THREADS="1") as other:
        one = land(phones_of(threads=1), tmp_path / "one", as_of=as_of)
        four = land(phones_of(threads=4), tmp_path / "four", as_of=as_of)
        other.communicate()
    assert other.returncode == 0
    assert sums(one) == sums(four)
    assert sums(tmp_path / "phones") == sums(tmp_path / "other") != {}


def test_two_processes_can_make_the_same_days_at_once(phones_of: Callable[..., PhonesSource], tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    both = [process(shared, 0.1, 6) for _ in range(2)]
    for one in both:
        one.communicate()
    assert [one.returncode for one in both] == [0, 0]
    phones_of().select_as_of("fixes", START + 5 * DAY)
    assert sums(shared) == sums(tmp_path / "phones")
    assert not list(shared.glob("*/.making-*"))


def test_a_life_is_the_same_whether_made_at_once_or_day_by_day_by_new_readers(
    phones_of: Callable[..., PhonesSource], tmp_path: Path
) -> None:
    phones_of(folder=tmp_path / "at_once").select_as_of("fixes", START + 9 * DAY)
    for number in range(0, 10, 3):
        phones_of(folder=tmp_path / "in_steps").select_as_of("waypoints", START + number * DAY)
    assert sums(tmp_path / "at_once") == sums(tmp_path / "in_steps")


@pytest.mark.parametrize("days", [0, 3])
def test_what_is_left_of_a_killed_process_is_never_read_and_the_next_one_goes_on(
    phones_of: Callable[..., PhonesSource], tmp_path: Path, days: int
) -> None:
    folder = tmp_path / "killed"
    with process(folder, 0.3, 1_000) as killed:
        for line in killed.stdout or ():
            if int(line) == days:
                killed.kill()
                break
    phones_of(folder=folder, scale=0.3).select_as_of("fixes", START + 9 * DAY)
    phones_of(scale=0.3).select_as_of("fixes", START + 9 * DAY)
    whole, resumed = sums(tmp_path / "phones"), sums(folder)
    assert {name: resumed[name] for name in whole} == whole


def test_another_seed_gives_other_people(phones_of: Callable[..., PhonesSource]) -> None:
    users = [set(source.truth(START.date(), START.date()).people["user_id"]) for source in
             (phones_of(seed=1), phones_of(seed=2))]  # fmt: skip
    assert not users[0] & users[1]


@given(
    cuts=st.lists(st.integers(0, 20 * 24 * 3_600), min_size=1, max_size=4, unique=True).map(sorted),
    table=st.sampled_from([*UPLOADED]),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_increments_between_any_instants_add_up_to_the_whole(
    lived_phones: PhonesSource, cuts: list[int], table: str
) -> None:
    ends = [START + timedelta(seconds=cut) for cut in cuts]
    pairs = zip([None, *ends], ends, strict=False)
    parts = [f"({lived_phones.select_as_of(table, end, since=since)})" for since, end in pairs]
    whole = f"({lived_phones.select_as_of(table, ends[-1])})"
    with lived_phones.connect() as connection:
        [(lost, extra)] = connection.execute(
            f"with parts as ({' union all '.join(parts)}), whole as {whole} "
            "select (select count(*) from (from whole except all from parts)), "
            "(select count(*) from (from parts except all from whole))"
        ).fetchall()
        [(late,)] = connection.execute(f"select count(*) from {whole} where received_at > '{ends[-1]}'").fetchall()
    assert (lost, extra, late) == (0, 0, 0)


def test_what_was_visible_at_an_instant_never_changes_later(
    phones_of: Callable[..., PhonesSource], tmp_path: Path
) -> None:
    as_of = START + timedelta(days=3, hours=9, minutes=30)
    before = land(phones_of(), tmp_path / "before", as_of=as_of)
    phones_of().select_as_of("fixes", START + 10 * DAY)
    after = land(phones_of(), tmp_path / "after", as_of=as_of)
    assert sums(before) == sums(after)


@pytest.mark.parametrize("hours", [0, 0.02, 23])
def test_tables_to_which_nothing_came_since_they_landed_are_kept(
    phones_of: Callable[..., PhonesSource], tmp_path: Path, hours: float
) -> None:
    at, source = START + timedelta(days=3, hours=3), phones_of()
    then = land(source, tmp_path / "then", as_of=at)
    now = land(source, tmp_path / "now", as_of=at + timedelta(hours=hours))
    (tmp_path / "kept").mkdir()
    writer = FolderWriter(tmp_path / "kept", kept_from=at)

    source.land(specs(), lambda _: writer, as_of=at + timedelta(hours=hours))

    same = {name for name in TABLES if sums(then)[f"{name}.parquet"] == sums(now)[f"{name}.parquet"]}
    assert set(writer.kept) == same >= {"venues"}
    assert {name: sums(now)[name] for name in sums(writer.folder)} == sums(writer.folder)
    assert sorted([*writer.kept, *writer.added]) == sorted(TABLES)


def test_phones_with_days_are_frozen_after_them(phones_of: Callable[..., PhonesSource], tmp_path: Path) -> None:
    source = phones_of(days=3)
    end = land(source, tmp_path / "end", as_of=START + 3 * DAY)
    later = land(source, tmp_path / "later", as_of=START + 300 * DAY)
    land(source, tmp_path / "nothing", as_of=START + 300 * DAY, since=START + 299 * DAY)
    assert sums(end) == sums(later)
    assert duckdb.sql(f"select count(*) from '{tmp_path}/nothing/fixes.parquet'").fetchall() == [(0,)]
    assert not list(source.folder.glob("v*/2026-01-08"))


def test_without_an_instant_it_lands_what_the_clock_says(
    phones_of: Callable[..., PhonesSource], tmp_path: Path
) -> None:
    now = datetime(2026, 1, 6, 13, 14, 15, tzinfo=UTC)
    source = phones_of(clock=lambda: now)
    points = []

    def begin(read_point: datetime) -> FolderWriter:
        points.append(read_point)
        return FolderWriter(tmp_path)

    assert source.land(specs(["venues"]), begin, as_of=None) == now
    assert points == [now]
    assert source.read_point() == now
    assert source.can_read_as_of


def test_wrong_names_and_instants_are_refused_with_what_is_right(
    phones_of: Callable[..., PhonesSource], tmp_path: Path
) -> None:
    source = phones_of()
    wrong_table = TableSpec("mobility", "fixs", ("user_id",), "app_id")
    wrong_column = TableSpec("mobility", "user_links", ("user_id",), "app", "linked_at")
    with pytest.raises(SourceRefused, match="did you mean 'fixes'"):
        source.land([wrong_table], lambda _: FolderWriter(tmp_path), as_of=START)
    with pytest.raises(SourceRefused, match=r"no column 'app'.*\n.*did you mean 'app_id'"):
        source.land([wrong_column], lambda _: FolderWriter(tmp_path), as_of=START)
    with pytest.raises(SourceRefused, match="no past before its first day"):
        source.land(specs(), lambda _: FolderWriter(tmp_path), as_of=START - timedelta(seconds=1))


@pytest.mark.parametrize("name", list(TABLES))
def test_columns_and_order_are_as_declared_and_no_table_of_a_tenant_is_empty_after_four_days(
    lived_phones: PhonesSource, tmp_path: Path, name: str
) -> None:
    land(lived_phones, tmp_path, tables=specs([name]), as_of=START + 4 * DAY)
    rows = f"'{tmp_path}/{name}.parquet'"
    found = duckdb.sql(f"describe select * from {rows}").fetchall()
    assert [(column, kind.lower()) for column, kind, *_ in found] == list(TABLES[name].columns)
    tenant = [] if name == "venues" else ["app_id"]
    key = ", ".join([*tenant, *TABLES[name].key])
    falls = f"select row({key}) < lag(row({key})) over () as falls from {rows}"
    assert duckdb.sql(f"select count(*) from ({falls}) where falls").fetchall() == [(0,)]
    if tenant:
        tenants = duckdb.sql(f"select app_id, count(*) from {rows} group by 1 order by 1").fetchall()
        assert [app_id for app_id, _ in tenants] == sorted(APP_IDS)


@pytest.mark.parametrize("name", list(TABLES))
def test_rows_of_one_key_differ_in_nothing_but_their_arrival(
    lived_phones: PhonesSource, tmp_path: Path, name: str
) -> None:
    land(lived_phones, tmp_path, tables=specs([name]), as_of=START + 20 * DAY)
    rows = f"'{tmp_path}/{name}.parquet'"
    columns = [column for column, _ in TABLES[name].columns if column != "received_at"]
    key = [*([] if name == "venues" else ["app_id"]), *TABLES[name].key]
    distinct = f"select count(*), count(distinct row({', '.join(key)})) from {rows}"
    same = f"select count(distinct row({', '.join(columns)})) from {rows}"
    [(total, keys)] = duckdb.sql(distinct).fetchall()
    assert duckdb.sql(same).fetchall() == [(keys,)]
    assert total > keys if TABLES[name].is_log else total == keys
