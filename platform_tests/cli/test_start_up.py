"""Quick commands load only what they use."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from platform_tests.cli.home import Home

HEAVY = ("dagster", "duckdb", "polars", "pyarrow", "sqlalchemy", "psycopg")
SCRIPT = """
import atexit, json, sys

def report():
    print(json.dumps([name for name in sys.argv[1].split(",") if name in sys.modules]), file=sys.stderr)

atexit.register(report)
from offramp.cli.main import run
run(sys.argv[2:])
"""


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["catalog"], set()),
        (["show", "media/delta/users"], set()),
        (["config", "check"], set()),
        (["verify", "--help"], set()),
        (["deliveries"], {"sqlalchemy"}),
        (["demo", "--help"], set()),
        (["deliver", "--help"], set()),
    ],
)
def test_a_quick_command_loads_no_engine_and_no_dagster(home: Home, arguments: list[str], allowed: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, ",".join(HEAVY), *arguments],
        cwd=home.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stderr.splitlines()[-1])) <= allowed
