"""What whoever collects the files needs at each kind of destination: to read one folder, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from offramp.destinations.s3.reader_policy import reader_policy
from offramp.settings.destinations import (
    FtpDestination,
    GcsDestination,
    LocalDestination,
    S3Destination,
    SftpDestination,
)

if TYPE_CHECKING:
    from offramp.domain.subscriptions import Subscription
    from offramp.settings.destinations import DestinationSettings


def reader_rights(settings: DestinationSettings, subscription: Subscription) -> str:
    """Return the least rights of the reader of a subscription's folder: a policy for S3, else a sentence."""
    folder = settings.folder(subscription)
    match settings:
        case S3Destination():
            key = settings.kms_key if settings.encryption == "aws:kms" else None
            return reader_policy(settings.bucket, folder, kms_key=key)
        case GcsDestination():
            place = f"the managed folder {folder}/ of the bucket {settings.bucket}"
            where = place if folder else f"the bucket {settings.bucket}"
            return f"The reader needs the role roles/storage.objectViewer on {where}, and no role above it."
        case LocalDestination():
            return (
                f"The reader needs the rights to list and read {folder} (r-x on folders, r-- on files), and no write."
            )
        case SftpDestination() | FtpDestination():
            where = settings.shown(subscription)
            return (
                f"The reader needs an account of its own that may list and read {where} and may not write there; "
                "that of the destination writes."
            )
        case _:
            assert_never(settings)
