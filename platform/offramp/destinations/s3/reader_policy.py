"""The least IAM policy of who collects files: to read one folder of a bucket, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

_SPECIAL = re.compile(r"[*?$]")


def reader_policy(bucket: str, prefix: str, *, kms_key: str | None = None) -> str:
    """Return the least identity policy that reading a place needs, as JSON.

    ``prefix`` is what the keys begin with, without ``/`` at its ends; empty for the whole bucket. A reader of another
    account needs the same statements in the bucket's policy too. With ``kms_key`` objects are unpacked with that key.
    """
    resource = f"arn:aws:s3:::{_SPECIAL.sub(_as_it_is, bucket)}"
    folder = f"{_SPECIAL.sub(_as_it_is, prefix)}/" if prefix else ""
    listing = _allow("ListsItsFolder", "s3:ListBucket", resource)
    if folder:
        # A prefix without its slash would list the neighbours whose names begin alike.
        listing["Condition"] = {"StringLike": {"s3:prefix": [f"{folder}*"]}}
    statements = [
        listing,
        _allow("FindsTheRegion", "s3:GetBucketLocation", resource),
        _allow("ReadsItsFolder", "s3:GetObject", f"{resource}/{folder}*"),
    ]
    if kms_key:
        key = kms_key if kms_key.startswith("arn:") else f"arn:aws:kms:*:*:key/{kms_key}"
        statements.append(_allow("UsesTheKey", "kms:Decrypt", key))
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _allow(sid: str, action: str, resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": [action], "Resource": [resource]}


def _as_it_is(found: re.Match[str]) -> str:
    """Return a character that policies would take for a pattern or variable as ``${*}``, which stands for itself."""
    return f"${{{found[0]}}}"
