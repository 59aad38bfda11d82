"""No secret of a destination is written down anywhere, right or wrong, not even by libraries that tell all they do."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from offramp.destinations.s3.destination import S3Destination
from offramp.domain.errors import DestinationClosed
from offramp.settings.reading import load_settings
from offramp.wiring import open_rooms
from platform_tests.destinations.as_settings import all_kinds
from platform_tests.destinations.as_settings import sftp as sftp_settings
from platform_tests.destinations.places import write
from platform_tests.destinations.s3_place import s3_place
from platform_tests.scenarios.scene import MODELS, subscription
from platform_tests.servers import sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offramp.pipeline.rooms import Rooms
    from platform_tests.servers.seaweedfs import SeaweedfsServer

DAY = date.today() - timedelta(days=2)  # noqa: DTZ011 - any day whose schedules have fired
SECRETS = ("secret_key", "session_token", "password", "private_key", "private_key_passphrase", "service_account")
# Everything that the libraries would say is said.
RUN = "import logging; logging.basicConfig(level=logging.DEBUG); from offramp.cli.main import run; run()"


def of_wrong_keys(
    kinds: dict[str, dict[str, Any]], folder: Path, other_key: str, with_password: sshd.SshServer
) -> dict[str, dict[str, Any]]:
    """Destinations as those that work, each with one secret that does not."""
    s3, gcs, hmac, sftp, ftps = (kinds[name] for name in ("s3", "gcs", "gcs-hmac", "sftp", "ftps"))
    locked = sshd.new_key(folder / "locked", passphrase="open-sesame-8812")  # noqa: S106 - of this test
    keyless = sftp_settings(with_password, "wrong")
    del keyless["private_key"]
    stranger = sshd.new_key(folder / "stranger")
    broken = "\n".join(
        [*sftp["private_key"].splitlines()[:2], "QnJva2VuLWtleS10aGF0LW5vYm9keS1tYXktc2Vl", "-----END-----"]
    )
    wrong = {
        "s3-wrong": s3 | {"secret_key": "wrong/secret+of=S3 %41 7711"},
        "s3-expired": s3 | {"session_token": "FwoGZXIvYXdzEXPIRED/token+7722=="},
        "hmac-wrong": hmac | {"secret_key": "wrong/hmac+secret=7733"},
        "gcs-wrong": gcs | {"service_account": other_key},
        "gcs-broken": gcs | {"service_account": gcs["service_account"].replace("PRIVATE KEY", "PRIVATE QUAY")},
        "gcs-no-json": gcs | {"service_account": '{"private_key": "not-json-at-all-7744'},
        "sftp-wrong": keyless | {"password": "wr0ng pass:word@7755"},
        "sftp-stranger": sftp | {"private_key": stranger},
        "sftp-broken": sftp | {"private_key": broken},
        "sftp-locked": sftp | {"private_key": locked, "private_key_passphrase": "wrong-sesame-7766"},
        "ftps-wrong": ftps | {"password": "wr0ng/pass&word%7777"},
    }
    # Two destinations of one subscription at one place would be refused.
    keys = {name: "key_prefix" if "key_prefix" in one else "directory" for name, one in wrong.items()}
    return {name: one | {keys[name]: f"{one[keys[name]]}/{name}"} for name, one in wrong.items()}


def forms(secret: str) -> Iterator[bytes]:
    """A secret in every spelling in which it could stand somewhere; of a key, its lines."""
    try:
        document = json.loads(secret)
    except ValueError:
        document = None
    texts = {secret, *(line for line in secret.splitlines() if len(line) >= 20 and "-----" not in line)}
    if isinstance(document, dict):
        texts |= {line for line in document["private_key"].splitlines() if len(line) >= 20 and "-----" not in line}
    for text in texts:
        yield from (
            form.encode() for form in (text, quote(text), quote(text, safe=""), quote_plus(text), repr(text)[1:-1])
        )
        yield json.dumps(text)[1:-1].encode()
        # As a part of something longer that was encoded, a text stands in one of three ways.
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + text.encode())
            yield encoded[4 if shift else 0 : -4]


@dataclass
class Hunt:
    """All secrets in all spellings, and where they were found."""

    needles: dict[bytes, str]
    found: list[str]

    def look(self, place: str, content: bytes) -> None:
        for needle, name in self.needles.items():
            if needle in content:
                at = content.index(needle)
                self.found.append(f"{place}: {name}: {content[max(0, at - 200) : at + 40]!r}")


@dataclass(frozen=True)
class House:
    """A folder with offramp.yaml whose secrets come from the environment."""

    folder: Path
    secrets: dict[str, str]
    right: tuple[str, ...]
    wrong: tuple[str, ...]

    def open(self) -> Rooms:
        return open_rooms(load_settings(self.folder / "offramp.yaml", environment=self.secrets))

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-c", RUN, *arguments],
            cwd=self.folder, env={**os.environ, **self.secrets, **environment}, capture_output=True, timeout=200,
            check=False,
        )  # fmt: skip


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    kinds = all_kinds(request)
    keys = tmp_path / "keys"
    keys.mkdir()
    other = request.getfixturevalue("gcs_server").key(private_key=rsa.generate_private_key(65537, 2048))
    secrets: dict[str, str] = {}
    with sshd.run("PasswordAuthentication yes") as with_password:
        destinations = kinds | of_wrong_keys(kinds, keys, other, with_password)
        for name, one in destinations.items():
            for key in set(one) & set(SECRETS):
                variable = f"OF_{name}_{key}".upper().replace("-", "_")
                secrets[variable] = one[key]
                destinations[name] = destinations[name] | {key: f"${{{variable}}}"}
        taken = subscription("north", destinations=destinations, entities=["platforms"])
        demo = {"kind": "demo", "start_on": DAY, "scale": 0.02}
        text = {
            "models": str(MODELS), "first_day": DAY, "sources": {"media": demo}, "destinations": destinations,
            "recipients": {"north": {"subscriptions": [taken]}},
        }  # fmt: skip
        folder = tmp_path / "house"
        folder.mkdir()
        (folder / "offramp.yaml").write_text(yaml.safe_dump(text, sort_keys=False))
        yield House(folder, secrets, tuple(kinds), tuple(set(destinations) - set(kinds)))


@pytest.fixture
def hunt(house: House) -> Hunt:
    return Hunt({form: name for name, secret in house.secrets.items() for form in forms(secret)}, [])


def test_no_secret_is_written_down(house: House, hunt: Hunt, request: pytest.FixtureRequest) -> None:
    seaweedfs: SeaweedfsServer = request.getfixturevalue("seaweedfs")
    at_url = {
        "S3_ACCESS_KEY": seaweedfs.admin.access_key, "S3_SECRET_KEY": house.secrets["OF_S3_WRONG_SECRET_KEY"],
        "S3_ENDPOINT_URL": seaweedfs.endpoint_url,
    }  # fmt: skip
    said = {
        "deliver": house.run("deliver", "media", "--date", str(DAY), "--entity", "platforms"),
        "check": house.run("destination", "check"),
        "config": house.run("config", "check", "--json"),
        "list": house.run("destination", "list", "--json"),
        "verify": house.run("verify", "s3://exports/nothing", **at_url),
        "deliveries": house.run("deliveries", "--json"),
    }

    codes = {name: one.returncode for name, one in said.items()}
    assert codes == {"deliver": 1, "check": 1, "config": 0, "list": 0, "verify": 1, "deliveries": 0}, said
    for name in house.wrong:
        assert f"destination '{name}'".encode() in said["deliver"].stderr, f"{name} did not fail"
    for library in (b"botocore", b"urllib3"):
        assert b"DEBUG:" + library in said["deliver"].stderr, f"{library!r} does not tell"
    for name, one in said.items():
        hunt.look(f"stdout of {name}", one.stdout)
        hunt.look(f"stderr of {name}", one.stderr)
    files = [path for path in house.folder.rglob("*") if path.is_file()]
    assert {"offramp.yaml", "ledger.db"} <= {path.name for path in files}
    assert any("compute_logs" in path.parts for path in files)
    for path in files:
        hunt.look(str(path.relative_to(house.folder)), path.read_bytes())
    look_at_deliveries(house, hunt)
    assert not hunt.found, "\n".join(hunt.found)


def look_at_deliveries(house: House, hunt: Hunt) -> None:
    rooms = house.open()
    for name in house.right:
        destination = rooms.destination(name, rooms.subscriptions[0])
        names = destination.list("")
        assert any(one.startswith("_manifests/") for one in names), name
        for one in names:
            hunt.look(f"{name}: {one}", b"".join(destination.read(one)))
    rooms.hang_up()


def test_no_secret_is_in_errors_or_their_causes_or_in_the_text_of_objects(
    house: House, hunt: Hunt, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rooms = house.open()
    [north] = rooms.subscriptions

    for name in house.wrong:
        destination = rooms.destination(name, north)
        with pytest.raises(DestinationClosed) as raised:
            destination.list("")
        told = "".join(traceback.format_exception(raised.value))
        chain: list[BaseException] = [raised.value]
        while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
            chain.append(cause)
        hunt.look(f"error of {name}", told.encode())
        # Also what is not shown: trackers of errors send it away.
        hunt.look(f"causes of {name}", repr([(error, error.args, vars(error)) for error in chain]).encode())
    for name in (*house.right, *house.wrong):
        destination = rooms.destination(name, north)
        for number, one in enumerate((destination, vars(destination))):
            hunt.look(f"text {number} of {name}", f"{one} {one!r}".encode())
    settings = load_settings(house.folder / "offramp.yaml", environment=house.secrets)
    for text in (settings, settings.destinations, vars(settings.destinations["s3"]), rooms, north):
        hunt.look("text of the settings", f"{text} {text!r}".encode())
    rooms.hang_up()
    hunt.look("log", caplog.text.encode())
    assert not hunt.found, "\n".join(hunt.found)


def test_what_an_assumed_role_is_given_is_not_logged(
    seaweedfs: SeaweedfsServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    destination = S3Destination("acme", s3_place(seaweedfs, assume_role=seaweedfs.role_arn))

    write(destination, "users.csv", b"users")
    given = destination._bucket.client._request_signer._credentials.get_frozen_credentials()

    hunt = Hunt({form: "given" for secret in (given.secret_key, given.token) for form in forms(secret)}, [])
    hunt.look("log", caplog.text.encode())
    assert "botocore" in caplog.text
    assert not hunt.found, "\n".join(hunt.found)
    destination.close()


def test_the_hunt_finds_what_it_looks_for(house: House, hunt: Hunt) -> None:
    """The guard of this module."""
    secret = house.secrets["OF_FTPS_WRONG_PASSWORD"]
    for text in (secret, quote(secret, safe=""), json.dumps({"a": secret}), repr(secret)):
        hunt.look("planted", f"before {text} after".encode())
    for before in ("", "x", "xy"):
        hunt.look("planted", base64.b64encode(f"{before}{secret}yz".encode()))
    hunt.look("planted", house.secrets["OF_SFTP_PRIVATE_KEY"].splitlines()[3].encode())

    assert len({found.partition(":")[0] for found in hunt.found}) == 1
    assert len(hunt.found) >= 8
