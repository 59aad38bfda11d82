"""No recipient ever receives a row that is not its own, and together the tenants receive everything."""

from __future__ import annotations

import csv
import os
import tempfile
from contextlib import nullcontext
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from offramp.domain.errors import LandingUnavailable
from offramp.domain.windows import DAY, midnight
from platform_tests.scenarios.scene import LAG, Scene, demo_of, manifests, subscription

FIRST = date(2026, 10, 23)
LAST = FIRST + DAY
NAMES = ("aurora", "borealis", "nobody")
ENTITIES = ("users", "assets", "asset_types", "assets_views", "vvs_pools")
EXAMPLES = int(os.environ.get("OFFRAMP_EXAMPLES", "1"))
NUMBERS = count()
MEMORY_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
subsets = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)


def owners(demo: dict[str, Any], day: date) -> dict[str, dict[str, str]]:
    """Whose each key is, by entity, in the state that the deliveries of a day are made from."""
    source = demo_of(demo)
    with source.connect() as connection:
        return {
            name: dict(
                connection.sql(
                    f"select id::varchar, tenant from ({source.select_as_of(name, midnight(day + DAY) + LAG)})"
                ).fetchall()
            )
            for name in ENTITIES
        }


def ids(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row["id"] for row in csv.DictReader(file)]


def check_outbox(outbox: Path, mine: set[str], truth: dict[date, dict[str, dict[str, str]]]) -> None:
    for manifest in manifests(outbox).values():
        entity, day = manifest["entity"], date.fromisoformat(manifest["data_day"])
        delivered = {file["role"]: ids(outbox / file["name"]) for file in manifest["files"]}
        if entity == "platforms":  # shared by all tenants
            assert len(delivered["rows"]) > 2
            continue
        owner = truth[day][entity]
        assert {owner[key] for key in delivered["rows"]} <= mine
        assert len(set(delivered["rows"])) == len(delivered["rows"])
        before = {**truth[FIRST][entity], **owner}
        assert {before[key] for key in delivered.get("deletes", [])} <= mine
        if "/snapshot/" in manifest["export"]:
            assert set(delivered["rows"]) == {key for key, tenant in owner.items() if tenant in mine}


def test_nobody_receives_a_row_that_is_not_its_own(
    demo: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    truth = {day: owners(demo, day) for day in (FIRST, LAST)}
    assert all({"aurora", "borealis"} == set(keys.values()) for keys in truth[LAST].values())
    lake = tmp_path_factory.mktemp("lake")

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    @example(taken=[(["aurora"], True), (["borealis", "aurora"], False), (["nobody"], True)])
    @given(taken=st.lists(st.tuples(subsets, st.booleans()), min_size=1, max_size=2))
    def check(taken: list[tuple[list[str], bool]]) -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER) as folder:
            subscriptions = [
                subscription(f"s{next(NUMBERS)}", tenants, initial="full" if is_full else "none", deletes=True)
                for tenants, is_full in taken
            ]
            scene = Scene(Path(folder), demo, subscriptions, FIRST, lake=lake)
            is_refused = any("nobody" in tenants for tenants, _ in taken)
            for day in (FIRST, LAST):
                with pytest.raises(LandingUnavailable, match="nobody") if is_refused else nullcontext():
                    scene.deliver(day)
            for one, (tenants, _) in zip(subscriptions, taken, strict=True):
                # A tenant that owns no row at all is refused, but for what all tenants share.
                assert len(manifests(scene.outbox(str(one["id"])))) == (2 if "nobody" in tenants else 20)
                check_outbox(scene.outbox(str(one["id"])), set(tenants), truth)

    check()
