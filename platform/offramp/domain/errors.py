"""The one tree of errors.

::

    OfframpError
    ├── PermanentError            a retry would fail the same way
    │   ├── WrongUse              the caller or a file it wrote is wrong: exit code 2
    │   │   ├── SettingsError     offramp.yaml or the environment
    │   │   └── ProjectError      dbt_like_sql
    │   ├── GateFailed            a data test over the lake did not pass: nothing is delivered
    │   ├── ContractBroken        rows differ from the contract's columns, types, order or key
    │   ├── LandingUnavailable    no landing of that time exists and none can be made
    │   ├── BuildMissing          a day is computed from the day before, which was not built
    │   ├── SourceRefused         the source cannot be carried: a type, a missing table, a right
    │   ├── DeliveryRefused       it would overwrite, repeat or reorder what was delivered
    │   └── DestinationRefused    the destination says no: rights, names
    │       └── DestinationClosed it does not let us in at all: password, host key, certificate, missing bucket
    └── TransientError            a retry may pass
        ├── SourceUnreachable
        ├── DestinationUnreachable it broke off, or cannot take this now
        │   └── DestinationDown   it does not answer at all: no connection, no login
        ├── LedgerUnreachable     locked for too long, or its server does not answer
        ├── DestinationChanged    somebody else wrote there between look and write
        ├── VerificationFailed    bytes at the destination are not the bytes that were sent
        ├── NotYetDue             asked for before the window's end plus the safety lag
        ├── ClaimHeld             another run works on the delivery
        └── ClaimLost             this run's token is old: a later claim exists
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from offramp.domain.deliveries import Claim


class OfframpError(Exception):
    """Say what is wrong, where, what was expected, what was found and what to do."""

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: object = None,
        found: object = None,
        todo: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.todo = todo
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.expected is not None:
            lines.append(f"  expected: {self.expected}")
        if self.found is not None:
            lines.append(f"  found:    {self.found}")
        if self.todo:
            lines.append(f"  to do:    {self.todo}")
        return "\n".join(lines)


class PermanentError(OfframpError):
    """A retry would fail the same way."""


class WrongUse(PermanentError):
    """The caller, or a file that the caller wrote, is wrong."""


class _AtLine(WrongUse):
    """An error at a line of a file."""

    def __init__(
        self,
        what: str,
        *,
        file: Path | str,
        line: int | None = None,
        expected: object = None,
        found: object = None,
        todo: str | None = None,
    ) -> None:
        where = f"{file}:{line}" if line else str(file)
        self.file = str(file)
        self.line = line
        super().__init__(what, where=where, expected=expected, found=found, todo=todo)


class SettingsError(_AtLine):
    """A setting in offramp.yaml or the environment is wrong."""


class ProjectError(_AtLine):
    """A file of dbt_like_sql is wrong."""


class GateFailed(PermanentError):
    """A data test over the lake did not pass, so nothing is delivered."""


class ContractBroken(PermanentError):
    """Rows differ from what the contract says of columns, types, order or key."""


class LandingUnavailable(PermanentError):
    """No landing of that time exists, and the source cannot be read as of then."""


class BuildMissing(PermanentError):
    """What is computed day by day goes on from a day that was not built."""


class SourceRefused(PermanentError):
    """The source holds something that cannot be carried."""


class DeliveryRefused(PermanentError):
    """The delivery would overwrite, repeat or reorder what was delivered."""


class DestinationRefused(PermanentError):
    """The destination says no."""


class DestinationClosed(DestinationRefused):
    """The destination does not let us in at all, whatever we want there."""


class TransientError(OfframpError):
    """A retry may pass."""


class SourceUnreachable(TransientError):
    """The source does not answer."""


class DestinationUnreachable(TransientError):
    """The destination does not answer."""


class LedgerUnreachable(TransientError):
    """The ledger is locked by others for too long, or its server does not answer."""


class DestinationDown(DestinationUnreachable):
    """The destination does not answer at all, whatever we want there."""


class DestinationChanged(TransientError):
    """Somebody else wrote at the destination between look and write."""


class VerificationFailed(TransientError):
    """The bytes at the destination are not the bytes that were sent."""


class NotYetDue(TransientError):
    """The window's end plus the safety lag has not passed."""


class ClaimHeld(TransientError):
    """Another run works on the delivery: that of ``holder``."""

    def __init__(self, what: str, *, holder: Claim, where: str, expected: str, found: str, todo: str) -> None:
        self.holder = holder
        super().__init__(what, where=where, expected=expected, found=found, todo=todo)


class ClaimLost(TransientError):
    """A later claim exists, so this run's token is refused."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Name the valid names nearest to a wrong one, for the ``todo`` of an error."""
    names = sorted(valid)
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(f"'{one}'" for one in close) + "?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"valid names: {shown}" if names else "there are no valid names here"
