"""A customer pastes a file of options; what arrives is what was written by hand, byte for byte.

``expected/<paste>/`` was written from ``source_rows.sql`` and the text that is pasted, and its checksum files by
md5sum. No command refreshes it: a difference is a fault of the product or a change that customers notice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.errors import SettingsError
from platform_tests.media.customer import (
    HERE,
    MODELS,
    House,
    as_options,
    as_shell_reads,
    change_source,
    contents,
    create_source,
    customer_house,
    pasted,
    subscription,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from platform_tests.media.customer import Way
    from platform_tests.servers.postgres import PostgresServer

DAY = date(2018, 9, 9)
FIRST_DAY = date(2018, 9, 1)
REFERENCE = {
    "payment_providers", "payment_transaction_types", "payment_types", "platforms", "product_periods", "publishers",
    "tags", "tenants",
}  # fmt: skip
EVENTS = {
    "assets_views", "audits", "churn_predict", "churn_training", "payment_status_log", "payment_transaction_cuts",
    "users_access_comments", "users_login_logout", "video_files_deleted",
}  # fmt: skip
both_ways = pytest.mark.parametrize("way", ["environment", "options"])


@dataclass(frozen=True)
class Case:
    """A paste, the entities that the customer takes, and what it owes for the data day 2018-09-09."""

    paste: str
    entities: tuple[str, ...]
    landed_at: str
    now: datetime
    manifests: tuple[str, ...]
    windows: dict[str, tuple[str, str]]


CASES = (
    Case(
        "defaults",
        ("assets", "assets_views", "platforms", "subtitles", "users_profiles", "vvs_pools"),
        "2018-09-10 00:06:00+00",
        datetime(2018, 9, 10, 0, 40, tzinfo=UTC),
        (
            "delta/assets", "delta/assets_views", "delta/subtitles", "delta/vvs_pools",
            "snapshot/assets", "snapshot/platforms", "snapshot/subtitles", "snapshot/vvs_pools",
        ),
        dict.fromkeys(
            ("delta/assets", "delta/assets_views", "delta/subtitles", "delta/vvs_pools"),
            ("2018-09-09T00:00:00.000000Z", "2018-09-10T00:00:00.000000Z"),
        ),
    ),
    Case(
        "oslo",
        ("assets", "assets_views", "platforms", "subtitles", "vvs_pools"),
        "2018-09-10 00:06:00+00",
        datetime(2018, 9, 10, 0, 40, tzinfo=UTC),
        ("delta/assets", "delta/assets_views", "delta/subtitles", "delta/vvs_pools", "snapshot/subtitles"),
        dict.fromkeys(
            ("delta/assets", "delta/assets_views", "delta/subtitles", "delta/vvs_pools"),
            ("2018-09-08T22:00:00.000000Z", "2018-09-09T22:00:00.000000Z"),
        ),
    ),
    Case(
        "tabs",
        ("assets_views", "subtitles"),
        "2018-09-10 14:06:00+00",
        datetime(2018, 9, 10, 15, tzinfo=UTC),
        ("delta/assets_views", "delta/subtitles", "snapshot/subtitles"),
        {
            "delta/assets_views": ("2018-09-08T14:00:00.000000Z", "2018-09-10T14:00:00.000000Z"),
            "delta/subtitles": ("2018-09-08T00:00:00.000000Z", "2018-09-10T00:00:00.000000Z"),
        },
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def customer_dsn(postgres_server: PostgresServer) -> Iterator[str]:
    """The customer's database. Tests that change its rows take one of their own."""
    with postgres_server.database() as dsn:
        create_source(dsn)
        yield dsn


def lands_at(dsn: str, instant: str) -> None:
    """Set the instant that the database says it is complete up to."""
    change_source(dsn, "delete from source_clock", f"insert into source_clock values ('{instant}')")


def files_and_manifests(outbox: Path, tick: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """What was delivered: files by path; manifests of a tick by mode and entity, the checksum of each checked."""
    delivered = contents(outbox)
    files = {name: content for name, content in delivered.items() if not name.startswith("_manifests/")}
    manifests = {}
    for name in delivered.keys() - files.keys():
        if name.endswith(".json"):
            sidecar = outbox / f"{name}.sha256"
            subprocess.run(["sha256sum", "--status", "-c", sidecar.name], cwd=sidecar.parent, check=True)
        if name.endswith(f"/{tick}.r1.json"):
            manifests["/".join(name.split("/")[1:3])] = json.loads(delivered[name])
    return files, manifests


def md5sum_accepts(outbox: Path) -> int:
    """Check every checksum file where it stands, as the customer does; return how many there are."""
    sidecars = sorted(outbox.rglob("*.md5"))
    for sidecar in sidecars:
        done = subprocess.run(
            ["md5sum", "--strict", "-c", sidecar.name], cwd=sidecar.parent, check=True, capture_output=True, text=True
        )
        assert done.stdout == f"{sidecar.name.removesuffix('.md5')}: OK\n"
    return len(sidecars)


@both_ways
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.paste)
def test_pasted_options_deliver_the_files_that_were_written_by_hand(
    case: Case, way: Way, customer_dsn: str, tmp_path: Path
) -> None:
    lands_at(customer_dsn, case.landed_at)
    house = customer_house(
        tmp_path / "house", customer_dsn, FIRST_DAY, paste=case.paste, way=way, entities=case.entities
    )

    house.deliver(DAY, at=case.now)

    files, manifests = files_and_manifests(house.outbox("north"), "2018_09_10")
    assert files == contents(HERE / "expected" / case.paste)
    assert md5sum_accepts(house.outbox("north")) == sum(name.endswith(".md5") for name in files)
    assert sorted(manifests) == sorted(case.manifests)
    windows = {name: one["window"] for name, one in manifests.items() if name.startswith("delta/")}
    assert {name: (one["start"], one["end"]) for name, one in windows.items()} == case.windows
    assert house.warnings == ()


def test_the_day_after_brings_what_lay_on_the_edge_and_what_came_late(postgres_dsn: str, tmp_path: Path) -> None:
    create_source(postgres_dsn)
    lands_at(postgres_dsn, "2018-09-10 00:06:00+00")
    house = customer_house(
        tmp_path / "house", postgres_dsn, FIRST_DAY, paste="oslo", way="options", entities=("assets", "assets_views")
    )
    house.deliver(DAY, at=datetime(2018, 9, 10, 0, 40, tzinfo=UTC))
    first, _ = files_and_manifests(house.outbox("north"), "2018_09_10")

    lands_at(postgres_dsn, "2018-09-11 00:06:00+00")
    change_source(
        postgres_dsn,
        "insert into assets (id, asset_type_id, title, live, drm_protected, archive, views, vote_count, deleted,"
        " create_time, update_time, tenant) values"
        " (8, 12, 'Late', false, false, false, 0, 0, false, '2018-09-08 12:00', '2018-09-08 12:00', 'aurora')",
        "insert into assets_views (id, asset_id, category_id, user_id, platform, geo_country, live, device_type,"
        " duration, watched_seconds, registered, tenant, ingested_at) values"
        " (109, 4, 20, -1, 'web', 'NO', false, 'web', 5400.25, 109, '2018-09-09 21:59:59.999999', 'aurora',"
        " '2018-09-10 08:00:00')",
    )
    house.deliver(date(2018, 9, 10), at=datetime(2018, 9, 11, 0, 40, tzinfo=UTC))

    files, manifests = files_and_manifests(house.outbox("north"), "2018_09_11")
    assert {name: files[name] for name in files.keys() - first.keys()} == contents(HERE / "expected" / "oslo_day_after")
    assert {name: files[name] for name in first} == first
    assert md5sum_accepts(house.outbox("north")) == 4
    counts = {name: one["counts"] for name, one in manifests.items()}
    assert {name: one["adds_up"] for name, one in counts.items()} == {
        "delta/assets": True,
        "delta/assets_views": True,
    }


@pytest.mark.deep
def test_every_job_of_the_page_sends_its_files_and_those_that_are_off_send_none(
    customer_dsn: str, tmp_path: Path
) -> None:
    lands_at(customer_dsn, "2018-09-10 00:06:00+00")
    house = customer_house(tmp_path / "house", customer_dsn, FIRST_DAY, paste="defaults", way="environment")

    house.deliver(DAY, at=datetime(2018, 9, 10, 0, 40, tzinfo=UTC))

    files, manifests = files_and_manifests(house.outbox("north"), "2018_09_10")
    due = {name for name, cron in schedules_of_the_page().items() if cron}
    assert {f"media/{name}" for name in manifests} == due
    stems = {file_stem(name) for name in due}
    assert sorted(files) == sorted(f"{stem}/{stem}_2018_09_10.csv" for stem in stems)
    for name, content in contents(HERE / "expected" / "defaults").items():
        assert files[name] == content


def file_stem(export: str) -> str:
    """The folder and start of the name of an export's file (media_exports.md section 6)."""
    _, mode, entity = export.split("/")
    if entity.startswith("vvs_"):
        return f"{entity}_{mode}"
    return f"{entity}_snapshot" if mode == "snapshot" and entity not in REFERENCE else entity


def schedules_of_the_page() -> dict[str, str]:
    """The schedule of each export, empty where it is off, read off the pasted text alone."""
    found = {}
    for variable, cron in as_options(pasted("defaults")).items():
        if not variable.startswith("CRON_SCHEDULE_"):
            continue
        entity = variable.removeprefix("CRON_SCHEDULE_").lower()
        modes = ["delta"] * (entity not in REFERENCE) + ["snapshot"] * (entity not in EVENTS)
        if entity.startswith("vvs_"):
            entity, _, mode = entity.rpartition("_")
            modes = [mode]
        found |= {f"media/{mode}/{entity}": cron for mode in modes}
    return found


def test_config_check_in_a_shell_that_read_the_paste_shows_every_schedule_of_the_page(tmp_path: Path) -> None:
    house = House(tmp_path / "house", "postgresql://nobody@127.0.0.1:9/nowhere", FIRST_DAY, [subscription("north")])
    command = f"set -a; . '{pasted('defaults')}'; exec '{sys.executable}' -c '{RUN}' config check --json"

    done = subprocess.run(
        ["bash", "-c", command],
        cwd=house.folder,
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(MODELS.parent / "platform")},
    )

    document = json.loads(done.stdout)
    assert (document["errors"], document["warnings"]) == ([], [])
    [north] = document["subscriptions"]
    found = {one["export"]: one["cron"] or "" for one in north["exports"]}
    assert found == schedules_of_the_page()
    assert (len(found), sum(not cron for cron in found.values())) == (97, 22)


RUN = "from offramp.cli.main import run; run()"


@pytest.mark.parametrize("name", [case.paste for case in CASES])
def test_a_shell_and_a_copy_word_by_word_read_the_same_options(name: str) -> None:
    found = as_shell_reads(pasted(name))

    assert found == as_options(pasted(name))
    assert len(found) == {"defaults": 75, "oslo": 11, "tabs": 9}[name]


def test_the_date_format_as_the_page_prints_it_loses_its_quotes_in_a_shell_and_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "printed.env"
    text.write_text("""CSV_DATE_FORMAT=""yyyy-MM-dd'T'HH:mm:ssZ""\n""")
    environment = as_shell_reads(text)
    assert environment == {"CSV_DATE_FORMAT": "yyyy-MM-ddTHH:mm:ssZ"}

    with pytest.raises(SettingsError, match="CSV_DATE_FORMAT of 'north'") as refused:
        House(tmp_path / "house", "postgresql://x@y/z", FIRST_DAY, [subscription("north")], environment)

    assert "'T' at position 11" in str(refused.value)
    assert "write 'T' in quotes" in str(refused.value)


@both_ways
def test_a_line_that_was_mistyped_is_refused_by_its_name_and_place(way: Way, tmp_path: Path) -> None:
    options = as_options(pasted("oslo")) | {"CRON_SCHEDULE_PLATFORM": ""}
    given, environment = (options, {}) if way == "options" else ({}, options)

    with pytest.raises(SettingsError) as refused:
        House(tmp_path / "house", "postgresql://x@y/z", FIRST_DAY, [subscription("north", options=given)], environment)

    text = str(refused.value)
    assert "CRON_SCHEDULE_PLATFORM of 'north': names no job; did you mean 'CRON_SCHEDULE_PLATFORMS'" in text
    lines = (tmp_path / "house" / "offramp.yaml").read_text().splitlines()
    here = [number for number, line in enumerate(lines, 1) if "CRON_SCHEDULE_PLATFORM:" in line]
    assert text.startswith(f"{tmp_path / 'house' / 'offramp.yaml'}:{here[0]}: " if here else "the environment: ")
