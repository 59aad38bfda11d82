"""Homes for the command line: an empty one, and one whose demo was delivered."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from offramp.cli.main import run
from platform_tests.cli.home import Done, Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A configuration that nothing was delivered from yet."""
    return Home.create(tmp_path / "home")


@pytest.fixture(scope="session")
def first_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Done]:
    """A home whose demo ran once, and what the run said. Tests read it only."""
    home = Home.create(tmp_path_factory.mktemp("demo") / "home")
    return home, home.run("demo")


@pytest.fixture
def delivered(first_demo: tuple[Home, Done], tmp_path: Path) -> Home:
    """A copy of the delivered home, to be changed."""
    return Home(shutil.copytree(first_demo[0].folder, tmp_path / "delivered"))


@pytest.fixture
def offramp(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The command line in this process, for commands that do not run Dagster."""

    def call(*arguments: str, home: Home | None = None) -> Done:
        with pytest.raises(SystemExit) as ended:
            run([*(["--config", str(home.file)] if home else []), *arguments])
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return call
