"""Many deliveries in few lines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from offramp.cli.sums import print_sums
from offramp.domain.deliveries import DELIVERED, DeliveryRecord, Kind, State

if TYPE_CHECKING:
    import pytest

DAY = date(2026, 11, 21)


def record(
    recipient: str, export: str, rows: int, *, day: date = DAY, state: State = State.PUBLISHED
) -> DeliveryRecord:
    tick = datetime(2026, 11, 22, 0, 10, tzinfo=UTC)
    return DeliveryRecord(
        f"{recipient}|{export}|{day}", 1, recipient, recipient, "media", export, day, tick, tick, None, Kind.REGULAR,
        state, rows=rows, bytes=rows * 100, files=("a.csv",),
    )  # fmt: skip


def lines_of(records: list[DeliveryRecord], capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    print_sums(records, lambda one: "" if one.state in DELIVERED else one.state.value)
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_one_day_is_a_line_per_entity_with_the_rows_of_each_recipient_and_mode(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = lines_of(
        [
            record("north", "media/delta/users", 12),
            record("north", "media/snapshot/users", 3_400),
            record("fjord", "media/delta/users", 0, state=State.STAGED),
            record("fjord", "media/delta/audits", 7),
        ],
        capsys,
    )

    assert lines[0] == ["entity", "fjord", "delta", "north", "delta", "north", "snapshot"]
    assert lines[2:] == [
        ["audits", "7"],
        ["users", "0", "staged", "12", "3,400"],
        ["fjord:", "2", "deliveries,", "2", "files,", "7", "rows,", "700", "B"],
        ["north:", "2", "deliveries,", "2", "files,", "3,412", "rows,", "341.2", "kB"],
    ]


def test_several_days_are_a_line_per_day_and_recipient_that_counts_what_is_not_good(
    capsys: pytest.CaptureFixture[str],
) -> None:
    later = DAY + timedelta(days=1)
    lines = lines_of(
        [
            record("north", "media/delta/users", 12),
            record("north", "media/snapshot/users", 30, day=later),
            record("north", "media/delta/users", 5, day=later, state=State.FAILED),
        ],
        capsys,
    )

    assert lines[2:4] == [
        ["2026-11-21", "north", "1", "12", "1.2", "kB", "all", "good"],
        ["2026-11-22", "north", "2", "35", "3.5", "kB", "1", "failed"],
    ]
