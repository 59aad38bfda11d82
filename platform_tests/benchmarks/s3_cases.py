"""One large file and many small ones to the S3 server of the tests: by the driver, boto3, the AWS CLI and obstore.

Each way is a process of its own; the server runs beside it, on the same two processors. Ours writes as a publication
does: nothing is written over, and every upload is proved by the store's checksum; the others do neither. Its client
comes from dagster-aws, which a run has loaded anyway: that is measured by itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platform_tests.servers.seaweedfs import SeaweedfsServer

LARGE_BYTES = 1024 * 1024 * 1024
SMALL_FILES, SMALL_BYTES = 1000, 4096
THREADS = 16
_BLOCK_BYTES = 16 * 1024 * 1024


def prepare(folder: Path) -> None:
    """Write what is sent: bytes that no layer can compress."""
    (folder / "small").mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with (folder / "large").open("wb") as file:
        for _ in range(LARGE_BYTES // _BLOCK_BYTES):
            block = os.urandom(_BLOCK_BYTES)
            digest.update(block)
            file.write(block)
    (folder / "large.sha256").write_text(digest.hexdigest())
    for number in range(SMALL_FILES):
        (folder / "small" / f"{number:04}").write_bytes(os.urandom(SMALL_BYTES))


def aws_cli(folder: Path) -> Path:
    """Install the AWS CLI into an environment of its own, since it pins libraries that we use, and return it."""
    home = folder.parent / "aws-cli"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or sys.exit("the AWS CLI needs uv: make setup")
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, home], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--compile-bytecode", "--python", home, "awscli"], check=True)
    return home / "bin" / "aws"


def commands(folder: Path, server: SeaweedfsServer, bucket: str, what: str, aws: Path) -> dict[str, list[str]]:
    """Return the command lines for ``large`` or ``small``, to be run in turn. Each has keys of its own."""
    keys = {
        "AWS_ACCESS_KEY_ID": server.admin.access_key,
        "AWS_SECRET_ACCESS_KEY": server.admin.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    environment = ["env", *(f"{name}={value}" for name, value in keys.items())]
    own = [sys.executable, "-m", "platform_tests.benchmarks.s3_cases"]
    target = [str(folder), server.endpoint_url, bucket, what]
    recursive = ["--recursive"] if what == "small" else []
    source = str(folder / what)
    return {
        **{name: [*environment, *own, name, *target] for name in ("offramp", "boto3", "obstore")},
        "imports of offramp": [sys.executable, "-c", "from dagster_aws.s3 import S3Resource"],
        "aws cli": [
            *environment, str(aws), "--endpoint-url", server.endpoint_url, "s3", "cp", "--quiet", *recursive, source,
            f"s3://{bucket}/aws/{what}",
        ],
    }  # fmt: skip


def _files(folder: Path, what: str) -> list[Path]:
    return [folder / "large"] if what == "large" else sorted((folder / "small").iterdir())


def offramp(folder: Path, endpoint: str, bucket: str, what: str) -> None:
    """Put and commit, as a first publication does: a file that stands there already would be refused."""
    from offramp.destinations.s3.destination import S3Destination
    from offramp.destinations.s3.place import S3Place
    from offramp.domain.contents import Content, text_content

    place = S3Place(bucket=bucket, prefix=f"offramp/{os.getpid()}", region="us-east-1", endpoint_url=endpoint)
    destination = S3Destination("benchmark", place)

    def deliver(path: Path) -> None:
        if what == "large":  # the pipeline knows the sum since it wrote the file
            content = Content(path, LARGE_BYTES, (folder / "large.sha256").read_text())
        else:
            content = text_content(path.read_bytes())
        destination.commit(destination.put(path.name, content, token=1), over=None)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(deliver, _files(folder, what)))
    destination.close()


def boto3(folder: Path, endpoint: str, bucket: str, what: str) -> None:
    """Use boto3's own transfers, with as many threads."""
    import boto3 as library
    from botocore.config import Config

    client = library.client("s3", endpoint_url=endpoint, config=Config(max_pool_connections=4 * THREADS))
    with ThreadPoolExecutor(THREADS) as pool:
        list(
            pool.map(
                lambda path: client.upload_file(str(path), bucket, f"boto3/{what}/{path.name}"), _files(folder, what)
            )
        )


def obstore(folder: Path, endpoint: str, bucket: str, what: str) -> None:
    """Use obstore's puts, with as many threads."""
    import obstore as library
    from obstore.store import S3Store

    store = S3Store(bucket, endpoint=endpoint, region="us-east-1", client_options={"allow_http": True})
    with ThreadPoolExecutor(THREADS) as pool:
        list(
            pool.map(
                lambda path: library.put(store, f"obstore/{what}/{path.name}", path, chunk_size=_BLOCK_BYTES),
                _files(folder, what),
            )
        )


CASES = {"offramp": offramp, "boto3": boto3, "obstore": obstore}

if __name__ == "__main__":
    CASES[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
