"""The bytes of every manifest that was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offramp.domain.errors import DeliveryRefused
from offramp.lake.durable import place_once, work_file
from offramp.lake.names import segment

if TYPE_CHECKING:
    from pathlib import Path


class ManifestStore:
    """Manifests as ``<root>/manifests/<delivery id>.r<revision>.json``, each written once."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def keep(self, delivery_id: str, revision: int, content: bytes) -> Path:
        """Keep a manifest. The same bytes again are fine; other bytes are refused."""
        final = self._path(delivery_id, revision)
        with work_file(self._root) as temporary:
            temporary.write_bytes(content)
            if not place_once(temporary, final) and final.read_bytes() != content:
                raise DeliveryRefused(
                    f"delivery {delivery_id} r{revision} has a manifest with other content",
                    expected=f"the bytes of {final}",
                    found=f"{len(content)} other bytes",
                    todo="deliver a correction: redeliver --correct --reason",
                )
        return final

    def content(self, delivery_id: str, revision: int) -> bytes | None:
        """Return a manifest's bytes, or None if none was kept."""
        try:
            return self._path(delivery_id, revision).read_bytes()
        except FileNotFoundError:
            return None

    def _path(self, delivery_id: str, revision: int) -> Path:
        return self._root / "manifests" / f"{segment(delivery_id)}.r{revision:d}.json"
