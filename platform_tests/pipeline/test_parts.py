"""A delivery of several parts, gzipped or not, is one delivery: numbered by rule, whole, and read back as one."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from offramp.domain.windows import midnight
from offramp.pipeline.verify import verify_folder
from platform_tests.faults.shop_run import DAYS, history
from platform_tests.pipeline.house import Clock, House, ShopFeed, subscription

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from offramp.domain.deliveries import Delivery
    from offramp.domain.exports import Export, FormatName
    from offramp.domain.subscriptions import Subscription

SNAPSHOT, DELTA = "shop/snapshot/items", "shop/delta/items"


class PartedFeed(ShopFeed):
    """The shop in three parts, gzipped if asked for."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._zips = is_gzip

    def part_count(self, delivery: Delivery, rows: int, groups: int) -> int:  # noqa: ARG002 - three, whatever there is
        return 3

    def format(self, subscription: Subscription, export: Export) -> tuple[FormatName, Mapping[str, object]]:
        name, options = super().format(subscription, export)
        return name, {**options, "gzip": self._zips}


def open_house(folder: Path, *, is_gzip: bool) -> House:
    clock = Clock(midnight(DAYS[0]))
    house = House(folder, history(clock), clock, [subscription()])
    house.rooms = replace(house.rooms, feeds={"shop": PartedFeed(is_gzip=is_gzip)})
    return house


def rows_of(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return list(csv.DictReader(text.splitlines(keepends=True)))


@pytest.mark.parametrize("is_gzip", [False, True])
@pytest.mark.parametrize("export", [SNAPSHOT, DELTA])
def test_parts_together_hold_every_row_once_and_each_in_order(tmp_path: Path, export: str, *, is_gzip: bool) -> None:
    house = open_house(tmp_path, is_gzip=is_gzip)

    (outcome,) = house.deliver(export, DAYS[0]).outcomes

    paths = [house.outbox() / file.name for file in outcome.staged.files if file.role == "rows"]
    parts = [rows_of(path) for path in paths]
    assert len(paths) == 3
    assert [len(part) for part in parts] == [file.rows for file in outcome.staged.files if file.role == "rows"]
    ids = [int(row["id"]) for part in parts for row in part]
    assert len(ids) == len(set(ids)) == outcome.staged.counts.rows
    assert all(len(part) > 10 for part in parts)
    if export == SNAPSHOT:
        assert all([int(row["id"]) for row in part] == sorted(int(row["id"]) for row in part) for part in parts)
    assert verify_folder(house.outbox()).is_good


def test_the_manifest_numbers_the_parts_and_knows_their_keys(tmp_path: Path) -> None:
    house = open_house(tmp_path, is_gzip=False)
    house.deliver(SNAPSHOT, DAYS[0])

    (manifest,) = house.outbox().glob("_manifests/**/*.json")
    files = json.loads(manifest.read_bytes())["files"]

    assert [(file["part"], file["of"]) for file in files] == [(1, 3), (2, 3), (3, 3)]
    for file in files:
        rows = rows_of(house.outbox() / file["name"])
        assert file["first_key"] == [rows[0]["id"]]
        assert file["last_key"] == [rows[-1]["id"]]
        assert file["sha256"] == hashlib.sha256((house.outbox() / file["name"]).read_bytes()).hexdigest()


def test_a_row_is_in_the_same_part_on_every_day(tmp_path: Path) -> None:
    house = open_house(tmp_path, is_gzip=False)
    part_of: dict[str, int] = {}
    for day in DAYS:
        (outcome,) = house.deliver(SNAPSHOT, day).outcomes
        for number, file in enumerate(outcome.staged.files):
            for row in rows_of(house.outbox() / file.name):
                assert part_of.setdefault(row["id"], number) == number
