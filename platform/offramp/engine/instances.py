"""DuckDB instances that are kept for reuse: opening and closing one costs 10 ms of CPU, more than a small query."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING
from weakref import WeakSet, finalize

import duckdb

from offramp.engine.spill import SpillFolder

if TYPE_CHECKING:
    from pathlib import Path

# Of each number of threads. A delivery needs two at once: for its scan, and for a check that reads the landings again.
_MOST_IDLE = 2


class Instance:
    """An in-memory database with a spill folder of its own. It belongs to one session at a time."""

    def __init__(self, scratch: Path, memory_bytes: int, threads: int, *, is_small: bool) -> None:
        self.threads = threads
        self.is_small = is_small
        self._pid = os.getpid()
        self._folder = SpillFolder(scratch)
        try:
            self.connection = duckdb.connect(":memory:", config=_config(memory_bytes, threads, self._folder.path))
        except BaseException:
            self._folder.remove()
            raise
        # For all its cursors: setting it for each costs more than making one.
        self.connection.execute("set global TimeZone = 'UTC'")

    @property
    def may_be_kept(self) -> bool:
        """True after small work that spilled nothing: what a large sort leaves in memory goes with the instance."""
        return self.is_small and self._pid == os.getpid() and self._folder.is_untouched

    def close(self) -> None:
        """Close the database and remove its spill folder. A child that was forked owns neither."""
        if self._pid != os.getpid():
            return
        self.connection.close()
        self._folder.remove()


class Instances:
    """The instances of one engine. Idle ones are closed before this process forks, and when the engine is gone."""

    def __init__(self, scratch: Path, memory_bytes: int, threads: int) -> None:
        self._scratch = scratch
        self._memory_bytes = memory_bytes
        self._threads = threads
        self._lock = threading.Lock()
        self._idle: list[Instance] = []
        finalize(self, _close_all, self._idle)
        _OPENED.add(self)

    def take(self, *, is_small: bool, in_one_thread: bool) -> Instance:
        """Return an instance that nobody else uses. Folders that killed processes left are swept where one is made.

        An instance for small work is kept afterwards. In one thread: to hand pieces to a second costs a third more
        CPU where there are few.
        """
        threads = 1 if in_one_thread else self._threads
        with self._lock:
            kept = next((one for one in reversed(self._idle) if is_small and one.threads == threads), None)
            if kept is not None:
                self._idle.remove(kept)
        if kept is not None and kept.may_be_kept:
            return kept
        if kept is not None:  # the scratch folder was emptied since
            kept.close()
        return Instance(self._scratch, self._memory_bytes, threads, is_small=is_small)

    def give_back(self, instance: Instance) -> None:
        """Keep an instance whose session ended well, unless it spilled or there are enough."""
        if instance.may_be_kept:
            with self._lock:
                if sum(one.threads == instance.threads for one in self._idle) < _MOST_IDLE:
                    self._idle.append(instance)
                    return
        instance.close()

    def close_idle(self) -> None:
        """Close what is kept. The next session opens a new one."""
        with self._lock:
            idle, self._idle[:] = list(self._idle), []
        for one in idle:
            one.close()


def _close_all(idle: list[Instance]) -> None:
    while idle:
        idle.pop().close()


_OPENED: WeakSet[Instances] = WeakSet()


def _before_fork() -> None:
    """Close idle instances: a child would have their memory without the threads that run them."""
    for one in list(_OPENED):
        one.close_idle()


os.register_at_fork(before=_before_fork)


def _config(memory_bytes: int, threads: int, spill: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": f"{memory_bytes}B",
        "threads": threads,
        "temp_directory": str(spill),
        "preserve_insertion_order": True,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Files are read once: cached blocks would take the room that a sort needs.
        "enable_external_file_cache": False,
        # Freed memory goes back early: at the default of 512 MB a process stays 60 MB larger, at 8 MB a sort of
        # 5 M rows costs half a CPU second more.
        "allocator_flush_threshold": "128MB",
        "allocator_bulk_deallocation_flush_threshold": "128MB",
    }
