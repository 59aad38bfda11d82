"""Temporary folders and files of the lake: shared while several are open, gone with the last."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from offramp.lake.durable import place, sweep, work_file, work_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_those_that_are_open_at_once_share_one_locked_folder_that_goes_with_the_last(tmp_path: Path) -> None:
    with work_folder(tmp_path) as outer:
        with work_folder(tmp_path) as inner, work_file(tmp_path) as file:
            file.write_text("x")
            assert len({outer, inner, file}) == 3
            assert len(list((tmp_path / "scratch").iterdir())) == 1
        assert outer.is_dir()
        assert not inner.exists()
        assert not file.exists()
        assert sweep(tmp_path / "scratch") == 0

    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_folder_opened_first_may_close_first(tmp_path: Path) -> None:
    first, second = work_folder(tmp_path), work_folder(tmp_path)
    first.__enter__()
    kept = second.__enter__()
    first.__exit__(None, None, None)

    assert kept.is_dir()
    second.__exit__(None, None, None)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_failed_and_what_was_moved_away_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), work_file(tmp_path) as file:
        file.write_bytes(b"half" * (1 // 0))
    with work_file(tmp_path) as file:
        file.write_bytes(b"whole")
        place(file, tmp_path / "deep" / "er" / "final")

    assert (tmp_path / "deep" / "er" / "final").read_bytes() == b"whole"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_threads_may_open_them_at_once(tmp_path: Path) -> None:
    def use(number: int) -> str:
        with work_folder(tmp_path) as folder:
            (folder / "own").write_text(str(number))
            return (folder / "own").read_text()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(use, range(200)))

    assert found == [str(number) for number in range(200)]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_forked_process_has_a_folder_of_its_own(tmp_path: Path) -> None:
    with work_folder(tmp_path) as mine:
        child = os.fork()
        if child == 0:
            with work_folder(tmp_path) as own:
                os._exit(own.parent == mine.parent)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert mine.is_dir()
