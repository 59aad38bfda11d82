"""Runs the model of moments over lives, and reads what it gives."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from platform_tests.mobility.model_house import project, run_model
from platform_tests.mobility.models.lives import Life, tables

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2018, 10, 26)
SEMANTIC = ("weekday", "weekend", "morning", "late_morning", "lunch", "afternoon", "evening", "night")


def run(*lives: Life, tmp_path: Path, day: date = DAY) -> pl.DataFrame:
    """Return the moments of lives, by start."""
    return run_model("mobility.moments", tables(*lives, day=day), tmp_path).sort("started_at", "moment_definition_id")


def of(rows: pl.DataFrame, *moments: str) -> list[tuple[object, ...]]:
    """Return definition, start, end and duration of the rows of some moments."""
    chosen = rows.filter(pl.col("moment_definition_id").is_in(moments))
    return chosen.select("moment_definition_id", "start", "end", "duration").rows()


def accepted(entity: str) -> set[str]:
    """Return the moments that a model's test accepts."""
    tests = project().model(f"mobility.{entity}").tests
    (words,) = [one.description for one in tests if one.name == "accepted_values_moment_definition_id"]
    return set(words.removeprefix("One of ").removesuffix(".").split(", "))
