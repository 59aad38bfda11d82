"""Places of the suites as offramp.yaml has them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from platform_tests.servers.gcs import BUCKET as GCS_BUCKET
from platform_tests.servers.pyftpd import PASSWORD, USER
from platform_tests.servers.seaweedfs import BUCKET as S3_BUCKET

if TYPE_CHECKING:
    import pytest

    from platform_tests.servers.gcs import GcsServer
    from platform_tests.servers.gcs_xml import GcsXmlServer
    from platform_tests.servers.pyftpd import PyftpdServer
    from platform_tests.servers.seaweedfs import SeaweedfsServer
    from platform_tests.servers.sshd import SshServer


def all_kinds(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """A destination of every kind, each at an empty folder of its server, below which subscriptions have theirs."""
    folder = f"{uuid.uuid4().hex}/{{recipient}}/{{subscription}}"
    return {
        "outbox": {"kind": "local", "path": "outbox/{subscription}"},
        "s3": s3(request.getfixturevalue("seaweedfs"), folder),
        "gcs": gcs(request.getfixturevalue("gcs_server"), folder),
        "gcs-hmac": gcs_hmac(request.getfixturevalue("gcs_xml_server"), folder),
        "sftp": sftp(request.getfixturevalue("sshd"), folder),
        "ftps": ftps(request.getfixturevalue("pyftpd"), folder),
    }


def s3(server: SeaweedfsServer, folder: str) -> dict[str, Any]:
    return {
        "kind": "s3", "bucket": S3_BUCKET, "key_prefix": folder, "access_key": server.admin.access_key,
        "secret_key": server.admin.secret_key, "region": "us-east-1", "endpoint_url": server.endpoint_url,
    }  # fmt: skip


def gcs(server: GcsServer, folder: str) -> dict[str, Any]:
    return {
        "kind": "gcs", "bucket": GCS_BUCKET, "key_prefix": folder, "service_account": server.key("writer"),
        "endpoint_url": server.url,
    }  # fmt: skip


def gcs_hmac(server: GcsXmlServer, folder: str) -> dict[str, Any]:
    keys = server.seaweedfs.admin
    return {
        "kind": "gcs", "bucket": S3_BUCKET, "key_prefix": f"hmac/{folder}", "access_key": keys.access_key,
        "secret_key": keys.secret_key, "endpoint_url": server.url,
    }  # fmt: skip


def sftp(server: SshServer, folder: str) -> dict[str, Any]:
    return {
        "kind": "sftp", "host": "127.0.0.1", "port": server.port, "username": server.username,
        "private_key": server.private_key, "host_key": server.fingerprint(), "directory": f"{server.files}/{folder}",
    }  # fmt: skip


def ftps(server: PyftpdServer, folder: str) -> dict[str, Any]:
    return {
        "kind": "ftp", "host": "localhost", "port": server.ports["tls"], "username": USER, "password": PASSWORD,
        "directory": f"/{folder}", "ca_file": str(server.certificates.ca),
    }  # fmt: skip
