"""Where an S3 destination is and what it takes to write there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic import SecretStr

MIB = 1024 * 1024
# What S3 takes: parts of at least 5 MiB, and 10,000 of them at most.
LEAST_PART_BYTES, MOST_PARTS = 5 * MIB, 10_000
KEY_BYTES = 1024

_ON_BUCKET = ("ListBucket", "ListBucketMultipartUploads")
_ON_OBJECTS = ("PutObject", "GetObject", "DeleteObject", "AbortMultipartUpload", "ListMultipartUploadParts")
_OF_GOOGLE = (
    "storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list",
    "storage.multipartUploads.create", "storage.multipartUploads.abort", "storage.multipartUploads.list",
    "storage.multipartUploads.listParts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class S3Place:
    """A prefix of a bucket, and how to get there.

    Without keys, the environment's own credentials count (variables, profile, instance role). With ``assume_role``
    they only serve to assume that role, for ``role_session_seconds`` at a time. ``ca_file`` is a file of
    certificates in PEM that replaces the usual authorities. ``prefix`` has no slash at its end. An upload holds
    ``parallel_parts`` times ``part_bytes`` in memory. ``reads_back`` reads every object whole after it was written,
    in place of the checksum that the store computed. The dialect ``gcs`` is the XML API of Google Cloud Storage,
    with HMAC keys.
    """

    bucket: str
    prefix: str = ""
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    session_token: SecretStr | None = None
    region: str | None = None
    endpoint_url: str | None = None
    ca_file: str | None = None
    assume_role: str | None = None
    external_id: str | None = None
    role_session_seconds: int = 3600
    encryption: Literal["none", "AES256", "aws:kms"] = "none"
    kms_key: str | None = None
    storage_class: str | None = None
    part_bytes: int = 16 * MIB
    parallel_parts: int = 4
    timeout_seconds: float = 60
    reads_back: bool = False
    dialect: Literal["aws", "gcs"] = "aws"

    def key(self, name: str) -> str:
        """Return the key of a name, or what the keys of a prefix of names begin with."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def part_bytes_of(self, total_bytes: int) -> int:
        """Return how large the parts of an upload are: larger than asked for where they were too many."""
        return max(self.part_bytes, LEAST_PART_BYTES, -(-total_bytes // MOST_PARTS))


def least_policy(place: S3Place) -> str:
    """Return the least IAM policy that deliveries to a place need, as JSON.

    For the dialect ``gcs`` it is the list of permissions for a custom role.
    """
    if place.dialect == "gcs":
        return json.dumps({"includedPermissions": list(_OF_GOOGLE)}, indent=2)
    bucket = f"arn:aws:s3:::{place.bucket}"
    listing: dict[str, Any] = _allow("ListsItsPrefix", _ON_BUCKET[:1], bucket)
    if place.prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": [f"{place.prefix}/*"]}}
    statements = [
        listing,
        _allow("FindsUnfinishedUploads", _ON_BUCKET[1:], bucket),
        _allow("WritesReadsBackAndRemoves", _ON_OBJECTS, f"{bucket}/{place.key('*')}"),
    ]
    if place.encryption == "aws:kms" and place.kms_key:
        key = place.kms_key if place.kms_key.startswith("arn:") else f"arn:aws:kms:*:*:key/{place.kms_key}"
        statements.append(_allow("UsesTheKey", ("GenerateDataKey", "Decrypt"), key, service="kms"))
    policy = {"Version": "2012-10-17", "Statement": statements}
    if not place.assume_role:
        return json.dumps(policy, indent=2)
    role = _allow("AssumesTheRole", ("AssumeRole",), place.assume_role, service="sts")
    caller = {"Version": "2012-10-17", "Statement": [role]}
    return json.dumps({"of the role": policy, "of who assumes it": caller}, indent=2)


def _allow(sid: str, rights: tuple[str, ...], resource: str, *, service: str = "s3") -> dict[str, Any]:
    actions = [f"{service}:{right}" for right in rights]
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
