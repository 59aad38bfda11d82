"""How much of what a feed defines is computed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from platform_tests.cli.home import YAML, Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from platform_tests.cli.home import Done

    Offramp = Callable[..., Done]


@pytest.fixture
def phones(tmp_path: Path) -> Home:
    """A configuration that has a source for mobility too."""
    text = YAML.replace(
        "destinations:\n", "  mobility:\n    kind: phones\n    start_on: {first_day}\ndestinations:\n", 1
    )
    return Home.create(tmp_path / "phones", text=text)


def test_the_catalog_of_a_feed_counts_what_is_computed(offramp: Offramp, phones: Home) -> None:
    found = offramp("catalog", "--feed", "mobility", home=phones)

    assert found.code == 0
    assert "mobility/offload/segments" in found.out
    assert "media/" not in found.out
    told = r"attributes: \d+ of 525 computed; moments: \d+ of 37, and 3 other names; segments: \d+ of 84"
    assert re.fullmatch(told, found.out.splitlines()[-1])


def test_definitions_are_told_with_the_reason_where_nothing_is_computed(offramp: Offramp, phones: Home) -> None:
    found = offramp("catalog", "--feed", "mobility", "--definitions", "--json", home=phones)

    lists = {one["name"]: one for one in found.json["definitions"]}
    assert list(lists) == ["attributes", "moments", "segments"]
    attributes = lists["attributes"]
    assert (attributes["model"], attributes["total"]) == ("mobility.attribute_definitions", 525)
    assert attributes["computed"] == sum(one["computed"] for one in attributes["rows"])
    assert [one["id"] for one in attributes["rows"]][:1] == ["activity.first.time.value"]
    without = [one for one in attributes["rows"] if not one["computed"]]
    assert without
    assert all(one["reason"] for one in without)
    names = {one["id"]: one for one in lists["moments"]["rows"]}
    assert (names["home"]["computed"], names["home"]["computed_as"]) == (False, "at_home")


def test_definitions_are_a_table_for_people(offramp: Offramp, phones: Home) -> None:
    found = offramp("catalog", "--feed", "mobility", "--definitions", home=phones)

    assert found.code == 0
    rows = [line for line in found.out.splitlines() if line.startswith("lunch_out")]
    assert len(rows) == 1
    assert "yes" in rows[0]
    assert "as at_home" in found.out
    assert max(map(len, found.out.splitlines()[:-1])) <= 100


def test_a_feed_without_definitions_has_no_counts(offramp: Offramp, home: Home) -> None:
    found = offramp("catalog", "--feed", "media", home=home)
    told = offramp("catalog", "--feed", "media", "--json", home=home)

    assert found.out.splitlines()[-1].endswith("offramp show media/delta/acquisition_manager_contracts")
    assert json.loads(told.out)["definitions"] == []


def test_a_wrong_feed_gives_the_nearest_one(offramp: Offramp, home: Home) -> None:
    found = offramp("catalog", "--feed", "medio", home=home)

    assert found.code == 2
    assert "did you mean 'media" in found.err
