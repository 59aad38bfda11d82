"""``demo``, ``deliver`` and ``redeliver`` on a real demo, through Dagster, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from platform_tests.cli.home import Home, last_full_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_tests.cli.home import Done

    Offramp = Callable[..., Done]

DAY = last_full_day()
ROOT = Path(__file__).parents[2]


def files_of(home: Home) -> dict[str, bytes]:
    return {str(path.relative_to(home.outbox)): path.read_bytes() for path in home.outbox.rglob("*") if path.is_file()}


def test_the_demo_delivers_the_last_full_day_and_reads_it_back(first_demo: tuple[Home, Done]) -> None:
    home, done = first_demo

    assert done.code == 0, done.err
    assert f"delivered: data day {DAY}, 4 deliveries" in done.out
    assert done.out.count(" good") == 4
    assert str(home.outbox / "fjord" / "media") in done.out
    assert "make ui" in done.out
    assert "publish north-media" in done.err
    assert list(home.outbox.glob("*/media/_manifests/delta/users/*.r1.json"))


def test_a_second_demo_delivers_nothing_anew_and_says_so(delivered: Home) -> None:
    before = files_of(delivered)

    done = delivered.run("demo", "--quiet")

    assert done.code == 0, done.err
    assert "nothing was delivered anew" in done.out
    assert done.out.count(" good") == 4
    assert done.err == ""
    assert files_of(delivered) == before


def test_the_demo_says_what_was_damaged_since(delivered: Home) -> None:
    [damaged] = (delivered.outbox / "fjord").rglob("users/users_*.csv")
    damaged.write_bytes(b"")

    done = delivered.run("demo", "--quiet")

    assert done.code == 1
    assert "differs" in done.out
    assert damaged.name in done.err


def test_the_demo_needs_a_demo_source(offramp: Offramp, home: Home) -> None:
    home.become_postgres("postgresql://127.0.0.1:9/none")

    found = offramp("demo", home=home)

    assert found.code == 2
    assert "no source is a demo" in found.err


def test_deliver_does_only_what_is_asked(delivered: Home, offramp: Offramp) -> None:
    day = DAY - timedelta(days=1)

    done = delivered.run("deliver", "media", "--date", str(day), "--recipient", "north", "--mode", "snapshot")

    assert done.code == 0, done.err
    assert "2 delivered now, 2 in all" in done.out
    found = offramp("deliveries", "--to", str(day), "--json", home=delivered).json["deliveries"]
    assert {(one["recipient"], one["export"]) for one in found} == {
        ("north", "media/snapshot/users"),
        ("north", "media/snapshot/platforms"),
    }


def test_a_destination_that_is_down_ends_with_1_and_the_next_run_mends_it(delivered: Home, offramp: Offramp) -> None:
    fjord = delivered.outbox / "fjord"
    day = DAY - timedelta(days=1)
    fjord.rename(delivered.outbox / "aside")
    fjord.write_text("not a folder")

    failed = delivered.run("deliver", "media", "--date", str(day), "--entity", "users", "--mode", "delta", "--quiet")
    target = ("fjord", "media/delta/users", str(day))
    refused = offramp("redeliver", *target, "--correct", "--reason", "too early", home=delivered)
    fjord.unlink()
    (delivered.outbox / "aside").rename(fjord)
    mended = delivered.run("deliver", "media", "--date", str(day), "--entity", "users", "--mode", "delta", "--quiet")

    assert failed.code == 1
    assert "outbox" in failed.err
    assert "Traceback" not in failed.err
    assert "staged" in failed.out
    assert refused.code == 1
    assert "only what was delivered can be corrected" in refused.err
    assert mended.code == 0, mended.err
    assert "1 delivered now" in mended.out


def test_redeliver_puts_a_missing_file_back_as_it_was(delivered: Home) -> None:
    before = files_of(delivered)
    [gone] = (delivered.outbox / "fjord").rglob("users/users_*.csv")
    gone.unlink()

    done = delivered.run("redeliver", "fjord", "media/delta/users", str(DAY), "--quiet")

    assert done.code == 0, done.err
    assert "byte for byte" in done.out
    assert files_of(delivered) == before


def test_a_correction_is_a_new_revision_with_its_reason(delivered: Home, offramp: Offramp) -> None:
    listed = offramp("deliveries", "--recipient", "fjord", "--json", home=delivered).json
    [first] = listed["deliveries"]

    done = delivered.run("redeliver", first["delivery_id"], "--correct", "--reason", "a test", "--quiet")

    assert done.code == 0, done.err
    assert "r2 correction" in done.out
    found = offramp("deliveries", "--recipient", "fjord", "--json", home=delivered).json["deliveries"]
    assert [(one["revision"], one["state"], one["reason"]) for one in found] == [
        (1, "superseded", None),
        (2, "published", "a test"),
    ]
    assert offramp("verify", str(delivered.outbox)).code == 0


def test_a_correction_can_land_the_source_anew_as_of_the_same_time(delivered: Home, offramp: Offramp) -> None:
    [first] = offramp("deliveries", "--recipient", "fjord", "--json", home=delivered).json["deliveries"]

    done = delivered.run("redeliver", first["delivery_id"], "--correct", "--reason", "mended", "--reland", "--quiet")

    assert done.code == 0, done.err
    _, corrected = offramp("deliveries", "--recipient", "fjord", "--json", home=delivered).json["deliveries"]
    assert corrected["reason"] == "mended"
    assert corrected["rows"] == first["rows"], "the demo reads the same as of the same instant"
    assert corrected["landing"] != first["landing"]
    assert corrected["landing"].startswith(first["landing"])


def test_a_correction_of_a_mended_database_holds_what_was_mended(
    offramp: Offramp, home: Home, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_URL", postgres_dsn)
    home.become_postgres("${MEDIA_URL}")
    assert offramp("demo", "load", "--to", "media", "--as-of", f"{DAY}T23:00", "--quiet", home=home).code == 0
    assert home.run("deliver", "media", "--entity", "platforms", "--date", str(DAY), "--quiet").code == 0
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute("update platforms set description = 'as it should be'")
    target = ("north", "media/snapshot/platforms", str(DAY))

    done = home.run("redeliver", *target, "--correct", "--reason", "mended", "--reland", "--quiet")

    assert done.code == 0, done.err
    assert "r2 correction" in done.out
    assert any(b"as it should be" in content for content in files_of(home).values())
    assert offramp("verify", str(home.outbox)).code == 0


def test_the_demo_loads_into_a_database_as_of_an_instant(
    offramp: Offramp, home: Home, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", postgres_dsn)
    home.rewrite(
        "destinations:\n  outbox", "  shop:\n    kind: postgres\n    url: ${SHOP_URL}\ndestinations:\n  outbox"
    )

    found = offramp("demo", "load", "--to", "shop", "--as-of", f"{DAY}T00:05", "--quiet", home=home)

    assert found.code == 0, found.err
    assert f"'shop' holds the demo as of {DAY} 00:05:00 UTC" in found.out
    with psycopg.connect(postgres_dsn) as connection:
        row = connection.execute("select (select count(*) from users), as_of::date::text from demo_clock").fetchone()
    assert row is not None
    assert f"{row[0]:,}" in found.out


@pytest.mark.deep
def test_the_ui_says_where_it_is_and_ends_when_told(home: Home) -> None:
    (home.folder / "workspace.yaml").write_text(
        (ROOT / "workspace.yaml").read_text().replace("platform", str(ROOT / "platform"))
    )
    command = [sys.executable, "-u", "-c", "from offramp.cli.main import run; run()", "ui", "--port", "43117"]
    seen = ""
    with subprocess.Popen(
        command, cwd=home.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            seen += line
            if "Serving dagster-webserver" in line:
                break
        process.send_signal(signal.SIGTERM)
        seen += process.stdout.read()

    assert "http://127.0.0.1:43117" in seen
    assert "schedules are off until you switch them on" in seen
    assert process.returncode == 0


def test_a_demo_of_another_scale_lives_in_a_folder_of_its_own(delivered: Home) -> None:
    before = files_of(delivered)

    done = delivered.run("demo", "--quiet", "--scale", "0.03")

    assert done.code == 0, done.err
    home = delivered.folder / ".offramp" / "scale-0.03"
    assert str(home / "outbox" / "fjord-media") in done.out
    assert {path.name for path in home.iterdir()} >= {"lake", "ledger.db", "outbox"}
    assert list(home.rglob("users_snapshot/*.csv")) or list(home.rglob("users/*.csv"))
    assert files_of(delivered) == before
