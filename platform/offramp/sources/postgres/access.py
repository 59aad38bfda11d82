"""How PostgreSQL is reached: connection settings, errors without secrets, and the DuckDB extension of the wheel."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, TypeVar

import duckdb
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from offramp.domain.errors import OfframpError, SourceRefused, SourceUnreachable
from offramp.domain.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

HIDDEN = "***"
# What a failed statement says when the next try may pass: the server went away, was too slow or too busy.
_PASSING = (
    "unable to connect", "connection", "canceling statement", "terminating", "server closed", "timeout", "timed out",
    "too many clients", "invalid snapshot identifier", "recovery",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Access:
    """A PostgreSQL server and how to speak of it without its password."""

    source: str
    dsn: str = field(repr=False)
    statement_timeout_seconds: int

    def conninfo(self) -> str:
        """Return the settings of every connection: who we are, times in UTC, and how long a statement may take."""
        given = self._parameters()
        options = (
            f"-c TimeZone=UTC -c statement_timeout={self.statement_timeout_seconds * 1000}"
            # The holder of the snapshot idles while others read.
            " -c idle_in_transaction_session_timeout=0"
        )
        return make_conninfo(
            "",
            **{
                "connect_timeout": "10",
                **given,
                "application_name": "offramp",
                "client_encoding": "UTF8",
                "options": f"{given.get('options', '')} {options}".strip(),
            },
        )

    def _parameters(self) -> dict[str, str]:
        try:
            parsed = conninfo_to_dict(self.dsn)
        except psycopg.Error:
            parsed = None
        # Raised out here so that libpq's words, which may quote the text, are not kept as the error's context.
        if parsed is None:
            raise SourceRefused(
                f"the url of source '{self.source}' is no connection text of PostgreSQL",
                expected="host=... port=... dbname=... user=... password=..., or postgresql://...",
                todo="correct the url in offramp.yaml or the variable that it names",
            )
        return {name: str(value) for name, value in parsed.items() if value is not None}

    def run(self, action: Callable[[], Result], *, doing: str) -> Result:
        """Run an action; what psycopg and DuckDB raise becomes an error of the source, without secrets.

        DuckDB's messages repeat the whole connection text, so the original is not kept as cause or context.
        """
        try:
            return action()
        except (psycopg.Error, duckdb.Error) as error:
            failure = self._failure(error, doing)
        raise failure

    def _failure(self, error: psycopg.Error | duckdb.Error, doing: str) -> OfframpError:
        found = self.scrub(" ".join(str(error).split()))
        lowered = found.lower()
        passing = isinstance(error, psycopg.OperationalError) or any(word in lowered for word in _PASSING)
        if passing and "permission denied" not in lowered:
            return SourceUnreachable(
                f"source '{self.source}': {doing} failed",
                found=found,
                todo="check host, port, rights and the state of the server; the next run tries again",
            )
        return SourceRefused(
            f"source '{self.source}': {doing} was refused", found=found, todo="correct what the server says"
        )

    def scrub(self, text: str) -> str:
        """Return a text in which the password, the connection text and passphrases are hidden."""
        parameters = self._parameters()
        secrets = {self.dsn} | {parameters[name] for name in ("password", "sslpassword") if name in parameters}
        # As connection texts escape them, and as SQL then doubles quotes.
        secrets |= {secret.replace("\\", "\\\\").replace("'", "\\'") for secret in secrets}
        secrets |= {secret.replace("'", "''") for secret in secrets}
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def attach(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        """Make one schema of the server readable as ``pg`` in a DuckDB connection."""
        load_extension(connection)
        where = literal(self.conninfo())
        connection.execute(f"attach {where} as pg (type postgres, read_only, schema {literal(schema)})")


def load_extension(connection: duckdb.DuckDBPyConnection) -> None:
    """Load DuckDB's signed postgres extension from its wheel: no network, no folder of extensions."""
    name = f"extensions/v{duckdb.__version__}/postgres_scanner.duckdb_extension"
    with as_file(files("duckdb_extension_postgres_scanner").joinpath(name)) as path:
        connection.execute(f"load {literal(str(path))}")
