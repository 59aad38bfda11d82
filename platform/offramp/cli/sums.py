"""Many deliveries in few lines: of one day by entity, of several by day. Few are listed one by one elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from offramp.cli.output import byte_text, count_text, counted, print_table, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from offramp.domain.deliveries import DeliveryRecord

# More lines than a screen has are no list that anybody reads.
MANY = 40
_MOST_COLUMNS = 6


def print_sums(records: Sequence[DeliveryRecord], fault_of: Callable[[DeliveryRecord], str]) -> None:
    """Print what deliveries came to. ``fault_of`` gives a word for one that is not as it should be, else nothing."""
    days = {record.data_day for record in records}
    columns = sorted({_column(record) for record in records})
    if len(days) == 1 and len(columns) <= _MOST_COLUMNS:
        _print_entities(records, columns, fault_of)
    else:
        _print_days(records, fault_of)
    for recipient in sorted({record.recipient for record in records}):
        mine = [record for record in records if record.recipient == recipient]
        files = counted(sum(len(record.files) for record in mine), "file")
        rows, size = sum(record.rows or 0 for record in mine), sum(record.bytes or 0 for record in mine)
        say(f"{recipient}: {counted(len(mine), 'delivery')}, {files}, {count_text(rows)} rows, {byte_text(size)}")


def _column(record: DeliveryRecord) -> tuple[str, str]:
    return record.recipient, record.export.split("/")[1]


def _print_entities(
    records: Sequence[DeliveryRecord], columns: Sequence[tuple[str, str]], fault_of: Callable[[DeliveryRecord], str]
) -> None:
    """Print a line per entity with the rows of each recipient and mode."""
    cells: dict[str, dict[tuple[str, str], str]] = {}
    for record in records:
        text = " ".join(filter(None, (count_text(record.rows), fault_of(record))))
        cells.setdefault(record.export.rpartition("/")[2], {})[_column(record)] = text
    titles = [f"{recipient} {mode}" for recipient, mode in columns]
    lines = ((entity, *(found.get(column, "") for column in columns)) for entity, found in sorted(cells.items()))
    print_table(("entity", *titles), lines, numbers=titles)


def _print_days(records: Iterable[DeliveryRecord], fault_of: Callable[[DeliveryRecord], str]) -> None:
    """Print a line per day and recipient."""
    groups: dict[tuple[str, str], list[DeliveryRecord]] = {}
    for record in records:
        groups.setdefault((str(record.data_day), record.recipient), []).append(record)
    lines = []
    for (day, recipient), mine in sorted(groups.items()):
        faults = Counter(fault for record in mine if (fault := fault_of(record)))
        said = ", ".join(f"{count} {fault}" for fault, count in sorted(faults.items())) or "all good"
        rows, size = sum(record.rows or 0 for record in mine), sum(record.bytes or 0 for record in mine)
        lines.append((day, recipient, count_text(len(mine)), count_text(rows), byte_text(size), said))
    columns = ("data day", "recipient", "deliveries", "rows", "bytes", "state")
    print_table(columns, lines, numbers=("deliveries", "rows", "bytes"))
