"""Builds in processes of their own: one that is killed at a step, and two that run at once."""

from __future__ import annotations

import json
import os
import signal
from datetime import date
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from offramp.pipeline.layers import build_day
from platform_tests.scenarios.mobility_house import LAYERS, MobilityHouse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.context import SpawnProcess
    from pathlib import Path

WITHIN = "within"
"""The step at which a build has read and written a part of its rows."""


def kill_build(folder: Path, source: Mapping[str, Any], *, layer: str, day: date, step: str) -> int | None:
    """Build a layer in another process that is killed at a step of that layer, and return its exit code."""
    process = _start(_build_and_die, folder, dict(source), layer, day.isoformat(), step)
    process.join()
    return process.exitcode


def _start(target: Any, *arguments: object) -> SpawnProcess:
    process = get_context("spawn").Process(target=target, args=arguments)
    process.start()
    return process


def _build_and_die(folder: Path, source: Mapping[str, Any], layer: str, day: str, step: str) -> None:
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def told(name: str, subject: str, **_numbers: int) -> None:
        if step == WITHIN and name == "build" and f" {layer} " in subject:
            die()

    house = MobilityHouse(folder, source)
    on = date.fromisoformat(day)
    if layer != "timeline":
        build_day(house.rooms, LAYERS, "timeline", on)
    house.at_step = lambda name: die() if name == step else None
    build_day(house.rooms, LAYERS, layer, on, told)  # type: ignore[arg-type]


def build_twice_at_once(folder: Path, source: Mapping[str, Any], days: list[date]) -> list[list[str]]:
    """Build days in two processes that begin together, and return the steps that each took."""
    barrier = get_context("spawn").Barrier(2)
    outputs = [folder / f"steps-{number}.json" for number in range(2)]
    texts = [day.isoformat() for day in days]
    processes = [_start(_build_days, folder, dict(source), texts, barrier, output) for output in outputs]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    return [json.loads(output.read_text()) for output in outputs]


def _build_days(folder: Path, source: Mapping[str, Any], days: list[str], barrier: Any, output: Path) -> None:
    house = MobilityHouse(folder, source)
    barrier.wait()
    house.build(*map(date.fromisoformat, days))
    output.write_text(json.dumps(house.steps))
