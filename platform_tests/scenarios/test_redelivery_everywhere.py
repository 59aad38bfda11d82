"""Delivering again, at every kind of place: what is right is left alone, what was lost or damaged is put back."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from offramp.domain.deliveries import State
from offramp.pipeline.redeliver import redeliver
from offramp.pipeline.shelves import RemoteShelf
from offramp.pipeline.verify import verify_place
from platform_tests.destinations.places import KINDS
from platform_tests.faults.publication_bench import Bench
from platform_tests.faults.publication_run import DAY, Kit, deliver, make_kit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offramp.domain.deliveries import DeliveryRecord
    from platform_tests.pipeline.house import House

ROWS = "items/items_2026_03_02.csv"
DELETES = "items_deletes/items_deletes_2026_03_02.csv"
MANIFEST = "_manifests/delta/items/2026_03_02.r1.json"
FOREIGN = b"somebody else's\n"


@dataclass(frozen=True)
class Owner:
    """Whoever runs the place: writes and deletes there by the server's own means, past the driver."""

    write: Callable[[str, bytes], object]
    delete: Callable[[str], object]


def _in_folder(folder: Path, account: Path) -> Owner:
    """Files of the server's account, which is that of a folder that it writes to."""
    found = account.stat()

    def write(name: str, content: bytes) -> None:
        path = folder / name
        missing = [one for one in path.parents if not one.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        for one in (*missing, path):
            os.chown(one, found.st_uid, found.st_gid)

    return Owner(write, lambda name: (folder / name).unlink())


def _in_s3(at: Any) -> Owner:
    """By the same address as the driver: a front notices what changes behind it no more than Google would."""
    import boto3  # noqa: PLC0415 - slow to import
    from botocore.config import Config  # noqa: PLC0415

    client = boto3.client(
        "s3", endpoint_url=at.endpoint_url, region_name="us-east-1",
        aws_access_key_id=at.access_key.get_secret_value(), aws_secret_access_key=at.secret_key.get_secret_value(),
        config=Config(request_checksum_calculation="when_required", response_checksum_validation="when_required"),
    )  # fmt: skip
    return Owner(
        lambda name, content: client.put_object(Bucket=at.bucket, Key=at.key(name), Body=content),
        lambda name: client.delete_object(Bucket=at.bucket, Key=at.key(name)),
    )


def _in_gcs(server: Any, at: Any) -> Owner:
    from google.cloud import storage  # noqa: PLC0415 - slow to import

    client = storage.Client.from_service_account_info(
        json.loads(server.key()), client_options={"api_endpoint": server.url}
    )
    # Else the library asks Google for the regions of the account, and for the bucket's own facts.
    client._credentials._is_regional_access_boundary_lookup_required = lambda: False
    client._bucket_metadata_cache = None
    bucket = client.bucket(at.bucket)
    return Owner(
        lambda name, content: bucket.blob(at.full_name(name)).upload_from_string(content),
        lambda name: bucket.blob(at.full_name(name)).delete(),
    )


@pytest.fixture
def owner(kind: str, bench: Bench, request: pytest.FixtureRequest) -> Owner:
    at = bench.place.open.args[1]  # type: ignore[attr-defined] # each is a partial of a driver with its place
    match kind:
        case "local":
            return _in_folder(at, at.parent)
        case "sftp":
            return _in_folder(Path(at.directory), Path(at.directory).parent)
        case "s3" | "gcs_hmac":
            return _in_s3(at)
        case "gcs":
            return _in_gcs(request.getfixturevalue("gcs_server"), at)
        case _:
            root: Path = request.getfixturevalue("vsftpd" if kind == "vsftpd" else "pyftpd").root
            folder = root / at.directory.lstrip("/")
            return _in_folder(folder, folder.parent)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return make_kit(tmp_path_factory.mktemp("kit"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bench(kind: str, kit: Kit, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A place to which the first revision was staged and not published yet."""
    with Bench(KINDS[kind](request, tmp_path), kit, tmp_path, is_correction=False) as bench:
        yield bench


def records(house: House) -> tuple[DeliveryRecord, ...]:
    return house.rooms.ledger.find(first_day=DAY, last_day=DAY)


def contents(bench: Bench) -> dict[str, bytes]:
    return {name: b"".join(bench.destination.read(name)) for name in bench.destination.list("")}


def times(kind: str, bench: Bench) -> list[object]:
    """What changes whenever anybody writes, as the place tells it; of folders the kernel tells more."""
    at = bench.place.open.args[1]  # type: ignore[attr-defined] # see above
    folder = {"local": at, "sftp": Path(getattr(at, "directory", "")) if kind == "sftp" else None}.get(kind)
    seen: list[object] = list(bench.standing())
    if folder:
        seen += [(str(path), path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(folder.rglob("*"))]
    return seen


def test_delivering_again_what_is_right_touches_nothing(kind: str, bench: Bench) -> None:
    house = bench.publication().house(over=bench.destination)
    deliver(house)
    before = times(kind, bench)
    steps: list[str] = []
    told = replace(house.rooms, at_step=steps.append)

    assert not deliver(house).outcomes
    [outcome] = redeliver(told, records(house))

    assert not outcome.failures
    assert times(kind, bench) == before
    assert "publish.put" not in steps
    assert contents(bench) == bench.kit.old


def test_redelivering_puts_back_what_was_lost_or_damaged(bench: Bench, owner: Owner) -> None:
    house = bench.publication().house(over=bench.destination)
    deliver(house)
    before = {one.name: one for one in bench.standing() if one}
    owner.delete(ROWS)
    owner.write(f"{DELETES}.md5", FOREIGN)
    owner.write(MANIFEST, bench.kit.old[MANIFEST].replace(b"revision", b"rewision"))
    assert not verify_place(RemoteShelf(bench.destination, "place")).is_good

    [outcome] = redeliver(house.rooms, records(house))

    assert not outcome.failures
    assert contents(bench) == bench.kit.old
    assert verify_place(RemoteShelf(bench.destination, "place")).is_good
    assert not list(bench.place.unfinished())
    assert [one.state for one in records(house)] == [State.PUBLISHED]
    after = {one.name: one for one in bench.standing() if one}
    assert after[DELETES] == before[DELETES], "what was right is left alone"


def test_a_foreign_file_of_the_same_name_is_refused_and_kept(bench: Bench, owner: Owner) -> None:
    publication = bench.publication()
    owner.write(ROWS, FOREIGN)
    house = publication.house(over=bench.destination)

    [failure] = deliver(house).failures

    assert "nobody asked to replace it" in failure.error
    assert contents(bench) == {ROWS: FOREIGN}
    assert [one.state for one in records(house)] == [State.STAGED]
    owner.delete(ROWS)
    bench.end(publication)


def test_a_foreign_manifest_of_the_same_name_is_refused_and_kept(bench: Bench, owner: Owner) -> None:
    publication = bench.publication()
    owner.write(MANIFEST, FOREIGN)

    [failure] = deliver(publication.house(over=bench.destination)).failures

    assert "other content" in failure.error
    assert contents(bench) == {MANIFEST: FOREIGN}
    owner.delete(MANIFEST)
    bench.end(publication)


def test_a_correction_takes_back_the_manifest_first_and_then_the_files_that_it_no_longer_has(
    kind: str, kit: Kit, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    seen: dict[str, set[str]] = {}
    with Bench(KINDS[kind](request, tmp_path), kit, tmp_path, is_correction=True) as bench:
        publication = bench.publication()
        house = publication.house(over=bench.destination)

        def look(step: str) -> None:
            seen.setdefault(step, set(bench.destination.list("")))

        assert not deliver(replace_rooms(house, look)).failures

        assert contents(bench) == kit.new
        assert set(kit.old) - set(kit.new) >= {DELETES, f"{DELETES}.md5", MANIFEST, f"{MANIFEST}.sha256"}
        bench.end(publication)
    assert seen["publish.supersede"] == set(kit.old)
    assert seen["publish.put"] >= {ROWS, DELETES}
    assert not any(name.startswith("_manifests/") for name in seen["publish.sidecars"])
    assert not seen["publish.manifest"] & {DELETES, f"{DELETES}.md5"}


def replace_rooms(house: House, at_step: Callable[[str], None]) -> House:
    house.rooms = replace(house.rooms, at_step=at_step)
    return house
