"""When a demo begins: as configured, or thirty days before it is first opened, written down once."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import date, timedelta
from pathlib import Path

from offramp.domain.errors import SourceRefused

HISTORY = timedelta(days=30)
_FILE = "demo.json"


def begins_on(folder: Path, configured: date | None, today: date) -> date:
    """Return the first day of the demo in a folder, writing the choice down where nothing is configured.

    Two processes that choose at once agree on what stands in the file. Raises SourceRefused for a damaged file.
    """
    if configured is not None:
        return configured
    file = folder / _FILE
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False, encoding="utf-8") as temporary:
            json.dump({"start_on": (today - HISTORY).isoformat()}, temporary)
        try:
            os.link(temporary.name, file)
        except FileExistsError:
            pass  # another process chose first, and its choice is read below
        finally:
            Path(temporary.name).unlink()
    try:
        return date.fromisoformat(json.loads(file.read_text(encoding="utf-8"))["start_on"])
    except (ValueError, KeyError, TypeError) as damaged:
        raise SourceRefused(
            "the demo's beginning cannot be read",
            where=str(file),
            expected='{"start_on": "2026-11-01"}',
            found=str(damaged),
            todo="remove the folder: the demo is generated anew",
        ) from damaged
