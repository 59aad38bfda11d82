"""One publication to a place of any kind, in processes that are killed or stopped while they publish.

What is published was staged before, once for all cases, so that a process does nothing but publish. Processes are
forked from a clean one that has loaded everything: a case takes no longer than its publication.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil

from offramp.domain.steps import no_step
from offramp.domain.subscriptions import Initial
from offramp.domain.windows import DAY as ONE_DAY
from offramp.domain.windows import midnight
from offramp.ledger.owners import has_ended, this_process
from offramp.pipeline.deliver import DayReport, deliver_day
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.rooms import Patience
from platform_tests.faults.shop_run import Killer
from platform_tests.pipeline.history_source import HistorySource
from platform_tests.pipeline.house import Clock, House, subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from offramp.domain.ports import Destination
    from platform_tests.destinations.killing import OpenDestination

EXPORT = "shop/delta/items"
DAY = date(2026, 3, 1)
AFTER = midnight(DAY + ONE_DAY) + timedelta(hours=1)
REASON = PlanOptions(correction="neither deletes nor commas were wanted")
QUICK = Patience(first_pause=timedelta(milliseconds=2), longest_pause=timedelta(milliseconds=20))
WAIT_SECONDS = 60
# The libraries of all kinds: a process that is forked has them at once.
_LOADED = [
    "offramp.destinations.ftp", "offramp.destinations.gcs", "offramp.destinations.s3", "offramp.destinations.sftp",
    "dagster_aws.s3", "dagster_gcp.gcs", "boto3", "google.cloud.storage", "paramiko", __name__,
]  # fmt: skip


def history(clock: Clock, letters: int) -> HistorySource:
    """Rows of two days; some go again. ``letters`` is the length of a title, and so the size of the file."""
    start = midnight(DAY)
    items: list[tuple[datetime, bool, dict[str, object]]] = []
    for number in range(300):
        committed_at = start + timedelta(minutes=4 * number)
        row: dict[str, object] = {
            "id": number % 200, "title": f"{number:09}" * (letters // 9), "amount": number,
            "last_updated": committed_at.replace(tzinfo=None), "tenant": "a",
        }  # fmt: skip
        items.append((committed_at, number % 10 == 9 and number >= 200, row))
    before = [(moment - ONE_DAY, False, row | {"last_updated": datetime(2026, 2, 1)}) for moment, _, row in items[:200]]  # noqa: DTZ001
    return HistorySource(clock, items=before + items)


def _house(folder: Path, separator: str, letters: int, at_step: Callable[[str], None] = no_step) -> House:
    clock = Clock(AFTER)
    options = {"CSV_MD5": "1", "CSV_FIELD_SEPARATOR": separator}
    taken = subscription(initial=Initial.NONE, deletes=separator == ",", options=options)
    return House(folder, history(clock, letters), clock, [taken], at_step=at_step)


class Stopped(Exception):
    """The run ends here."""


def _stop_at(step: str) -> Callable[[str], None]:
    def at_step(reached: str) -> None:
        if reached == step:
            raise Stopped

    return at_step


@dataclass(frozen=True)
class Kit:
    """Folders in which a delivery waits for its publication, and what a place holds after it.

    ``first`` is of the first revision, ``correction`` of the second, which has other rows and no deletes any more.
    """

    folder: Path
    letters: int
    old: Mapping[str, bytes]
    new: Mapping[str, bytes]

    def unpack(self, folder: Path, *, is_correction: bool) -> Path:
        """Copy a folder for one case."""
        copy = folder / "house"
        shutil.copytree(self.folder / ("correction" if is_correction else "first"), copy)
        return copy


def _files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def make_kit(folder: Path, letters: int = 45) -> Kit:
    """Stage both revisions, and publish them to a folder as the reference."""
    for name, step in (("first", "publish.put"), ("reference", "")):
        house = _house(folder / name, ",", letters, _stop_at(step))
        try:
            house.deliver(EXPORT, DAY)
        except Stopped:
            assert name == "first"
    old = _files(house.outbox())
    shutil.copytree(folder / "reference", folder / "correction")
    for name, step in (("correction", "publish.supersede"), ("reference", "")):
        house = _house(folder / name, ";", letters, _stop_at(step))
        try:
            house.deliver(EXPORT, DAY, REASON)
        except Stopped:
            assert name == "correction"
    return Kit(folder, letters, old, _files(house.outbox()))


@dataclass(frozen=True)
class Publication:
    """A delivery that waits in a folder of its own, and the place that it goes to. Can be pickled."""

    folder: Path
    open: OpenDestination
    separator: str
    letters: int

    def house(
        self, at_step: Callable[[str], None] = no_step, *, minutes_later: int = 0, over: Destination | None = None
    ) -> House:
        """Open the rooms as a process of its own does, with a connection of its own or ``over`` one that is open."""
        house = _house(self.folder, self.separator, self.letters, at_step)
        destination: Destination = over or self.open(at_step=at_step)
        house.clock.now = AFTER + timedelta(minutes=minutes_later)
        house.rooms = replace(
            house.rooms,
            destination=lambda _name, _one: destination,
            hang_up=destination.close,
            owner=this_process(),
            has_ended=has_ended,
            patience=QUICK,
        )
        return house


def deliver(house: House, options: PlanOptions | None = None) -> DayReport:
    """Deliver the day."""
    return deliver_day(house.rooms, house.rooms.exports[EXPORT], DAY, options)


class Staller:
    """Stops its process, as a debugger or a paused machine does, at the nth time that a step comes."""

    def __init__(self, step: str, nth: int) -> None:
        self._step, self._left = step, nth

    def __call__(self, step: str) -> None:
        if step == self._step:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGSTOP)


def _killed(publication: Publication, step: str, nth: int) -> None:
    deliver(publication.house(Killer(step, nth)))


def _told(publication: Publication, gate: Connection) -> None:
    """Wait for a word before publishing, and tell when it was done."""
    house = publication.house()
    gate.send("ready")
    gate.recv()
    report = deliver(house)
    gate.send([str(one.error) for one in report.failures])


def _stalled(publication: Publication, step: str, nth: int, minutes_later: int, gate: Connection) -> None:
    """Publish, being stopped on the way, and tell how it ended."""
    try:
        report = deliver(publication.house(Staller(step, nth), minutes_later=minutes_later))
    except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to know
        gate.send(type(error).__name__)
    else:
        gate.send([str(one.error) for one in report.failures])


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context


def killed_at(publication: Publication, step: str, nth: int) -> bool:
    """Publish in a process that is killed at the nth time of a step; False if the step never came so often."""
    process = _context().Process(target=_killed, args=(publication, step, nth))
    process.start()
    process.join(WAIT_SECONDS)
    code = process.exitcode
    process.close()
    assert code in {0, -signal.SIGKILL}, f"the run ended with {code}"
    return bool(code)


@dataclass
class Child:
    """A process that publishes, and the pipe that it tells by."""

    process: BaseProcess
    pipe: Connection

    def answer(self) -> Any:
        """What the process tells next."""
        assert self.pipe.poll(WAIT_SECONDS), "the process says nothing"
        return self.pipe.recv()

    def go(self) -> None:
        """Let it publish."""
        self.pipe.send("go")

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.join(WAIT_SECONDS)

    def wait_until_stopped(self) -> None:
        """Wait until it has stopped itself."""
        seen = psutil.Process(self.process.pid)
        deadline = time.monotonic() + WAIT_SECONDS
        while seen.status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < deadline, "the step never came"
            assert self.process.is_alive(), "the process ended before the step came"
            time.sleep(0.002)

    def go_on(self) -> None:
        """Let it go on from where it was stopped."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def child(target: Callable[..., None], *arguments: object) -> Iterator[Child]:
    """Run a process with a pipe, and end it by its own id whatever happens."""
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        yield Child(process, ours)
    finally:
        process.kill()
        process.join(WAIT_SECONDS)
        process.close()
        ours.close()


def waiting(publication: Publication) -> Any:
    """A process that has opened everything and waits for ``go``."""
    return child(_told, publication)


def stalled(publication: Publication, step: str, nth: int = 1, *, minutes_later: int = 0) -> Any:
    """A process that stops itself at a step."""
    return child(_stalled, publication, step, nth, minutes_later)
