"""Certificates for test servers: one authority, and leaves that are right and wrong in the ways that count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """PEM files. ``server`` and the others hold a private key and its certificate in one file."""

    ca: Path
    other_ca: Path
    server: Path
    wrong_host: Path
    expired: Path


def make_certificates(folder: Path) -> Certificates:
    """Write an authority, and certificates for this machine, for another host, and for a time that is over."""
    authority = trustme.CA()
    made = Certificates(
        ca=folder / "ca.pem",
        other_ca=folder / "other_ca.pem",
        server=folder / "server.pem",
        wrong_host=folder / "wrong_host.pem",
        expired=folder / "expired.pem",
    )
    here = ("localhost", "127.0.0.1", "127.0.0.2", "::1")
    leaves = {
        made.server: authority.issue_cert(*here),
        made.wrong_host: authority.issue_cert("ftp.example.org"),
        made.expired: authority.issue_cert(
            *here, not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2021, 1, 1, tzinfo=UTC)
        ),
    }
    authority.cert_pem.write_to_path(str(made.ca))
    trustme.CA().cert_pem.write_to_path(str(made.other_ca))
    for path, leaf in leaves.items():
        leaf.private_key_and_cert_chain_pem.write_to_path(str(path))
        path.chmod(0o600)
    return made
