"""Progress goes to stderr: a live line in a terminal, a line per finished piece elsewhere, nothing when quiet."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from offramp.cli.progress import progress

if TYPE_CHECKING:
    import pytest


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def deliver_two(*, is_quiet: bool) -> None:
    with progress(is_quiet=is_quiet) as report:
        report("land", "media")
        report("land", "media.users", rows=1200)
        report("stage", "north media/delta/users 2026-11-21 r1", rows=700)
        report("publish", "north media/delta/users 2026-11-21 r1 -> outbox", rows=700, bytes_=4_200_000)
        report("publish", "north media/delta/platforms 2026-11-21 r1 -> outbox", rows=0, bytes_=80)


def test_without_a_terminal_each_finished_piece_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    deliver_two(is_quiet=False)

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "land media.users: 1,200 rows",
        "publish north media/delta/users 2026-11-21 r1 -> outbox: 700 rows, 4.2 MB",
        "publish north media/delta/platforms 2026-11-21 r1 -> outbox: 0 rows, 80 B",
    ]


def test_a_terminal_shows_the_step_and_the_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    deliver_two(is_quiet=False)

    assert "2 delivered, 700 rows, 4.2 MB | publish north media/delta/platforms" in terminal.getvalue()


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    deliver_two(is_quiet=True)

    assert capsys.readouterr() == ("", "")
