"""The manifest: what a delivery holds, as the JSON that is written after its files (promises.md section 5)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from offramp.domain.deliveries import FileRole
from offramp.domain.personal import HASH_NAME, Treatment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from offramp.domain.deliveries import Delivery, Staged

MANIFEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """A finished manifest: its canonical bytes, and the run id that equal runs share."""

    body: Mapping[str, object] = field(hash=False)
    content: bytes = field(init=False, repr=False, compare=False)
    """The bytes that are written: keys in their order, two blanks of indent, LF at the end."""
    sha256: str = field(init=False, repr=False, compare=False)
    """The checksum for the ``.sha256`` beside it."""

    def __post_init__(self) -> None:
        """Write it once: with its indent that takes a millisecond."""
        content = (json.dumps(self.body, indent=2, ensure_ascii=False) + "\n").encode()
        object.__setattr__(self, "content", content)
        object.__setattr__(self, "sha256", hashlib.sha256(content).hexdigest())

    @property
    def run_id(self) -> str:
        """A hash of the run key, so that equal runs have equal manifests."""
        return str(self.body["run_id"])


def _instant(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


def _personal(delivery: Delivery) -> dict[str, object]:
    """Return which personal columns are hashed, how, and which are left out. The key is known by its id alone."""
    personal, export = delivery.subscription.personal, delivery.export
    hashed = personal.of(export.entity, export.contract, Treatment.HASHED)
    left_out = personal.of(export.entity, export.contract, Treatment.LEFT_OUT)
    return {
        "hashed": list(hashed),
        "hashed_by": HASH_NAME if hashed else None,
        "hashed_with": personal.key_id if hashed else None,
        "left_out": list(left_out),
    }


def build_manifest(
    staged: Staged,
    *,
    data_as_of: datetime,
    safety_lag_seconds: int,
    cut_by: str | None,
    dialect: Mapping[str, object],
    verification: Mapping[str, str],
    versions: Mapping[str, str],
    marker: str | None = None,
) -> Manifest:
    """Build the manifest of a staged delivery. Nothing in it differs between two equal runs.

    ``verification`` says by destination how files are proved before the manifest exists; ``marker`` is the empty file
    that is written after it.
    """
    delivery = staged.delivery
    export = delivery.export
    contract = delivery.contract
    window = delivery.window
    run_key = {
        "subscription": delivery.subscription.id,
        "export": export.name,
        "data_day": delivery.data_day.isoformat(),
        "kind": delivery.kind.value,
        "window_start": _instant(window.start if window else None),
        "window_end": _instant(delivery.until),
        "schema_fingerprint": contract.fingerprint,
        "revision": delivery.revision,
    }
    run_id = hashlib.sha256(json.dumps(run_key, sort_keys=True).encode()).hexdigest()[:24]
    counts = staged.counts
    rows = [file for file in staged.files if file.role is FileRole.ROWS]
    body: dict[str, object] = {
        "manifest_version": MANIFEST_VERSION,
        "run_id": run_id,
        "run_key": run_key,
        "delivery_id": delivery.id,
        "kind": delivery.kind.value,
        "is_approximate": delivery.is_approximate,
        "export": export.name,
        "entity": export.entity,
        "tenants": list(delivery.subscription.tenants),
        "data_day": delivery.data_day.isoformat(),
        "tick": _instant(delivery.tick),
        "window": {
            "start": _instant(window.start if window else None),
            "end": _instant(delivery.until),
            "cut_by": cut_by,
            "safety_lag_seconds": safety_lag_seconds,
        },
        "covers": [day.isoformat() for day in delivery.covers],
        "landing": delivery.landing_id,
        "data_as_of": _instant(data_as_of),
        "schema": {
            "fingerprint": contract.fingerprint,
            "key": list(contract.key),
            "columns": contract.as_json(),
        },
        "personal": _personal(delivery),
        "format": dict(dialect),
        "files": [
            {
                "name": file.name,
                "role": file.role.value,
                "part": number + 1,
                "of": len(rows) if file.role is FileRole.ROWS else 1,
                "bytes": file.bytes,
                "rows": file.rows,
                **dict(sorted(file.checksums.items(), reverse=True)),
                "first_key": file.first_key,
                "last_key": file.last_key,
                "min_change": file.min_change,
                "max_change": file.max_change,
            }
            for number, file in enumerate(staged.files)
        ],
        **({"marker": marker} if marker is not None else {}),
        "totals": {"files": len(staged.files), "bytes": staged.bytes, "rows": staged.rows},
        "counts": asdict(counts),
        "left_out": {"pending": counts.pending, "unchanged": counts.unchanged},
        "previous": (
            {
                "delivery_id": delivery.previous.delivery_id,
                "revision": delivery.previous.revision,
                "landing": delivery.previous.landing_id,
                "until": _instant(delivery.previous.until),
            }
            if delivery.previous
            else None
        ),
        "verification": dict(verification),
        "supersedes": delivery.supersedes,
        "reason": delivery.reason,
        "producer": {"name": "offramp", **versions},
    }
    return Manifest(body)
