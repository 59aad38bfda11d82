"""The version of the ledger's tables, their creation, and the steps from one version to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, select, text, update

from offramp.domain.errors import WrongUse
from offramp.ledger.tables import ledger_version, metadata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

VERSION = 1

MIGRATIONS: Mapping[int, Sequence[str]] = {}
"""From a version, the statements that lead to the next one. They only go forward."""


def prepare(
    connection: Connection, *, version: int = VERSION, migrations: Mapping[int, Sequence[str]] = MIGRATIONS
) -> None:
    """Create the tables, or bring older ones up to the version. The caller holds the ledger's write lock.

    Raises WrongUse where the tables are newer than this program.
    """
    if not inspect(connection).has_table(ledger_version.name):
        metadata.create_all(connection)
        connection.execute(insert(ledger_version).values(version=version))
        return
    found = connection.execute(select(ledger_version.c.version)).scalar_one()
    if found > version:
        raise WrongUse(
            "the ledger was written by a newer version of this program",
            expected=f"tables of version {version} or older",
            found=f"version {found}",
            todo="install the newer version; tables never go back",
        )
    for step in range(found, version):
        for statement in migrations[step]:
            connection.execute(text(statement))
    if found < version:
        connection.execute(update(ledger_version).values(version=version))
