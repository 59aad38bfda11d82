"""``verify`` as a receiver runs it: a folder, no settings, no account."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from offramp.destinations.local import LocalDestination
from offramp.pipeline.shelves import RemoteShelf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from platform_tests.cli.home import Done, Home

    Offramp = Callable[..., Done]


def test_a_receiver_needs_nothing_but_the_folder(
    offramp: Offramp, first_demo: tuple[Home, Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = shutil.copytree(first_demo[0].outbox / "fjord", tmp_path / "inbox")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFFRAMP_CONFIG", "/nowhere/offramp.yaml")

    found = offramp("verify", "inbox")

    assert found.code == 0
    assert "1 delivery, 2 files read back, none with differences" in found.out
    assert inbox.exists()


def test_a_difference_ends_with_1_and_is_in_the_json(offramp: Offramp, delivered: Home) -> None:
    [damaged] = (delivered.outbox / "fjord").rglob("users/users_*.csv")
    damaged.write_bytes(damaged.read_bytes() + b"1\r\n")
    stray = delivered.outbox / "note.txt"
    stray.write_text("hello")

    found = offramp("verify", str(delivered.outbox), "--json")

    assert found.code == 1
    document = found.json
    assert set(document) == {"place", "is_good", "problems", "deliveries", "unmentioned", "leftovers"}
    assert document["unmentioned"] == [str(stray)]
    [bad] = [one for one in document["deliveries"] if not one["is_good"]]
    assert (bad["subscription"], bad["export"]) == ("fjord-media", "media/delta/users")
    [file] = [one for one in bad["files"] if one["problems"]]
    assert file["name"].startswith("users/users_")


def test_a_difference_is_told_to_people_with_the_file(offramp: Offramp, delivered: Home) -> None:
    [gone] = (delivered.outbox / "north").rglob("platforms/platforms_*.csv")
    gone.unlink()

    found = offramp("verify", str(delivered.outbox))

    assert found.code == 1
    assert f"platforms/{gone.name}: it is missing" in found.out
    assert "1 with differences" in found.out


def test_an_empty_folder_is_no_delivery(offramp: Offramp, tmp_path: Path) -> None:
    found = offramp("verify", str(tmp_path))

    assert found.code == 1
    assert "nothing was delivered" in found.out


def test_a_folder_that_is_not_there_is_wrong_use(offramp: Offramp, tmp_path: Path) -> None:
    found = offramp("verify", str(tmp_path / "none"))

    assert found.code == 2
    assert "there is no such folder" in found.err


def test_names_of_files_are_encoded_in_urls(tmp_path: Path) -> None:
    shelf = RemoteShelf(LocalDestination("place", tmp_path), "s3://acme/in")

    assert shelf.path_of("users #1/50%?.csv") == "s3://acme/in/users%20%231/50%25%3F.csv"
