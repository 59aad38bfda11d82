"""A place of any kind with a publication that waits for it, and who looks at that place meanwhile and afterwards."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.deliveries import DELIVERED
from offramp.domain.errors import DestinationChanged
from offramp.pipeline.shelves import RemoteShelf
from offramp.pipeline.verify import verify_place
from platform_tests.destinations.places import Place, write
from platform_tests.faults.publication_run import DAY, Kit, Publication, deliver

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from offramp.domain.contents import Standing
    from offramp.domain.ports import Destination


class Reader:
    """Looks at a place all the time, over a connection of its own, by the rule of the layout."""

    def __init__(self, destination: Destination, *states: Mapping[str, bytes]) -> None:
        self._destination = destination
        self._whole: dict[str, set[bytes]] = {}
        for state in states:
            for name, content in state.items():
                self._whole.setdefault(name, set()).add(content)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.looks = 0
        self.faults: list[str] = []

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            self._once()
            self.looks += 1
            self._stop.wait(0.02)

    def _once(self) -> None:
        names = self._destination.list("")
        for name in names:
            found = self._read(name)
            if found is not None and found not in self._whole.get(name, ()):
                self.faults.append(f"{name} is neither the old nor the new file")
            if found is not None and name.startswith("_manifests/") and name.endswith(".json"):
                self._check(name, found)

    def _check(self, name: str, manifest: bytes) -> None:
        """A manifest that stands there before and after a look at its files speaks for them."""
        files = json.loads(manifest)["files"]
        found = [hashlib.sha256(self._read(file["name"]) or b"").hexdigest() for file in files]
        if found != [file["sha256"] for file in files] and self._read(name) == manifest:
            self.faults.append(f"{name} speaks for files that are not there")

    def _read(self, name: str) -> bytes | None:
        try:
            return b"".join(self._destination.read(name))
        except DestinationChanged:
            return None


@dataclass
class Bench:
    """A place, the connections of those who look at it, and publications to it: one at a time, each from the start."""

    place: Place
    kit: Kit
    folder: Path
    is_correction: bool

    def __post_init__(self) -> None:
        self.destination, self.of_reader = self.place.open(), self.place.open()
        self.expected = self.kit.new if self.is_correction else self.kit.old
        self._numbers = itertools.count()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.destination.close()
        self.of_reader.close()

    def reader(self) -> Reader:
        return Reader(self.of_reader, self.kit.old, self.expected)

    def publication(self) -> Publication:
        """Empty the place, put there what was there before, and copy the folder in which the delivery waits."""
        for name in self.destination.list(""):
            self.destination.delete(name)
        for name, content in self.kit.old.items() if self.is_correction else ():
            write(self.destination, name, content)
        folder = self.kit.unpack(self.folder / str(next(self._numbers)), is_correction=self.is_correction)
        return Publication(folder, self.place.open, ";" if self.is_correction else ",", self.kit.letters)

    def standing(self) -> list[Standing | None]:
        return [self.destination.stat(name) for name in self.destination.list("")]

    def end(self, publication: Publication, *, is_swept: bool = True) -> None:
        """Let the next run end what a killed one began, and see that a further one finds nothing to do."""
        house = publication.house(over=self.destination)
        report = deliver(house)
        assert not report.failures
        assert not report.refused
        destination = self.destination
        assert {name: b"".join(destination.read(name)) for name in destination.list("")} == self.expected
        verified = verify_place(RemoteShelf(destination, "place"))
        assert verified.is_good, [check.problems for check in verified.deliveries]
        assert (verified.unmentioned, verified.leftovers) == ((), ())
        assert not is_swept or not list(self.place.unfinished())
        newest = house.rooms.ledger.find(first_day=DAY, last_day=DAY)[-1]
        assert newest.state in DELIVERED
        assert [one.state for one in newest.placements] == [newest.state]
        before = self.standing()
        assert not deliver(house).outcomes, "a further run delivers nothing anew"
        assert self.standing() == before
