"""What every FormatWriter promises, with the same cases for each."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offramp.domain.errors import ContractBroken, WrongUse
from offramp.domain.exports import FormatName
from offramp.formats.csv_writer import CsvWriter
from offramp.formats.ndjson_writer import NdjsonWriter
from offramp.formats.parquet_writer import ParquetWriter
from offramp.formats.registry import FORMATS
from platform_tests.formats import write_at_threads
from platform_tests.formats.bad_input import COLUMNS, SCHEMA, bad_rows, projected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offramp.domain.deliveries import FileEntry
    from offramp.domain.ports import FormatWriter

GOLDEN = Path(__file__).parents[1] / "golden" / "formats"
BLOCK = 40


@dataclass(frozen=True)
class Case:
    name: str
    writer: FormatWriter
    small_blocks: FormatWriter
    options: Mapping[str, object] = field(default_factory=dict)

    def batches(self, rows: int) -> list[pa.RecordBatch]:
        return projected(self.writer, bad_rows(rows), self.options)


_CSV = CsvWriter(), CsvWriter(block_rows=BLOCK)
CASES = (
    Case("csv", *_CSV),
    Case("csv_gzip", *_CSV, {"gzip": True}),
    Case("csv_backslash", *_CSV, {"escape": "\\", "separator": ";", "line_break_replacement": " "}),
    Case("csv_all", *_CSV, {"enclose": "all", "line_end": "\n", "has_header": False}),
    Case("parquet", ParquetWriter(rows_per_group=BLOCK), ParquetWriter(rows_per_group=BLOCK)),
    Case("ndjson_gz", NdjsonWriter(), NdjsonWriter(block_rows=BLOCK)),
)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def write(
    writer: FormatWriter,
    batches: list[tuple[int, pa.RecordBatch]],
    folder: Path,
    *,
    parts: int = 1,
    options: Mapping[str, object],
) -> tuple[list[bytes], list[FileEntry]]:
    paths = [folder / f"part{number}" for number in range(parts)]
    entries = writer.write(iter(batches), paths, schema=SCHEMA, options=options)
    return [path.read_bytes() for path in paths], entries


def test_every_format_name_has_its_writer() -> None:
    assert set(FORMATS) == set(FormatName)
    assert all(writer.name is name for name, writer in FORMATS.items())


@every_case
@pytest.mark.parametrize("rows", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1, 3 * BLOCK, 3 * BLOCK + 1])
def test_small_blocks_and_single_rows_leave_no_trace(case: Case, rows: int, tmp_path: Path) -> None:
    batches = case.batches(rows)
    single = [(0, batch.slice(row, 1)) for batch in batches for row in range(batch.num_rows)]

    expected, entries = write(case.writer, [(0, batch) for batch in batches], tmp_path, options=case.options)
    found, _ = write(case.small_blocks, single, tmp_path, options=case.options)

    assert found == expected
    assert [entry.rows for entry in entries] == [rows]


@every_case
def test_an_entry_tells_bytes_and_checksums_as_others_count_them(case: Case, tmp_path: Path) -> None:
    batches = [(0, batch) for batch in case.batches(100)]

    (content,), (entry,) = write(case.writer, batches, tmp_path, options={**case.options, "md5": True})
    _, (plain,) = write(case.writer, batches, tmp_path, options=case.options)

    assert entry.name == ""
    assert (entry.rows, entry.bytes) == (100, len(content))
    assert entry.checksums == {
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }
    assert plain.checksums == {"sha256": entry.sha256}


@every_case
def test_parts_hold_their_own_rows_and_an_empty_part_is_a_whole_file(case: Case, tmp_path: Path) -> None:
    (batch,) = case.batches(90)
    even, odd = batch.slice(0, 50), batch.slice(50)
    mixed = [(0, even.slice(0, 20)), (2, odd.slice(0, 1)), (0, even.slice(20)), (2, odd.slice(1))]

    contents, entries = write(case.writer, mixed, tmp_path, parts=3, options=case.options)

    assert [entry.rows for entry in entries] == [50, 0, 40]
    alone = [write(case.writer, rows, tmp_path, options=case.options)[0][0] for rows in ([(0, even)], [], [(0, odd)])]
    assert contents == alone


@every_case
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_random_batches_and_turns_of_parts_give_the_same_bytes(
    case: Case, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("batches")
    rows = {part: _prepared(case, part) for part in range(2)}
    expected, _ = write(case.writer, list(rows.items()), folder, parts=2, options=case.options)
    queues = {
        part: _split(batch, data.draw(st.lists(st.integers(0, batch.num_rows), max_size=6), label=f"cuts {part}"))
        for part, batch in rows.items()
    }
    turns = data.draw(st.permutations([part for part, queue in queues.items() for _ in queue]), label="turns")

    found, _ = write(
        case.small_blocks, [(part, queues[part].pop(0)) for part in turns], folder, parts=2, options=case.options
    )

    assert found == expected


_PREPARED: dict[tuple[str, int], pa.RecordBatch] = {}


def _prepared(case: Case, part: int) -> pa.RecordBatch:
    """Project once, not for each example."""
    if (case.name, part) not in _PREPARED:
        (batch,) = case.batches(97 if part else 130)
        _PREPARED[case.name, part] = batch
    return _PREPARED[case.name, part]


def _split(batch: pa.RecordBatch, cuts: list[int]) -> list[pa.RecordBatch]:
    edges = [0, *sorted(cuts), batch.num_rows]
    return [batch.slice(start, end - start) for start, end in itertools.pairwise(edges)]


@every_case
def test_text_as_views_or_as_buffers_gives_the_same_bytes(case: Case, tmp_path: Path) -> None:
    buffers = projected(case.writer, bad_rows(), case.options)
    views = projected(
        case.writer,
        bad_rows(),
        case.options,
        session={"produce_arrow_string_view": "true", "arrow_output_version": "1.4"},
    )
    assert views[0].schema != buffers[0].schema

    expected, _ = write(case.writer, [(0, batch) for batch in buffers], tmp_path, options=case.options)
    found, _ = write(case.writer, [(0, batch) for batch in views], tmp_path, options=case.options)

    assert found == expected


@every_case
def test_an_unknown_option_is_refused_everywhere(case: Case, tmp_path: Path) -> None:
    options = {"enclousure": "'"}

    with pytest.raises(WrongUse, match="enclousure"):
        case.writer.project(COLUMNS[0], options)
    with pytest.raises(WrongUse, match="enclousure"):
        case.writer.dialect(options)
    with pytest.raises(WrongUse, match="enclousure"):
        case.writer.write([], [tmp_path / "a"], schema=SCHEMA, options=options)


@every_case
def test_rows_in_another_order_of_columns_are_refused(case: Case, tmp_path: Path) -> None:
    (batch,) = case.batches(3)
    turned = batch.select(batch.schema.names[::-1])

    with pytest.raises(ContractBroken, match="other columns"):
        write(case.writer, [(0, turned)], tmp_path, options=case.options)


@every_case
def test_an_error_of_the_rows_passes_through(case: Case, tmp_path: Path) -> None:
    def broken() -> list[tuple[int, pa.RecordBatch]]:
        message = "the engine stopped"
        raise ConnectionError(message)

    with pytest.raises(ConnectionError, match="the engine stopped"):
        case.writer.write(
            (pair for _ in range(1) for pair in broken()), [tmp_path / "a"], schema=SCHEMA, options=case.options
        )


@every_case
def test_the_bytes_are_those_of_the_golden_file(case: Case, tmp_path: Path) -> None:
    golden = GOLDEN / f"{case.name}.golden"
    rows = bad_rows(90).filter(pa.compute.less(pa.compute.utf8_length(bad_rows(90)["text"].fill_null("")), 1000))
    rows = rows.filter(pa.compute.less(pa.compute.utf8_length(rows['odd, "name"'].fill_null("")), 1000))
    batches = [(0, batch) for batch in projected(case.writer, rows, case.options)]

    (content,), _ = write(case.writer, batches, tmp_path, options=case.options)

    if os.environ.get("OFFRAMP_REFRESH_GOLDENS") == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(content)
    assert content == golden.read_bytes()


def test_one_two_and_four_threads_give_the_same_bytes(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    checksums = set()
    for threads in (1, 2, 4):
        folder = tmp_path / str(threads)
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, write_at_threads.__file__, str(threads), str(folder)],
            env={**os.environ, "POLARS_MAX_THREADS": str(threads), "PYTHONPATH": f"{root / 'platform'}:{root}"},
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout.count("70000") == 10
        checksums.add(done.stdout)

    assert len(checksums) == 1
