"""Probe: does a destination let us do all that a delivery does? Tried with a small file, which is taken away again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.contents import text_content
from offramp.domain.errors import OfframpError, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offramp.domain.ports import Destination

FOLDER = "offramp-check"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one step: the right that it needs, and what the destination said, None where it went well.

    ``is_tried`` is False where an earlier step had to go well first.
    """

    step: str
    right: str
    error: str | None = None
    is_tried: bool = True

    @property
    def is_good(self) -> bool:
        """True where the step went well."""
        return self.is_tried and self.error is None


def probe(destination: Destination, token: int) -> Iterator[Finding]:
    """Connect, write, rename, read back, overwrite, list and delete a probe, telling of each step as it is done.

    ``token`` makes the probe's name: two probes at once need two. A folder ``offramp-check`` may stay behind, empty.
    """
    mine = _Probe(destination, f"{FOLDER}/probe-{token}.txt", token)
    steps: tuple[tuple[str, str, Callable[[], object]], ...] = (
        ("connect", "log in, and look at a file", mine.look),
        ("write", "create the folder, write a file and give it its name", mine.create),
        ("read back", "read a file", mine.read),
        ("list", "list a folder", mine.list),
        ("overwrite", "replace a file, for corrections", mine.replace),
        ("delete", "delete a file, for corrections that have fewer", mine.delete),
    )
    failed: set[str] = set()
    for step, right, work in steps:
        if failed & {"connect", "write"}:
            yield Finding(step, right, is_tried=False)
            continue
        try:
            work()
        except OfframpError as error:
            failed.add(step)
            yield Finding(step, right, str(error))
        else:
            yield Finding(step, right)


@dataclass(frozen=True, slots=True)
class _Probe:
    """A small file and what is done with it. Each step leaves the destination as the next one needs it."""

    destination: Destination
    name: str
    token: int

    def look(self) -> None:
        self.destination.stat(self.name)

    def create(self) -> None:
        self._write(1)

    def replace(self) -> None:
        self._write(2)

    def read(self) -> None:
        if b"".join(self.destination.read(self.name)) != _text(1):
            raise VerificationFailed(
                "the file reads otherwise than it was written", where=self.name, todo="see what changes files there"
            )

    def list(self) -> None:
        if self.name not in self.destination.list(f"{FOLDER}/"):
            raise VerificationFailed("the list does not have the file", where=self.name, todo="grant the right to list")

    def delete(self) -> None:
        self.destination.delete(self.name)
        if self.destination.stat(self.name) is not None:
            raise VerificationFailed(
                "the file is there after it was deleted", where=self.name, todo="grant the right to delete"
            )

    def _write(self, number: int) -> None:
        pending = self.destination.put(self.name, text_content(_text(number)), token=self.token + number)
        self.destination.commit(pending, over=self.destination.stat(self.name))


def _text(number: int) -> bytes:
    return f"{number} of offramp destination check\n".encode()
