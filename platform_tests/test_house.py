"""Guards of the house's shape that no other test would notice."""

from __future__ import annotations

import ast
import platform
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = sorted((ROOT / "platform" / "offramp").rglob("__init__.py"))


def test_the_source_root_does_not_hide_pythons_own_platform() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert platform.system()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_a_package_file_holds_a_docstring_and_nothing_else(package: Path) -> None:
    tree = ast.parse(package.read_text(encoding="utf-8"))

    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_architecture_names_only_tests_that_exist() -> None:
    text = (ROOT / "platform" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", text))
    files = (ROOT / "platform_tests").rglob("test_*.py")
    defined = {name for file in files for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))}

    assert named, "ARCHITECTURE.md names the test of each invariant"
    assert named <= defined, f"no such tests: {sorted(named - defined)}"


def test_constraints_pin_versions_without_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert lines
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-]+==[A-Za-z0-9_.+!]+( ; .*)?", line) for line in lines)


def test_the_readme_has_no_holes_and_its_files_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert "@@" not in text
    assert all((ROOT / name).exists() for name in re.findall(r"\]\(([^):]+)\)", text))
