"""What commands print: one JSON document, or tables of at most 100 columns."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.console import JustifyMethod

    from offramp.domain.windows import Window

WIDTH = 100
# What people search for and copy is never cut in two; other columns fold.
_WHOLE = frozenset({"recipient", "export", "entity"})
_STEPS = ("B", "kB", "MB", "GB", "TB")


def console(*, to_stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, or 100 columns where there is none."""
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def say(text: str = "", *, to_stderr: bool = False) -> None:
    """Print a line as it is, not wrapped, so that paths can be copied."""
    console(to_stderr=to_stderr).print(text, soft_wrap=True)


def print_json(document: object) -> None:
    """Print one JSON document and nothing else."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """Print a table; the columns named in ``numbers`` stand to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        side: JustifyMethod = "right" if column in numbers else "left"
        table.add_column(column, justify=side, overflow="fold", no_wrap=column in _WHOLE)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def counted(count: int, what: str) -> str:
    """Return how many there are of something: ``1 delivery``, ``2 deliveries``, ``2 days``."""
    has_ies = what.endswith("y") and what[-2:-1] not in set("aeiou")
    plural = f"{what[:-1]}ies" if has_ies else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"


def place_text(place: str, endpoint: str | None) -> str:
    """Return a place as a path or URL, and the store that it is in where the URL does not tell it."""
    return place if endpoint is None else f"{place} at {endpoint}"


def byte_text(count: int | None) -> str:
    """Return bytes in the unit that keeps them short: ``3.4 MB``."""
    if count is None:
        return ""
    size, step = float(count), 0
    while size >= 1000 and step < len(_STEPS) - 1:
        size, step = size / 1000, step + 1
    return f"{count} B" if step == 0 else f"{size:.1f} {_STEPS[step]}"


def count_text(count: int | None) -> str:
    """Return a number with its thousands apart; nothing where there is none."""
    return "" if count is None else f"{count:,}"


def instant_text(moment: datetime | None) -> str:
    """Return an instant to the minute, in UTC."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def instant_json(moment: datetime | None) -> str | None:
    """Return an instant as ISO 8601 in UTC."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def window_json(window: Window | None) -> dict[str, str | None] | None:
    """Return a window's two ends."""
    return None if window is None else {"start": instant_json(window.start), "end": instant_json(window.end)}


def until_text(window: Window | None, until: datetime) -> str:
    """Return a window, or for rows without one the instant as of which they are."""
    if window is None:
        return f"as of {instant_text(until)}"
    return f"{window.start:%m-%d %H:%M} to {window.end:%m-%d %H:%M}"
