from __future__ import annotations

import gzip
import hashlib
import itertools
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.formats.gzip_members import GzipSink, gzip_member
from offramp.formats.part_files import PartFile

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def compress(path: Path, pieces: list[bytes], *, threads: int = 2, member_bytes: int = 100) -> bytes:
    with ThreadPoolExecutor(threads) as pool, PartFile(path, md5=False) as file:
        sink = GzipSink(file, pool, in_flight=threads, member_bytes=member_bytes)
        for piece in pieces:
            sink.write(piece)
        entry = sink.finish(0)
    content = path.read_bytes()
    assert (entry.bytes, entry.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    return content


def test_a_member_has_no_time_and_no_name() -> None:
    header = gzip_member(b"rows")[:10]

    assert header[:4] == b"\x1f\x8b\x08\x00"
    assert header[4:8] == b"\0\0\0\0"


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 1000), max_size=8), threads=st.integers(1, 4))
def test_the_bytes_do_not_depend_on_the_sizes_of_writes_or_on_threads(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], threads: int
) -> None:
    folder = tmp_path_factory.mktemp("gzip")
    text = bytes(range(250)) * 4
    edges = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(edges)]

    once = compress(folder / "once.gz", [text], threads=1)

    assert compress(folder / "pieces.gz", pieces, threads=threads) == once
    assert gzip.decompress(once) == text


def test_a_file_of_whole_members_has_no_empty_member_at_its_end(tmp_path: Path) -> None:
    assert compress(tmp_path / "a.gz", [b"x" * 200]) == gzip_member(b"x" * 100) * 2


def test_an_empty_file_is_one_empty_member_that_zcat_takes(tmp_path: Path) -> None:
    compress(tmp_path / "a.gz", [])

    assert subprocess.run(["zcat", tmp_path / "a.gz"], check=True, capture_output=True).stdout == b""


def test_zcat_reads_all_members(tmp_path: Path) -> None:
    compress(tmp_path / "a.gz", [b"row\n" * 1000])

    assert subprocess.run(["zcat", tmp_path / "a.gz"], check=True, capture_output=True).stdout == b"row\n" * 1000
