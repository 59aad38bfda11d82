"""The database under the ledger: connections, write locks, and its errors in our words."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from offramp.domain.errors import LedgerUnreachable, WrongUse
from offramp.ledger.schema import prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta

    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

_SCHEMA_LOCK = int.from_bytes(b"offramp!", "big", signed=True)
_SQLITE_TRANSIENT = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_SQLITE_PERMANENT = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
# A right is missing; or there is no schema, or no right to see it.
_POSTGRESQL_RIGHTS = {"42501", "3F000"}
_CONNECT_SECONDS = 10
# libpq gives no SQLSTATE when a connection is refused by the server, only these words.
_POSTGRESQL_PERMANENT = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")


class Database:
    """SQLite in WAL mode, or PostgreSQL. Tables are made on first use.

    The URL may hold a password: it lives in the engine only, and no message or repr shows it.
    """

    def __init__(self, url: str, *, busy_timeout: timedelta) -> None:
        parsed = _parse(url)
        self.where = _where(parsed)
        self._busy_timeout = busy_timeout
        self._is_sqlite = parsed.get_backend_name() == "sqlite"
        self._engine = self._sqlite(parsed) if self._is_sqlite else self._postgresql(parsed)
        self._is_ready = False
        self._ready_lock = threading.Lock()

    def close(self) -> None:
        """Close idle connections. The next use opens new ones."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for one statement of reading."""
        with self._errors():
            self._make_ready()
            # One statement sees one state of the database without being told where a transaction begins.
            with self._engine.connect().execution_options(offramp_begin=None) as connection:
                yield connection

    @contextmanager
    def write(self, delivery_ids: Iterable[str]) -> Iterator[Connection]:
        """Give a transaction in which nobody else writes these deliveries; it commits at the end.

        SQLite has one writer at a time. PostgreSQL takes a lock per delivery, in sorted order, so that two
        transactions never wait for each other.
        """
        with self._errors():
            self._make_ready()
            with self._locked(sorted({_lock_of(one) for one in delivery_ids})) as connection:
                yield connection

    @contextmanager
    def _locked(self, locks: Iterable[int]) -> Iterator[Connection]:
        with (
            self._engine.connect().execution_options(offramp_begin="begin immediate") as connection,
            connection.begin(),
        ):
            if not self._is_sqlite:
                milliseconds = f"{int(self._busy_timeout.total_seconds() * 1000)}ms"
                connection.execute(text("select set_config('lock_timeout', :value, true)"), {"value": milliseconds})
                for lock in locks:
                    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": lock})
            yield connection

    def _make_ready(self) -> None:
        """Make the tables once per process; two processes at once wait for each other."""
        with self._ready_lock:
            if self._is_ready:
                return
            if self._is_sqlite:
                Path(self.where).parent.mkdir(parents=True, exist_ok=True)
                self._use_wal()
            with self._locked([_SCHEMA_LOCK]) as connection:
                prepare(connection)
            self._is_ready = True

    def _use_wal(self) -> None:
        """Set WAL, which the file remembers. SQLite does not wait here while another process does the same."""
        deadline = time.monotonic() + self._busy_timeout.total_seconds()
        while True:
            try:
                with self._engine.connect().execution_options(offramp_begin=None) as connection:
                    connection.exec_driver_sql("pragma journal_mode = wal")
            except OperationalError as error:
                if not _is_transient(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _sqlite(self, url: URL) -> Engine:
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": self._busy_timeout.total_seconds()})
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
        return engine

    def _postgresql(self, url: URL) -> Engine:
        limits: dict[str, Any] = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
        return create_engine(
            url, hide_parameters=True, connect_args=limits, pool_pre_ping=True, isolation_level="READ COMMITTED"
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            found = str(error.orig).strip()
            if _is_transient(error):
                raise LedgerUnreachable(
                    "the ledger does not answer",
                    where=self.where,
                    found=found,
                    todo="see that its server runs, its disk has room and no program holds it locked, then run again",
                ) from error
            if _is_permanent(error):
                raise WrongUse(
                    "the ledger cannot be used",
                    where=self.where,
                    found=found,
                    todo="check the ledger's URL in offramp.yaml, its password and its rights",
                ) from error
            raise
        except OSError as error:
            todo = "check the ledger's URL in offramp.yaml and the rights of its folder"
            raise WrongUse("the ledger cannot be used", where=self.where, found=error.strerror, todo=todo) from error


def _parse(url: str) -> URL:
    """Read the URL. Errors are not chained: their text repeats pieces of it, which may be the password."""
    todo = "give sqlite:///path/to/ledger.sqlite or postgresql+psycopg://user:password@host:5432/database"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise WrongUse("the ledger's URL cannot be read", todo=todo) from None
    # An unescaped '@' in a password ends up in the host, and from there in every message.
    if "@" in (parsed.host or ""):
        raise WrongUse("the ledger's URL has an '@' too many", todo="write '@' in a password as %40") from None
    name = parsed.drivername
    if name in {"sqlite", "sqlite+pysqlite"} and parsed.database not in {None, "", ":memory:"}:
        return parsed
    if name in {"postgresql", "postgres", "postgresql+psycopg"} and parsed.database:
        return parsed.set(drivername="postgresql+psycopg")
    raise WrongUse("the ledger's URL names no database that it can be kept in", found=name, todo=todo)


def _where(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"postgresql {url.host or 'local'}:{url.port or 5432}/{url.database}"


def _lock_of(delivery_id: str) -> int:
    """Return a delivery id, 16 hex digits, as PostgreSQL's bigint."""
    return int.from_bytes(bytes.fromhex(delivery_id), "big", signed=True)


def _on_sqlite_connect(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # Transactions begin where we say so, not where Python's sqlite3 guesses that one is needed.
    connection.isolation_level = None
    connection.execute("pragma foreign_keys = on")
    # A power cut must not undo a commit: what was published would be published again.
    connection.execute("pragma synchronous = full")


def _on_sqlite_begin(connection: Connection) -> None:
    # A writer takes the lock at once: one that reads first can be refused without waiting.
    begin = connection.get_execution_options().get("offramp_begin", "begin")
    if begin is not None:
        connection.exec_driver_sql(begin)


def _is_transient(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in _SQLITE_TRANSIENT
    return isinstance(error, OperationalError | InterfaceError) and not _is_permanent(error)


def _is_permanent(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in _SQLITE_PERMANENT
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is None:
        return any(words in str(error.orig) for words in _POSTGRESQL_PERMANENT)
    return sqlstate in _POSTGRESQL_RIGHTS


def _sqlite_code(error: sqlite3.Error) -> int:
    # The low byte is the error, the rest its kind: SQLITE_BUSY_SNAPSHOT and the like.
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
