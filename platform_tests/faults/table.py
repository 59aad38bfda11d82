"""The table of faults: what befalls a delivery, at which kinds of destination, and what the runs make of it.

The tests read what they expect from here: a case of ``test_faults_<kind>.py`` has the name of its row. What is written
in ARCHITECTURE.md is rendered from here too, and compared by test_fault_table.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Outcome(StrEnum):
    """What a run makes of a fault."""

    RETRIED = "retried"
    LATER = "fails, next run ends it"
    REFUSED = "refused"
    MISSED = "not noticed"


KINDS = {
    "s3": "S3", "gcs": "GCS", "gcs_hmac": "GCS by HMAC", "sftp": "SFTP", "ftp": "FTP", "ftps": "FTPS", "local": "local",
}  # fmt: skip
# Files of tests beside those of the cases; vsftpd counts as FTPS.
HTTP = ("s3", "gcs", "gcs_hmac")
_FTP = ("ftp", "ftps")


_LEGEND = (
    "*Retried*: the run itself gets over it. *Fails, next run ends it*: the parts stay staged, and nothing is missing,"
    "\nleft behind or sent twice in the end. *Refused*: the same, but the run does not try again before somebody acted."
    "\nNames in brackets are cases of `test_a_fault` in `platform_tests/faults/test_faults_*.py`."
)
_OF_THE_SERVER = {
    "test_a_right_that_is_missing", "test_a_changed_certificate",
    "test_a_flipped_bit_is_not_noticed_where_the_size_will_do",
    "test_a_connection_that_the_server_ended_while_idle",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A fault. ``key`` is the name of its case; ``tests`` names, by kind, tests that are no cases."""

    key: str
    fault: str
    cells: Mapping[str, Outcome]
    tests: Mapping[str, str] = field(default_factory=dict)


def _all(kinds: tuple[str, ...], outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(kinds, outcome)


def _own(kinds: tuple[str, ...], test: str) -> dict[str, str]:
    return dict.fromkeys(kinds, test)


_RETRIED, _LATER, _REFUSED = Outcome.RETRIED, Outcome.LATER, Outcome.REFUSED
_WIRE = ("sftp", *_FTP)

ROWS: tuple[Row, ...] = (
    Row(
        "cut-at-the-beginning", "the connection is cut after the first bytes of a file", _all((*HTTP, *_WIRE), _RETRIED)
    ),
    Row(
        "cut-in-the-middle",
        "the connection is cut in the middle of a part, chunk or file",
        _all((*HTTP, *_WIRE), _RETRIED),
    ),
    Row("cut-near-the-end", "the connection is cut in the last part, chunk or block", _all((*HTTP, *_WIRE), _RETRIED)),
    Row(
        "cut-anywhere",
        "the same at further bytes, drawn at random (deep)",
        _all((*HTTP, *_WIRE), _RETRIED),
        _own((*HTTP, *_WIRE), "test_a_cut_anywhere"),
    ),
    Row("cut-of-a-small-file", "the connection is cut in a file of one request", _all(HTTP, _RETRIED)),
    Row("cut-of-an-answer", "an answer is cut, or the file while it is read back", _all((*HTTP, *_WIRE), _RETRIED)),
    Row("cut-like-an-end", "the connection ends in the middle as if all were sent (FIN)", _all(_WIRE, _RETRIED)),
    Row("cut-like-an-end-in-reading-back", "the same while the file is read back", _all(_FTP, _RETRIED)),
    Row("cut-of-the-control-connection", "the control connection is cut", _all(_FTP, _RETRIED)),
    Row("cut-of-the-handshake", "the connection is cut while it begins", {"sftp": _RETRIED}),
    Row(
        "connections-are-dropped",
        "every connection is dropped at once",
        _all(_WIRE, _RETRIED),
        _own(_WIRE, "test_connections_that_are_dropped"),
    ),
    Row(
        "idle-connection-ended",
        "the server ends an idle connection (421)",
        _all(("ftp",), _RETRIED),
        _own(("ftp",), "test_a_connection_that_the_server_ended_while_idle"),
    ),
    Row("stall", "no byte goes up any more", _all((*HTTP, *_WIRE), _RETRIED)),
    Row("stall-of-an-answer", "the work is done and no answer comes", _all((*HTTP, *_WIRE), _RETRIED)),
    Row("server-is-down", "the server is down", _all((*HTTP, *_WIRE), _LATER)),
    Row("error-500", "500, once", _all(HTTP, _RETRIED)),
    Row("slow-down", "503 SlowDown or 429, twice", _all(HTTP, _RETRIED)),
    Row("slow-down-for-long", "503 for longer than the run has patience", _all(HTTP, _LATER)),
    Row("request-timeout", "400 RequestTimeout (Google: 408)", _all(HTTP, _RETRIED)),
    Row("error-in-200", "an error in a 200 of Complete, nothing done", _all(("s3", "gcs_hmac"), _RETRIED)),
    Row(
        "error-in-200-of-done-work", "an error in a 200 of Complete, which was done", _all(("s3", "gcs_hmac"), _RETRIED)
    ),
    Row("done-but-500", "Complete or the last chunk worked, the answer is 500", _all(HTTP, _RETRIED)),
    Row("done-but-cut", "Complete or the last chunk worked, the answer is cut", _all(HTTP, _RETRIED)),
    Row("done-but-500-for-a-manifest", "the PUT of a manifest worked, the answer is 500", _all(HTTP, _RETRIED)),
    Row("begun-but-500", "an upload was begun, the answer is 500", _all(HTTP, _RETRIED)),
    Row(
        "flipped-bit",
        "a bit flips on the way up",
        _all((*HTTP, *_WIRE, "local"), _RETRIED),
        _own(("local",), "test_a_flipped_bit"),
    ),
    Row("flipped-bit-of-a-small-file", "a bit flips on the way up in a file of one request", _all(HTTP, _RETRIED)),
    Row("flipped-bit-in-reading-back", "a bit flips while the file is read back", _all((*HTTP, *_WIRE), _RETRIED)),
    Row(
        "flipped-bit-and-size-alone",
        "a bit flips on the way up, and the settings say that the size will do",
        {"ftp": Outcome.MISSED},
        {"ftp": "test_a_flipped_bit_is_not_noticed_where_the_size_will_do"},
    ),
    Row("upload-is-gone", "the upload was removed before its end", _all(HTTP, _RETRIED)),
    Row("somebody-else-writes", "409: somebody else writes there", {"s3": _RETRIED}),
    Row("credentials-expire", "credentials expire between two parts and can be renewed", _all(("s3", "gcs"), _RETRIED)),
    Row("credentials-expire-for-good", "credentials expire between two parts for good", _all(HTTP, _REFUSED)),
    Row("right-is-taken-away", "the right to write is taken away between two parts", _all(HTTP, _REFUSED)),
    Row(
        "full",
        "no space is left",
        _all(("s3", "gcs_hmac", *_WIRE, "local"), _LATER),
        _own((*_WIRE, "local"), "test_a_full_disk"),
    ),
    Row(
        "rename-refused",
        "the rename to the final name is refused",
        _all((*_WIRE, "local"), _REFUSED),
        _own((*_WIRE, "local"), "test_a_right_that_is_missing"),
    ),
    Row(
        "folder-refused", "a folder may not be made", _all(_WIRE, _REFUSED), _own(_WIRE, "test_a_right_that_is_missing")
    ),
    Row(
        "in-the-way",
        "a folder stands where the file should",
        {"sftp": _REFUSED, "local": _REFUSED},
        _own(("sftp", "local"), "test_something_in_the_way"),
    ),
    Row("host-key-changed", "the host key is another", {"sftp": _REFUSED}, _own(("sftp",), "test_a_changed_host_key")),
    Row(
        "certificate-changed",
        "the certificate is another host's",
        {"ftps": _REFUSED},
        _own(("ftps",), "test_a_changed_certificate"),
    ),
    Row(
        "killed-in-a-write",
        "the process is killed in the middle of a write",
        {"local": _LATER},
        {"local": "../destinations/test_local.py::test_a_kill_in_the_middle_of_a_write_leaves_the_old_content"},
    ),
    Row(
        "correction-broken-off",
        "a correction breaks off (revision 2 over 1)",
        _all((*HTTP, *_WIRE, "local"), _LATER),
        _own((*HTTP, *_WIRE, "local"), "test_a_fault_in_a_correction"),
    ),
    Row(
        "correction-done-but-500",
        "a file of a correction is written, the answer is 500",
        _all(HTTP, _RETRIED),
        _own(HTTP, "test_a_lost_answer_in_a_correction"),
    ),
)


@dataclass(frozen=True)
class Case:
    """A fault at one kind of destination, and what is stated of it."""

    key: str
    outcome: Outcome

    def __str__(self) -> str:
        return self.key


def cases_of(kind: str) -> list[Case]:
    """Return the cases of a kind."""
    return [Case(row.key, row.cells[kind]) for row in ROWS if kind in row.cells and kind not in row.tests]


def outcome_of(key: str, *kinds: str) -> Outcome:
    """Return what is stated of a fault: for the last of some kinds that the row speaks of."""
    cells = next(row for row in ROWS if row.key == key).cells
    return next(cells[kind] for kind in reversed(kinds) if kind in cells)


def file_of(kind: str, test: str) -> str:
    """Return the file of a test of a kind, below ``platform_tests/faults``."""
    if "::" in test:
        return test.partition("::")[0]
    if test in _OF_THE_SERVER:
        return "test_faults_ftp_server.py" if kind in _FTP else f"test_faults_{kind}.py"
    return "test_faults_ftp.py" if kind in _FTP else f"test_faults_{kind}.py"


def as_markdown() -> str:
    """Return the table as it stands in ARCHITECTURE.md."""
    lines = [
        f"{_LEGEND}\n",
        "| fault | " + " | ".join(KINDS.values()) + " | test |",
        "| --- |" + " --- |" * (len(KINDS) + 1),
    ]
    for row in ROWS:
        cells = [_cell(row, kind) for kind in KINDS]
        lines.append(f"| {row.fault} | " + " | ".join(cells) + f" | {_tests(row)} |")
    return "\n".join(lines) + "\n"


def _cell(row: Row, kind: str) -> str:
    return str(row.cells.get(kind, "-"))


def _tests(row: Row) -> str:
    """Name the case, or the tests of its own."""
    names = [] if set(row.cells) <= set(row.tests) else [f"`[{row.key}]`"]
    names += sorted({f"`{test.rpartition('::')[2]}`" for test in row.tests.values()})
    return ", ".join(names)
