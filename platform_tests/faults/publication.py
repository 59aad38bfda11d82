"""Whole publications to a place behind a fault, looked at all the while, and what has to be true of them in the end."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from offramp.destinations.names import is_temporary
from offramp.domain.deliveries import State
from offramp.domain.manifests import Manifest
from offramp.pipeline.plan import PlanOptions
from offramp.pipeline.shelves import RemoteShelf
from offramp.pipeline.verify import verify_place
from platform_tests.faults.reader import FolderLook, Look, Reader, Version, digest
from platform_tests.faults.staging import ATTEMPTS, CLICKS, ITEMS, Run, Template, open_house, run_all
from platform_tests.faults.table import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from offramp.domain.ports import Destination
    from platform_tests.pipeline.house import House

NAME = "partner"
CORRECTION = PlanOptions(correction="another separator was agreed")


@dataclass
class Ground:
    """A place to publish to: behind a fault as ``open`` gives it, and as others see it.

    ``unfinished`` asks the server for uploads that nobody finished. ``expect_hit`` fails where a fault did not
    happen, ``mend`` takes it away.
    """

    open: Callable[[], Destination]
    look: Look
    unfinished: Callable[[], Iterable[str]] = tuple
    expect_hit: Callable[[], None] = lambda: None
    mend: Callable[[], None] = lambda: None

    @property
    def is_folder(self) -> bool:
        """Whether its files are those of a file system."""
        return isinstance(self.look, FolderLook)


def mended_by(ground: Ground, other: Ground) -> Ground:
    """Return a ground that the next run reaches in another way."""
    way = [ground.open]

    def open_() -> Destination:
        return way[-1]()

    return replace(ground, open=open_, mend=lambda: way.append(other.open))


@dataclass(frozen=True)
class Known:
    """What undisturbed runs bring to a kind of place: the first revision, and the corrected one in its place."""

    template: Template
    first: Mapping[str, str]
    second: Mapping[str, str]
    manifests: Mapping[str, bytes]

    def verified_by(self, proof: str) -> Known:
        """Return what stands there where files are proved otherwise: the manifests say so."""
        first = dict(self.first)
        for name, text in self.manifests.items():
            manifest = json.loads(text)
            manifest["verification"] = dict.fromkeys(manifest["verification"], proof)
            first[name] = digest(Manifest(manifest).content)
            line = f"{first[name]}  {name.rpartition('/')[2]}\n"
            first[f"{name}.sha256"] = digest(line.encode())
        return replace(self, first=first)

    @property
    def whole(self) -> dict[str, frozenset[str]]:
        """The checksums of all whole contents by name."""
        names = {*self.first, *self.second}
        return {name: frozenset(one[name] for one in (self.first, self.second) if name in one) for name in names}


def expect_good(destination: Destination) -> None:
    """Read everything by its manifests, as a recipient who has ``offramp verify``."""
    report = verify_place(RemoteShelf(destination, "the place"))
    assert report.is_good, [check.problems for check in report.deliveries]
    assert (len(report.deliveries), report.unmentioned, report.leftovers) == (2, (), ())


def learn(template: Template, folder: Path, ground: Ground) -> Known:
    """Publish without any fault, then the correction, verify it and note what stood there each time.

    Cases compare byte for byte with what was verified here.
    """
    house = template.open(folder)
    destination = ground.open()
    _go_to(house, destination)
    run = run_all(house)
    assert (run.made, run.failures, run.retries) == (2, (), ())
    expect_good(destination)
    first = contents(ground.look)
    manifests = {name: ground.look.read(name) or b"" for name in first if name.endswith(".json")}
    house = corrected(house)
    destination = ground.open()
    _go_to(house, destination)
    run = run_all(house, CORRECTION, [ITEMS])
    expect_good(destination)
    house.rooms.hang_up()
    assert (run.made, run.failures, run.retries) == (1, (), ())
    return Known(template, first, contents(ground.look), manifests)


def corrected(house: House) -> House:
    """Open the same folder with the options of the correction."""
    house.rooms.hang_up()
    return open_house(house.folder, 0, is_corrected=True)


def contents(look: Look) -> dict[str, str]:
    """Return the sha256 of every file that is there, hidden ones too."""
    read = {name: look.read(name) for name in look.files()}
    return {name: digest(content) for name, content in read.items() if content is not None}


def _go_to(house: House, destination: Destination) -> None:
    """Open the destination as a new run does, which knows nothing of what became of it before."""
    house.rooms = replace(
        house.rooms, destination=lambda _name, _one: destination, hang_up=destination.close, down={}, wary=set()
    )


@dataclass
class Publication:
    """One case: a house whose deliveries go to a ground, and what stood there whole after the last run."""

    house: House
    ground: Ground
    reference: Mapping[str, str]
    destination: Destination
    before: Mapping[str, Version] = field(default_factory=dict)

    def run(self, options: PlanOptions | None = None) -> Run:
        """Publish, and note what stands whole afterwards."""
        run = run_all(self.house, options, [ITEMS] if options else (CLICKS, ITEMS))
        now = contents(self.ground.look)
        self.before = {
            name: version for name, version in self.ground.look.files().items()
            if name in now and now[name] == self.reference.get(name)
        }  # fmt: skip
        return run

    def expect(self, run: Run, outcome: Outcome, *words: str, retries: int = 1) -> None:
        """Compare what a run said and wrote into the ledger with what is stated of the fault."""
        self.ground.expect_hit()
        failed = {failure.delivery.export.name for failure in run.failures}
        if outcome in {Outcome.RETRIED, Outcome.MISSED}:
            assert not failed, run.failures
            assert len(run.retries) >= (retries if outcome is Outcome.RETRIED else 0)
        else:
            assert failed, "the fault was not noticed"
            wanted = ATTEMPTS - 1 if outcome is Outcome.LATER else 0
            assert len(run.retries) >= wanted
            assert outcome is Outcome.LATER or not run.retries, run.retries
        for failure in run.failures:
            for word in (f"'{NAME}'", "to do:", *words):
                assert word in failure.error, f"{word!r} is not in: {failure.error}"
        told = {record.export: record for record in self.house.rooms.ledger.find()}
        for export in (CLICKS, ITEMS):
            placements = [(one.destination, one.state) for one in told[export].placements]
            state, placed = (State.STAGED, State.FAILED) if export in failed else (State.PUBLISHED, State.PUBLISHED)
            assert (told[export].state, placements) == (state, [("outbox", placed)])

    def expect_failed(self, run: Run) -> None:
        """Fail unless a correction broke off: it is staged, and no manifest speaks for the files any more."""
        self.ground.expect_hit()
        assert [failure.delivery.export.name for failure in run.failures] == [ITEMS]
        newest = self.house.rooms.ledger.find(export=ITEMS)[-1]
        assert (newest.revision, newest.state) == (2, State.STAGED)
        assert not [name for name in self.ground.look.files() if name.startswith("_manifests/snapshot/")]

    def expect_end(self) -> None:
        """Publish again without the fault: nothing is missing, left behind, doubled or written twice.

        The next run knows nothing of the first but what stands in the lake, in the ledger and at the place.
        """
        self.ground.mend()
        self.destination.close()
        self.destination = self.ground.open()
        _go_to(self.house, self.destination)
        again = run_all(self.house)
        assert (again.failures, again.retries) == ((), ())
        after = self.ground.look.files()
        assert contents(self.ground.look) == self.reference
        assert not self._replaced(self.before, after), "files that were whole before stay as they are"
        assert not [name for name in after if is_temporary(name.rpartition("/")[2])]
        assert not list(self.ground.unfinished())
        assert sorted(self.destination.list("")) == sorted(self.reference)
        assert run_all(self.house).made == 0, "a further run delivers nothing anew"
        assert not self._replaced(after, self.ground.look.files())
        states = [(record.export, record.revision, record.state) for record in self.house.rooms.ledger.find()]
        assert [one for one in states if one[2] is not State.SUPERSEDED] == [
            (CLICKS, 1, State.PUBLISHED), (ITEMS, self.revision, State.PUBLISHED)
        ]  # fmt: skip

    def at(self, step: str, nth: int, work: Callable[[], object]) -> None:
        """Do something at the nth time that a step of the pipeline comes. The large file's commit is the fifth."""
        left = [nth]

        def at_step(reached: str) -> None:
            left[0] -= reached == step
            if reached == step and left[0] == 0:
                work()

        self.house.rooms = replace(self.house.rooms, at_step=at_step)

    def _replaced(self, before: Mapping[str, Version], after: Mapping[str, Version]) -> list[str]:
        """Return the files that are not the same any more.

        A server may write bytes that were held up on their way once more into the very file, which changes its time.
        """
        parts = -1 if self.ground.is_folder else None
        return [name for name, version in before.items() if after.get(name, ())[:parts] != version[:parts]]

    @property
    def revision(self) -> int:
        """The newest revision of the items."""
        return max(record.revision for record in self.house.rooms.ledger.find(export=ITEMS))


@contextmanager
def publication(known: Known, folder: Path, ground: Ground, *, is_correction: bool = False) -> Iterator[Publication]:
    """Open a case with its reader; at the end nobody has seen a part.

    Of a correction the first revision stands there already.
    """
    house = known.template.open(folder)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        if is_correction:
            _go_to(house, ground.open())
            assert not run_all(house).failures
            house = corrected(house)
        destination = ground.open()
        _go_to(house, destination)
        with Reader(ground.look, known.whole) as reader:
            one = Publication(house, ground, known.second if is_correction else known.first, destination)
            try:
                yield one
            finally:
                one.destination.close()
        reader.expect_all_whole()
