"""FILE_NAME_PATTERN: the names that a customer's loader depends on (media_exports.md section 6)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from offramp.feeds.media.naming import DEFAULT_PATTERN
from offramp.sql.project import load_project
from platform_tests.feeds.media.test_media import EXPORTS, FEED, delivery

TESTS = Path(__file__).parents[2]
GOLDEN = TESTS / "golden" / "media_names.json"
NAME = "FILE_NAME_PATTERN"


def test_every_file_of_the_97_exports_has_the_golden_name() -> None:
    """Refresh with: OFFRAMP_GOLDEN=refresh python -m pytest platform_tests/feeds -k golden"""
    models = [loaded.model for loaded in load_project(TESTS.parent / "dbt_like_sql").models.values()]
    exports = FEED.exports(models)
    found = {}
    for export in exports:
        one = delivery(export)
        found[export.name] = [FEED.rows_name(one, 1, 1), FEED.deletes_name(one), FEED.manifest_name(one)]
    if os.environ.get("OFFRAMP_GOLDEN") == "refresh":
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    assert len(exports) == 97
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert len({names[0] for names in found.values()}) == 97
    assert all(name.partition("/")[0] == name.rpartition("/")[2][:-15] for name, *_ in found.values())


@pytest.mark.parametrize(
    ("pattern", "rows", "deletes"),
    [
        (DEFAULT_PATTERN, "assets/assets_2018_09_10.csv", "assets_deletes/assets_deletes_2018_09_10.csv"),
        ("{date:yyyyMMdd}/{stem}.csv", "20180910/assets.csv", "20180910/assets_deletes.csv"),
        ("{date:yyyy-MM-dd}/{mode}-{entity}.txt", "2018-09-10/delta-assets.txt", "2018-09-10/deletes-assets.txt"),
        ("{{x}} {stem} {date:D}", "{x} assets 253", "{x} assets_deletes 253"),
    ],
)  # fmt: skip
def test_a_pattern_names_the_files_of_rows_and_deletes(pattern: str, rows: str, deletes: str) -> None:
    one = delivery(EXPORTS["media/delta/assets"], **{NAME: pattern})
    if "{date:D}" not in pattern:
        assert FEED.check_option(NAME, pattern) is None
    assert FEED.check_options({NAME: pattern}, EXPORTS.values()) == ()
    assert (FEED.rows_name(one, 1, 1), FEED.deletes_name(one)) == (rows, deletes)


def test_the_manifest_stays_where_every_reader_looks_for_it() -> None:
    one = delivery(EXPORTS["media/delta/assets"], **{NAME: "{stem}{date}.csv"})
    assert FEED.manifest_name(one) == "_manifests/delta/assets/2018_09_10.r1.json"


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("{stem}.csv", "gives different days the same name"),
        ("{stem}_{date:yyyy_MM}.csv", "gives different days the same name"),
        ("{stem}_{date:dd}.csv", "gives different days the same name"),
        ("{stem}/{date:yyyyMd}.csv", "gives different days the same name"),
        ("_Manifests/{stem}_{date}.csv", "where the manifests stand"),
        ("{stem}_{date}.CSV.MD5", "ending is that of a checksum"),
        ("C:/{stem}_{date}.csv", "no relative path"),
        ("{stem}_{date}.csv.", "no relative path"),
        ("{stem}_{date}" + "x" * 200, "more than 150 bytes"),
        ("{stem}_{date:HH}.csv", "cannot be in a file name"),
        ("{stem}_{date:yyyyQQ}.csv", "cannot be in a file name"),
        ("{stem:x}_{date}.csv", "cannot be in a file name"),
        ("{stim}_{date}.csv", "did you mean 'stem'?"),
        ("{stem!r}_{date}.csv", "stands for nothing"),
        ("{stem}_{date", "expected '}' before end of string"),
        ("/{stem}_{date}.csv", "no relative path"),
        ("../{stem}_{date}.csv", "no relative path"),
        ("{stem}//{date}.csv", "no relative path"),
        ("{stem}\n{date}.csv", "no relative path"),
        ("{compression}/{stem}_{date}.csv", "no relative path"),
        ("_manifests/{stem}_{date}.csv", "where the manifests stand"),
        ("{stem}_{date}.md5", "ending is that of a checksum"),
        ("", "no relative path"),
    ],
)
def test_a_pattern_that_cannot_name_files_is_refused_with_the_reason(pattern: str, fault: str) -> None:
    assert fault in (FEED.check_option(NAME, pattern) or "")


def test_a_pattern_that_gives_two_exports_one_name_is_refused_by_their_names() -> None:
    (fault,) = FEED.check_options({NAME: "{entity}_{date}.csv"}, EXPORTS.values())
    assert fault == (
        f"{NAME} gives media/delta/assets and the deletes of assets the same name: use {{stem}}, or both"
        " {entity} and {mode}"
    )
