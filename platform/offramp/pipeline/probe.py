"""Probe: does a destination let us do all that a delivery does? Tried with a small file, which is taken away again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offramp.domain.contents import text_content
from offramp.domain.errors import OfframpError, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offramp.domain.ports import Destination

FOLDER = ".offramp-check"
"""Hidden, so that no pattern of a receiver matches it; there it is seen whether folders can be made."""

NAME = f"{FOLDER}/probe.txt"

RIGHTS = {
    "connect": "log in, and look at a file",
    "write": "create the folder, write a file and give it its name",
    "read back": "read a file",
    "list": "list a folder",
    "overwrite": "replace a file, for corrections",
    "delete": "delete a file, for corrections that have fewer",
}
"""What is tried, in this order, and the right that it needs."""

_STAGED = "stay staged"
_AGAIN = re.compile(r"(?:^|, then |; )run again$")


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


def probe(open_place: Callable[[], Destination], token: int) -> Iterator[Finding]:
    """Open a destination, write, rename, read back, overwrite, list and delete a probe, telling of each step.

    The probe is taken away whatever fails; what cannot be taken away, the last step tells. Its folder stays, empty,
    where there are folders. ``token`` grows from check to check; of two checks at once one may find its probe changed.
    """
    try:
        mine = _Probe(open_place(), token)
    except OfframpError as error:
        yield Finding("connect", RIGHTS["connect"], as_said(error))
        yield from (Finding(step, right, is_tried=False) for step, right in RIGHTS.items() if step != "connect")
        return
    tried: dict[str, OfframpError | None] = {}
    problems: list[str] = []
    try:
        for step, work in mine.steps():
            if tried.get("connect") or tried.get("write"):
                yield Finding(step, RIGHTS[step], is_tried=False)
                continue
            tried[step] = None  # said before, for a step may be broken off
            tried[step] = failed = _error_of(work)
            yield Finding(step, RIGHTS[step], None if failed is None else as_said(failed))
    finally:
        if "write" in tried:
            problems += mine.take_away()
    is_tried = bool(problems) or ("write" in tried and tried["write"] is None)
    yield Finding("delete", RIGHTS["delete"], "\n".join(problems) or None, is_tried=is_tried)


def as_said(error: OfframpError) -> str:
    """Return an error's text for a check, without what it advises to those who deliver: nothing is staged here."""
    todo = error.todo or ""
    if _STAGED in todo:
        todo = _AGAIN.sub("", "; ".join(clause for clause in todo.split("; ") if _STAGED not in clause))
    return str(OfframpError(error.what, where=error.where, expected=error.expected, found=error.found, todo=todo))


def _error_of(work: Callable[[], object]) -> OfframpError | None:
    try:
        work()
    except OfframpError as error:
        return error
    return None


@dataclass(frozen=True, slots=True)
class _Probe:
    """A small file and what is done with it. Each step leaves the destination as the next one needs it."""

    destination: Destination
    token: int

    def steps(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        return (
            ("connect", self.look),
            ("write", lambda: self._write(1)),
            ("read back", self.read),
            ("list", self.find),
            ("overwrite", lambda: self._write(2)),
        )

    def look(self) -> None:
        self.destination.stat(NAME)

    def read(self) -> None:
        if b"".join(self.destination.read(NAME)) != _text(1):
            raise VerificationFailed(
                "the file reads otherwise than it was written", where=NAME, todo="see what changes files there"
            )

    def find(self) -> None:
        if NAME not in self.destination.list(f"{FOLDER}/"):
            raise VerificationFailed("the list does not have the file", where=NAME, todo="grant the right to list")

    def take_away(self) -> list[str]:
        """Remove the file and the parts of uploads that broke off, and say what may stay and why."""
        deleted, swept = _error_of(self._delete), _error_of(self._sweep)
        found = []
        if deleted is not None:
            found.append(f"{NAME} may stay there: {as_said(deleted)}")
        if swept is not None:
            found.append(f"parts of uploads may stay in {FOLDER}: {as_said(swept)}")
        return found

    def _delete(self) -> None:
        self.destination.delete(NAME)
        if self.destination.stat(NAME) is not None:
            raise VerificationFailed(
                "the file is there after it was deleted", where=NAME, todo="grant the right to delete"
            )

    def _sweep(self) -> None:
        self.destination.sweep([f"{FOLDER}/"], below_token=self.token + 3)

    def _write(self, number: int) -> None:
        pending = self.destination.put(NAME, text_content(_text(number)), token=self.token + number)
        self.destination.commit(pending, over=self.destination.stat(NAME))


def _text(number: int) -> bytes:
    return f"{number} of offramp destination check\n".encode()
