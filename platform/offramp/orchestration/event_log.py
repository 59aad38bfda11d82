"""Dagster's event log on SQLite, with connections that stay open.

Dagster's own opens a database anew for each event, and three times for the result of a check: over a thousand events
of a nightly run that is most of the run's CPU time. The files and their tables are Dagster's own; either class reads
what the other wrote.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.polling_event_watcher import SqlPollingEventWatcher
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData

# The index, the run at work, and some that the UI shows.
MOST_OPEN = 8
_BUSY_SECONDS = 60


class OpenEventLogStorage(SqliteEventLogStorage):
    """The event log of a Dagster home. A process keeps the databases open that it used last."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, sqlalchemy.Engine] = OrderedDict()
        self._joined: dict[str, sqlalchemy.Connection] | None = None
        self._tables: set[str] = set()
        self._owner = 0
        self._stack = ExitStack()
        super().__init__(base_dir, inst_data)
        self._watcher = SqlPollingEventWatcher(self)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        """Give a transaction on a run's database, or on the index. One thread at a time, as Dagster has it."""
        if self._joined is not None and self._owner == threading.get_ident():
            if shard not in self._joined:
                self._joined[shard] = self._stack.enter_context(self._engine(shard).begin())
            yield self._joined[shard]
            return
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event in one transaction per database; the result of a check would else take three."""
        with self._db_lock, ExitStack() as stack:
            self._owner, self._stack, self._joined = threading.get_ident(), stack, {}
            try:
                super().store_event(event)
            finally:
                self._joined = None

    def _engine(self, shard: str) -> sqlalchemy.Engine:
        engine = self._engines.get(shard)
        if engine is None:
            engine = sqlalchemy.create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            )
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection:
                # In WAL mode this loses nothing when a process is killed; what was delivered stands in the ledger.
                connection.exec_driver_sql("pragma synchronous = normal")
            self._engines[shard] = engine
            while len(self._engines) > MOST_OPEN:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return engine

    def has_table(self, table_name: str) -> bool:
        """Say whether the index has a table; one that was there stays there."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def watch(self, run_id: str, cursor: str | None, callback: Callable[[EventLogEntry, str], None]) -> None:
        """Tell of a run's new events by asking for them: the file of an open database is not touched by each."""
        self._watcher.watch_run(run_id, cursor, callback)

    def end_watch(self, run_id: str, handler: Callable[[EventLogEntry, str], None]) -> None:
        """Tell no more of a run's events."""
        self._watcher.unwatch_run(run_id, handler)

    def wipe(self) -> None:
        """Remove all events."""
        self._watcher.close()
        self._watcher = SqlPollingEventWatcher(self)
        self._close()
        super().wipe()

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()

    def dispose(self) -> None:
        """Close all databases."""
        self._watcher.close()
        self._close()
        super().dispose()


class OpenSqliteStorage(DagsterSqliteStorage):
    """Dagster's storage in a folder, as by default, but for its event log."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = OpenEventLogStorage(str(Path(base_dir) / "history" / "runs"))

    @classmethod
    def from_config_value(  # type: ignore[override]  # Dagster's own narrows the configuration likewise
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, str]
    ) -> Self:
        """Open the storage that dagster.yaml names."""
        return cls.from_local(inst_data=inst_data, base_dir=config_value["base_dir"])
