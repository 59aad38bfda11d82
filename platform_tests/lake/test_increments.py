"""Append-only tables land each row once, whatever the order of landings."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offramp.domain.landings import Increment, Landing, TableSpec
from platform_tests.lake.shop import PLAYS, hour, ids, land, plays, store_at

if TYPE_CHECKING:
    from offramp.lake.landings import FolderLandingStore

UNDATED = replace(PLAYS, increment=Increment(None, overlap=timedelta(hours=2), lookback=timedelta(days=7)))
LATEST_COMMIT_HOURS = 2  # the overlap of PLAYS


def test_an_increment_holds_only_new_rows_sorted_by_key(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    first = land(store, hour(1), (PLAYS, plays((3, 1), (1, 0.5))))
    second = land(store, hour(2), (PLAYS, plays((3, 1), (9, 2), (4, 1.5))))

    assert ids(store.relation("plays", second, "plays")) == [1, 3, 4, 9]
    [uri] = store.relation_since("plays", second, "plays", first).uris
    assert pq.read_table(uri)["play_id"].to_pylist() == [4, 9]
    assert len(store.relation_since("plays", second, "plays", None).uris) == 2


def test_an_increment_without_new_rows_adds_no_file(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    first = land(store, hour(1), (PLAYS, plays((1, 1))))

    second = land(store, hour(2), (PLAYS, plays((1, 1))))
    third = land(store, hour(3), (PLAYS, plays()))

    assert first.table("plays") == second.table("plays") == third.table("plays")
    assert store.relation_since("plays", third, "plays", first).uris == ()


def test_the_first_landing_of_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    landing = land(store_at(tmp_path), hour(1), (PLAYS, plays()))

    assert landing.table("plays").rows == 0
    assert [name for name, _ in landing.table("plays").schema] == ["tenant", "play_id", "ingested_at"]


def test_a_key_that_comes_twice_lands_once_as_first_ingested(tmp_path: Path) -> None:
    store = store_at(tmp_path)

    landing = land(store, hour(5), (PLAYS, plays((1, 4), (1, 3), (1, 3.5), (2, 1))))

    [uri] = store.relation("plays", landing, "plays").uris
    assert pq.read_table(uri)["ingested_at"].to_pylist() == [hour(3), hour(1)]


def test_the_same_key_of_another_tenant_is_another_row(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    land(store, hour(1), (PLAYS, plays((1, 1))))

    other = plays((1, 2)).set_column(0, "tenant", pa.array(["u"]))
    landing = land(store, hour(2), (PLAYS, other))

    assert ids(store.relation("plays", landing, "plays")) == [1, 1]


def test_a_key_that_returns_within_the_lookback_stays_out(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    land(store, hour(1), (PLAYS, plays((1, 1))))
    land(store, hour(100), (PLAYS, plays((2, 100))))

    landing = land(store, hour(150), (PLAYS, plays((1, 149), (3, 149))))

    assert ids(store.relation("plays", landing, "plays")) == [1, 2, 3]


def test_reading_goes_on_an_overlap_before_the_last_landing_at_or_before(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    assert store.begin("shop", hour(1)).read_from(PLAYS) is None
    land(store, hour(1), (PLAYS, plays((1, 1))), (UNDATED_OTHER, plays((1, 1))))
    land(store, hour(9), (PLAYS, plays((1, 1))))

    assert store.begin("shop", hour(5)).read_from(PLAYS) == hour(-1)
    assert store.begin("shop", hour(9)).read_from(PLAYS) == hour(7)
    assert store.begin("shop", hour(9)).read_from(UNDATED_OTHER) is None


def test_a_column_that_comes_later_is_in_the_schema(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    land(store, hour(1), (PLAYS, plays((1, 1))))

    wider = plays((1, 1), (2, 2)).append_column("device", pa.array(["tv", "tv"]))
    landing = land(store, hour(2), (PLAYS, wider))

    assert store.relation("plays", landing, "plays").schema[-1] == ("device", "VARCHAR")
    assert ids(store.relation("plays", landing, "plays")) == [1, 2]


def test_the_bytes_of_an_increment_do_not_depend_on_the_order_of_reading(tmp_path: Path) -> None:
    files = []
    for number, rows in enumerate([[(1, 1), (2, 2), (2, 1)], [(2, 1), (2, 2), (1, 1)]]):
        store = store_at(tmp_path / str(number))
        [uri] = store.relation("plays", land(store, hour(2), (PLAYS, plays(*rows))), "plays").uris
        files.append(Path(uri).read_bytes())

    assert files[0] == files[1]


UNDATED_OTHER = replace(UNDATED, name="undated")


def _read(
    store: FolderLandingStore, at: int, spec: TableSpec, history: list[tuple[int, int, int]]
) -> tuple[Landing, set[int]]:
    """Land what a source shows at an hour: rows committed by then, from where the lake wants them."""
    writer = store.begin("shop", hour(at))
    read_from = writer.read_from(spec)
    visible = [
        (key, ingested)
        for key, ingested, committed in history
        if committed <= at and (read_from is None or hour(ingested) >= read_from)
    ]
    pq.write_table(plays(*visible), writer.path(spec))
    writer.add(spec)
    return store.commit(writer), {key for key, _, committed in history if committed <= at}


HISTORIES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, LATEST_COMMIT_HOURS)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=12,
).map(lambda instants: [(key, ingested, committed) for key, (ingested, committed) in enumerate(instants)])
READ_POINTS = st.lists(st.integers(0, 45), min_size=1, max_size=5)


@pytest.mark.parametrize("spec", [PLAYS, UNDATED], ids=["by ingestion", "by key"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=HISTORIES, points=READ_POINTS)
def test_every_row_lands_exactly_once_over_any_history_and_any_read_points(
    spec: TableSpec, history: list[tuple[int, int, int]], points: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = store_at(Path(folder))
        landed = [_read(store, point, spec, history) for point in points]

        for landing, expected in landed:
            assert ids(store.relation("plays", landing, "plays")) == sorted(expected)
            for base, known in landed:
                if base.data_as_of <= landing.data_as_of:
                    since = store.relation_since("plays", landing, "plays", base)
                    assert ids(since) == sorted(expected - known)
