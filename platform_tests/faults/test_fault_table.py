"""The table of faults in ARCHITECTURE.md is the one that the tests go by, and every test of a fault stands in it."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from platform_tests.faults.ftp_cases import FTP_CASES
from platform_tests.faults.gcs_cases import GCS_CASES
from platform_tests.faults.s3_cases import S3_CASES
from platform_tests.faults.sftp_cases import SFTP_CASES
from platform_tests.faults.table import KINDS, ROWS, as_markdown, cases_of, file_of

HERE = Path(__file__).parent
ARCHITECTURE = HERE.parents[1] / "platform/ARCHITECTURE.md"
BEGIN, END = "<!-- fault table -->\n", "<!-- end of fault table -->\n"
CASES = {
    "s3": S3_CASES, "gcs": GCS_CASES, "gcs_hmac": S3_CASES, "sftp": SFTP_CASES, "ftp": FTP_CASES, "ftps": FTP_CASES,
}  # fmt: skip


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


def test_the_table_stands_in_the_document() -> None:
    """Refresh with: OFFRAMP_GOLDEN=refresh python -m pytest platform_tests/faults/test_fault_table.py"""
    text = ARCHITECTURE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if os.environ.get("OFFRAMP_GOLDEN") == "refresh":
        ARCHITECTURE.write_text(f"{before}{BEGIN}{as_markdown()}{END}{after}")
        return
    assert text == f"{before}{BEGIN}{as_markdown()}{END}{after}"


@pytest.mark.parametrize("kind", CASES)
def test_every_case_of_a_kind_can_be_armed(kind: str) -> None:
    assert {case.key for case in cases_of(kind)} <= set(CASES[kind])


def test_every_case_is_in_the_table() -> None:
    stated = {kind: {case.key for case in cases_of(kind)} for kind in CASES}
    assert set(S3_CASES) == stated["s3"] | stated["gcs_hmac"]
    assert set(GCS_CASES) == stated["gcs"]
    assert set(SFTP_CASES) == stated["sftp"]
    assert set(FTP_CASES) == stated["ftp"]
    assert stated["ftp"] == stated["ftps"]


def test_every_named_test_exists_and_every_test_of_a_fault_is_named() -> None:
    named = {(file_of(kind, test), test.rpartition("::")[2]) for row in ROWS for kind, test in row.tests.items()}
    assert not [(file, test) for file, test in named if test not in functions_of(HERE / file)]
    found = {(path.name, test) for path in HERE.glob("test_faults_*.py") for test in functions_of(path)}
    assert {one for one in found if one[1] != "test_a_fault"} <= named


def test_the_table_is_whole() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert set(row.tests) <= set(row.cells) <= {*KINDS, "vsftpd"}
