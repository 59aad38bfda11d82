"""``offramp destination`` and ``offramp verify`` at places that are no folders."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import yaml

from offramp.domain.errors import DestinationUnreachable
from offramp.pipeline.probe import as_said
from platform_tests.cli.home import Home, last_full_day
from platform_tests.destinations.as_settings import ftps, s3, sftp

if TYPE_CHECKING:
    from pathlib import Path

    from platform_tests.servers.pyftpd import PyftpdServer
    from platform_tests.servers.seaweedfs import SeaweedfsServer
    from platform_tests.servers.sshd import SshServer


def home_with(folder: Path, **destinations: dict[str, object]) -> Home:
    """The usual home, whose first recipient has these destinations too."""
    home = Home.create(folder)
    text = yaml.safe_load(home.file.read_text())
    text["destinations"] |= destinations
    text["recipients"]["north"]["subscriptions"][0]["destinations"] += list(destinations)
    home.file.write_text(yaml.safe_dump(text, sort_keys=False))
    return home


def test_a_place_that_lets_us_do_everything_is_good(tmp_path: Path, pyftpd: PyftpdServer) -> None:
    home = home_with(tmp_path, acme=ftps(pyftpd, f"{tmp_path.name}/{{recipient}}"))

    done = home.run("destination", "check", "acme")

    assert done.code == 0, done.err + done.out
    assert "1 place checked, none with something missing" in done.out
    assert done.out.count(" good ") == 6
    assert "the least rights that are needed" in done.out
    document = home.run("destination", "check", "acme", "--json").json
    assert document["is_good"]
    (place,) = document["destinations"]
    assert (place["name"], place["kind"], place["subscription"]) == ("acme", "ftp", "north-media")
    assert [step["step"] for step in place["steps"]] == [
        "connect", "write", "read back", "list", "overwrite", "delete",
    ]  # fmt: skip


def test_a_place_that_does_not_answer_is_said_and_the_rest_is_not_tried(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    dead = {"kind": "ftp", "host": "127.0.0.1", "port": port, "password": "hush-4711", "timeout_seconds": 2}
    home = home_with(tmp_path, dead=dead)

    done = home.run("destination", "check")

    assert done.code == 1
    assert "connect    MISSING" in done.out
    assert done.out.count("not tried") == 5
    assert "Connection refused" in done.out
    assert "staged" not in done.out
    assert "3 places checked, 1 with something missing" in done.out
    assert "hush-4711" not in done.out + done.err


def test_a_host_key_that_nobody_confirmed_is_printed_and_nothing_is_written(tmp_path: Path, sshd: SshServer) -> None:
    acme = sftp(sshd, f"unconfirmed-{tmp_path.name}")
    del acme["host_key"]
    home = home_with(tmp_path, acme=acme)

    done = home.run("destination", "check", "acme")

    assert done.code == 1
    assert sshd.fingerprint() in done.out
    assert "FTP_HOST_KEY" in done.out
    assert not (sshd.files / f"unconfirmed-{tmp_path.name}").exists()
    assert "no host key is set" in home.run("config", "check").out


def test_a_place_that_cannot_be_opened_is_a_finding_and_the_others_are_told(tmp_path: Path) -> None:
    lost = {"kind": "sftp", "host": "h", "username": "u", "host_key": "SHA256:x", "private_key_file": "nowhere/id"}
    home = home_with(tmp_path, lost=lost)

    done = home.run("destination", "check")
    listed = home.run("destination", "list")

    assert done.code == 1, done.err
    assert "the key of destination 'lost' cannot be read" in done.out
    assert done.out.count("not tried") == 5
    assert "3 places checked, 1 with something missing" in done.out
    assert listed.code == 0, listed.err
    assert "none: the key of destination 'lost' cannot be read" in " ".join(listed.out.split())
    assert listed.out.count("read_back") == 2


@pytest.mark.parametrize(
    ("todo", "advice"),
    [
        ("run again; the parts stay staged", None),
        ("free space or raise the quota, then run again; the parts stay staged", "free space or raise the quota"),
        ("run again, or raise connections; the parts stay staged", "run again, or raise connections"),
        ("run again; if it stays so, move that file away", "run again; if it stays so, move that file away"),
    ],
)
def test_a_check_advises_nothing_that_is_for_deliveries(todo: str, advice: str | None) -> None:
    said = as_said(DestinationUnreachable("it broke off", where="in", found="a reset", todo=todo))

    assert said == "in: it broke off\n  found:    a reset" + (f"\n  to do:    {advice}" if advice else "")


def test_nothing_of_a_probe_stays_but_an_empty_hidden_folder(tmp_path: Path) -> None:
    home = Home.create(tmp_path)

    first, second = (home.run("destination", "check", "outbox") for _ in range(2))

    assert (first.code, second.code) == (0, 0), second.out
    assert "the folder .offramp-check stays there, empty" in first.out
    assert sorted({path.name for path in home.outbox.rglob("*")}) == [".offramp-check", "fjord", "media", "north"]


def test_a_probe_is_taken_away_where_a_step_fails(tmp_path: Path) -> None:
    home = Home.create(tmp_path)
    folder = home.outbox / "north" / "media" / ".offramp-check"
    (folder / "probe.txt" / "in the way").mkdir(parents=True)

    done = home.run("destination", "check", "outbox")

    assert done.code == 1
    assert "write      MISSING" in done.out
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_an_unknown_destination_is_wrong_use(tmp_path: Path) -> None:
    done = Home.create(tmp_path).run("destination", "check", "outbx")

    assert done.code == 2
    assert "did you mean 'outbox'" in done.err


def test_all_places_are_listed_with_their_proof(tmp_path: Path, seaweedfs: SeaweedfsServer) -> None:
    home = home_with(tmp_path, bucket={**s3(seaweedfs, "list/{recipient}"), "delivery": "users"})

    found = home.run("destination", "list", "--json").json["destinations"]

    assert [(one["name"], one["subscription"], one["verified_by"], one["delivery"]) for one in found] == [
        ("outbox", "north-media", "read_back", "all"),
        ("bucket", "north-media", "checksum", "users"),
        ("outbox", "fjord-media", "read_back", "all"),
    ]
    assert (found[1]["place"], found[1]["endpoint"]) == ("s3://exports/list/north", seaweedfs.endpoint_url)
    said = home.run("config", "check").out
    assert f"to bucket (s3): s3://exports/list/north at {seaweedfs.endpoint_url}" in said


@pytest.mark.parametrize("kind", ["s3", "sftp", "ftp"])
def test_a_receiver_verifies_what_arrived_at_a_url(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = f"verify-{kind}-{tmp_path.name}"
    if kind == "s3":
        store: SeaweedfsServer = request.getfixturevalue("seaweedfs")
        settings = s3(store, folder)
        url = f"s3://exports/{folder}"
        environment = {
            "S3_ENDPOINT_URL": store.endpoint_url, "S3_ACCESS_KEY": store.admin.access_key,
            "S3_SECRET_KEY": store.admin.secret_key, "S3_REGION": "us-east-1",
        }  # fmt: skip
    elif kind == "sftp":
        server: SshServer = request.getfixturevalue("sshd")
        settings = sftp(server, folder)
        url = f"sftp://{server.username}@127.0.0.1:{server.port}{server.files}/{folder}"
        environment = {"FTP_PRIVATE_KEY": server.private_key, "FTP_HOST_KEY": server.fingerprint()}
    else:
        ftp_server: PyftpdServer = request.getfixturevalue("pyftpd")
        settings = {**ftps(ftp_server, folder), "host": "127.0.0.1", "port": ftp_server.ports["plain"], "tls": "off"}
        del settings["ca_file"]
        url = f"ftp://{settings['username']}@127.0.0.1:{settings['port']}/{folder}"
        environment = {"FTP_PASSWORD": str(settings["password"]), "FTP_TLS": "off"}
    home = home_with(tmp_path, acme=settings)
    done = home.run("deliver", "media", "--entity", "platforms", "--date", str(last_full_day()), "--quiet")
    assert done.code == 0, done.err
    listed = home.run("destination", "list", "--json").json["destinations"]
    assert url in [one["place"] for one in listed]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = home.run("verify", url, "--json")

    assert found.code == 0, found.err + found.out
    assert found.json["place"] == url
    (delivery,) = found.json["deliveries"]
    assert (delivery["export"], delivery["is_good"]) == ("media/snapshot/platforms", True)
    assert home.run("verify", f"{url}/nothing-here").code == 1


def test_the_demo_never_leaves_this_machine(tmp_path: Path) -> None:
    home = home_with(tmp_path, dead={"kind": "ftp", "host": "127.0.0.1", "port": 1, "password": "x"})

    done = home.run("demo")

    assert done.code == 2
    assert "the demo delivers to folders of this machine alone" in done.err
    assert "dead (ftp)" in done.err
