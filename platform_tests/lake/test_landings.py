"""Landings appear at once, are never overwritten, and keep equal tables once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offramp.domain.errors import LandingUnavailable, PermanentError, SourceRefused
from platform_tests.lake.shop import PLAYS, USERS, fill, hour, ids, land, names, plays, store_at, users

if TYPE_CHECKING:
    from pathlib import Path


def test_a_landing_is_seen_only_when_it_is_committed(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    writer = store.begin("shop", hour(1))
    fill(writer, (USERS, users((1, "a"))))
    assert store.landings("shop") == ()

    landing = store.commit(writer)

    assert landing.id == writer.landing_id == "20260101T010000000000Z"
    assert store_at(tmp_path).landings("shop") == (landing,)
    assert names(list((tmp_path / "landings/shop" / landing.id).iterdir())) == ["landing.json", "users.parquet"]
    assert landing.table("users").schema == (("tenant", "VARCHAR"), ("user_id", "BIGINT"), ("name", "VARCHAR"))


def test_landings_of_one_read_point_get_numbers_and_sort_by_them(tmp_path: Path) -> None:
    store = store_at(tmp_path)

    made = [land(store, hour(1), (USERS, users((1, str(number))))).id for number in range(11)]

    assert made[:2] == ["20260101T010000000000Z", "20260101T010000000000Z-2"]
    assert [landing.id for landing in store.landings("shop")] == made


def test_an_unchanged_table_refers_to_the_earlier_file(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    first = land(store, hour(1), (USERS, users((1, "a"), (2, "b"))))

    same_bytes = land(store, hour(2), (USERS, users((1, "a"), (2, "b"))))
    other_order = land(store, hour(3), (USERS, users((2, "b"), (1, "a"))))
    once_more = land(store_at(tmp_path), hour(4), (USERS, users((2, "b"), (1, "a"))))

    for later in (same_bytes, other_order, once_more):
        assert later.table("users") == first.table("users")
        assert names(list((tmp_path / "landings/shop" / later.id).iterdir())) == ["landing.json"]


@pytest.mark.parametrize(
    "changed",
    [
        [(1, "a"), (2, "c"), (3, "c")],
        [(1, "a"), (2, "b")],
        [(1, "c"), (2, "b"), (3, "a")],
        [(1, "a"), (2, "b"), (2, "b")],
    ],
)
def test_a_changed_table_lands_anew(tmp_path: Path, changed: list[tuple[int, str]]) -> None:
    store = store_at(tmp_path)
    first = land(store, hour(1), (USERS, users((1, "a"), (2, "b"), (3, "c"))))

    second = land(store, hour(2), (USERS, users(*changed)))

    assert second.table("users").files != first.table("users").files
    assert ids(store.relation("users", second, "users"), "user_id") == sorted(row[0] for row in changed)


def test_values_that_only_their_text_tells_apart_are_a_change(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    columns = {"tenant": ["t", "t"], "user_id": [1, 2]}
    first = land(store, hour(1), (USERS, pa.table({**columns, "score": [0.0, -0.0]})))

    second = land(store, hour(2), (USERS, pa.table({**columns, "score": [-0.0, 0.0]})))

    assert second.table("users").files != first.table("users").files


def test_a_column_of_another_type_is_a_change(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    land(store, hour(1), (USERS, pa.table({"tenant": ["t"], "user_id": pa.array([1], pa.int32())})))

    second = land(store, hour(2), (USERS, pa.table({"tenant": ["t"], "user_id": pa.array([1], pa.int64())})))

    assert second.table("users").files[0].landing_id == second.id
    assert second.table("users").schema == (("tenant", "VARCHAR"), ("user_id", "BIGINT"))


def test_an_as_of_landing_is_based_on_the_last_one_before_it(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    first = land(store, hour(1), (USERS, users((1, "a"))))
    land(store, hour(5), (USERS, users((1, "z"))))

    between = land(store, hour(3), (USERS, users((1, "a"))))

    assert between.table("users") == first.table("users")
    assert [landing.data_as_of for landing in store.landings("shop")] == [hour(1), hour(3), hour(5)]


def test_two_landings_of_one_instant_at_once_both_commit_and_share_their_rows(tmp_path: Path) -> None:
    one, other = store_at(tmp_path), store_at(tmp_path)
    first = land(one, hour(0), (PLAYS, plays((1, 0))))
    writers = [store.begin("shop", hour(1)) for store in (one, other)]
    for writer in writers:
        fill(writer, (PLAYS, plays((1, 0), (2, 1))), (USERS, users((1, "a"))))

    landings = [store.commit(writer) for store, writer in zip((one, other), writers, strict=True)]

    assert landings[0].id != landings[1].id
    assert landings[0].tables == landings[1].tables
    assert ids(one.relation_since("plays", landings[1], "plays", first)) == [2]
    assert ids(one.relation_since("plays", landings[1], "plays", landings[0])) == []


def test_a_landing_that_another_overtakes_repeats_no_row(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    slow = store.begin("shop", hour(3))
    fill(slow, (PLAYS, plays((1, 1), (2, 3))))
    land(store, hour(2), (PLAYS, plays((1, 1))))

    landing = store.commit(slow)

    assert ids(store.relation("plays", landing, "plays")) == [1, 2]
    assert [file.rows for file in landing.table("plays").files] == [1, 1]


def test_an_abandoned_landing_is_swept_and_a_live_one_is_not(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    abandoned = store.begin("shop", hour(1))
    fill(abandoned, (USERS, users((1, "a"))))
    live = store.begin("shop", hour(2))
    del abandoned

    landing = land(store, hour(3), (USERS, users((1, "b"))))

    assert sorted(path.name for path in (tmp_path / "landings/shop").iterdir()) == [live.work.path.name, landing.id]


def test_a_table_without_a_file_is_refused(tmp_path: Path) -> None:
    writer = store_at(tmp_path).begin("shop", hour(1))

    with pytest.raises(SourceRefused, match="users"):
        writer.add(USERS)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    writer = store_at(tmp_path).begin("shop", hour(1))
    writer.path(USERS).write_bytes(b"half a file")

    with pytest.raises(PermanentError, match=r"users\.parquet"):
        writer.add(USERS)


def test_an_unknown_landing_or_table_names_the_nearest(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    landing = land(store, hour(1), (USERS, users((1, "a"))))

    with pytest.raises(LandingUnavailable, match=landing.id):
        store.get("shop", "20260101T010000000001Z")
    with pytest.raises(LandingUnavailable, match="did you mean 'users'"):
        store.relation("user", landing, "user")


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    landing = land(store_at(tmp_path), hour(1), (USERS, users((1, "a"))))
    (tmp_path / "landings/shop" / landing.id / "landing.json").write_text("{", encoding="utf-8")

    with pytest.raises(PermanentError, match=r"landing\.json"):
        store_at(tmp_path).landings("shop")


def test_names_that_no_file_can_have_are_encoded(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    odd = type(USERS)("../shop", "a b/../c", ("user_id",), None)
    writer = store.begin(odd.source, hour(1))
    fill(writer, (odd, users((1, "a"))))

    landing = store.commit(writer)

    assert [child.name for child in tmp_path.iterdir()] == ["landings", "scratch"] or not (tmp_path / "shop").exists()
    [uri] = store.relation("odd", landing, "a b/../c").uris
    assert pq.read_table(uri).num_rows == 1
    assert store_at(tmp_path).landings("../shop") == (landing,)


def test_a_source_that_knows_of_no_commit_refers_to_what_this_process_landed(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    first = land(store, hour(1), (USERS, users((1, "a"))), (PLAYS, plays((1, 0.5))))
    writer = store.begin("shop", hour(2))

    assert {writer.landed_at(USERS), writer.landed_at(PLAYS)} == {hour(1)}
    writer.keep(USERS)
    writer.keep(PLAYS)
    second = store.commit(writer)

    assert second.tables == first.tables
    assert store_at(tmp_path).get("shop", second.id) == second
    assert names(list((tmp_path / "landings/shop" / second.id).iterdir())) == ["landing.json"]


def test_nothing_is_kept_of_another_process_of_another_kind_of_table_or_without_its_file(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    assert store.begin("shop", hour(1)).landed_at(USERS) is None
    first = land(store, hour(1), (USERS, users((1, "a"))))

    assert store_at(tmp_path).begin("shop", hour(2)).landed_at(USERS) is None
    assert store.begin("shop", hour(2)).landed_at(replace(USERS, increment=PLAYS.increment)) is None
    assert store.begin("shop", hour(0)).landed_at(USERS) is None
    (tmp_path / first.table("users").files[0].uri).unlink()
    writer = store.begin("shop", hour(2))
    assert writer.landed_at(USERS) is None
    with pytest.raises(SourceRefused, match="no files of table users to keep"):
        writer.keep(USERS)


def test_what_is_kept_stays_when_another_landing_is_committed_in_between(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    land(store, hour(1), (USERS, users((1, "a"))), (PLAYS, plays((1, 0.5))))
    writer = store.begin("shop", hour(3))
    writer.keep(USERS)
    writer.keep(PLAYS)
    between = land(store_at(tmp_path), hour(2), (USERS, users((1, "a"))), (PLAYS, plays((1, 0.5))))

    assert store.commit(writer).tables == between.tables
