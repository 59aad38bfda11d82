"""Where files go in Google Cloud Storage, and the least rights that this takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

CHUNK_MULTIPLE = 256 * 1024
PERMISSIONS = ("storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list")


@dataclass(frozen=True, slots=True)
class GcsPlace:
    """A bucket, a prefix without ``/`` at its end, and how to get there.

    ``service_account`` is the text of a JSON key; None takes the credentials of the machine (application default
    credentials). ``endpoint_url`` is another host than Google's: a private endpoint, an emulator. ``storage_class``
    and ``kms_key`` (``projects/../cryptoKeys/..``) are the bucket's own where None. ``chunk_bytes``, a multiple of
    256 KiB, is what one request carries and one upload holds in memory. ``timeout_seconds`` is the longest wait for
    an answer. ``reads_back`` downloads every file after its upload, on top of the comparison of checksums.
    """

    bucket: str
    prefix: str = ""
    project: str | None = None
    service_account: SecretStr | None = None
    endpoint_url: str | None = None
    storage_class: str | None = None
    kms_key: str | None = None
    chunk_bytes: int = 8 * 1024 * 1024
    timeout_seconds: float = 60
    reads_back: bool = False

    def __post_init__(self) -> None:
        if self.chunk_bytes <= 0 or self.chunk_bytes % CHUNK_MULTIPLE:
            message = f"chunk_bytes must be a multiple of {CHUNK_MULTIPLE:,}, not {self.chunk_bytes:,}"
            raise ValueError(message)

    def full_name(self, name: str) -> str:
        """Return the object's name of a name below the prefix. For text that names begin with, too."""
        return f"{self.prefix}/{name}" if self.prefix else name


def least_policy(place: GcsPlace) -> str:
    """Return the least rights that deliveries need, as commands for whoever owns the bucket.

    ``delete`` is needed to replace an object as well, and without ``list`` a missing object is told as forbidden.
    Google's ready-made roles/storage.objectUser holds these four and more.
    """
    role = {
        "title": "Offramp delivery",
        "stage": "GA",
        "includedPermissions": list(PERMISSIONS),
    }
    project = place.project or "PROJECT"
    lines = [
        "# offramp-role.json",
        json.dumps(role, indent=2),
        f"gcloud iam roles create offrampDelivery --project={project} --file=offramp-role.json",
        f"gcloud storage buckets add-iam-policy-binding gs://{place.bucket} \\",
        f"  --member=serviceAccount:{_account(place)} \\",
        f"  --role=projects/{project}/roles/offrampDelivery{_condition(place)}",
        "# or, without a role of its own: --role=roles/storage.objectUser",
    ]
    if place.kms_key:
        lines.append("# the bucket's own service agent needs the key; deliveries do not:")
        lines.append(f"gcloud storage service-agent --authorize-cmek={place.kms_key}")
    return "\n".join(lines) + "\n"


def _condition(place: GcsPlace) -> str:
    """Limit the binding to the prefix. A listing belongs to the bucket, so it is limited by what it asks for."""
    if not place.prefix:
        return ""
    objects = f"resource.name.startsWith('projects/_/buckets/{place.bucket}/objects/{place.prefix}/')"
    listing = f"api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('{place.prefix}/')"
    return f' \\\n  --condition="title=offramp-prefix,expression={objects} || {listing}"'


def _account(place: GcsPlace) -> str:
    if place.service_account is None:
        return "ACCOUNT"
    try:
        key = json.loads(place.service_account.get_secret_value())
    except ValueError:
        return "ACCOUNT"
    return str(key.get("client_email", "ACCOUNT")) if isinstance(key, dict) else "ACCOUNT"
