"""Carries rows to text files: blocks are encoded in a pool, and written in their order by one thread that hashes.

Knows nothing of CSV or JSON; an encoder turns a block of rows into bytes.
"""

from __future__ import annotations

import io
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from offramp.domain.errors import ContractBroken
from offramp.formats.gzip_members import GzipSink
from offramp.formats.part_files import PartFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from offramp.domain.deliveries import FileEntry
    from offramp.formats.part_files import Sink

    Encode = Callable[[pl.DataFrame, io.BytesIO], None]

# Measured on 1 M mixed rows: blocks of 20,000 to 50,000 rows cost the least CPU; 5,000 cost a third more, and 100,000 a
# tenth more, since their memory is new to the process each time.
BLOCK_ROWS = 50_000
# The last rows of a file, or all of a small one: a thread costs more than to encode them.
_FEW_ROWS = 2_000
_BLOCK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TextFiles:
    """How text files are written: their header, their compression, and how much is done at once."""

    header: bytes
    is_gzip: bool
    md5: bool
    threads: int
    block_rows: int = BLOCK_ROWS

    def write(
        self,
        batches: Iterable[tuple[int, pa.RecordBatch]],
        paths: Sequence[Path],
        *,
        schema: pa.Schema,
        takes: Callable[[pa.DataType], bool],
        encode: Encode,
    ) -> list[FileEntry]:
        """Write each batch to its part and return an entry per path.

        ``takes`` says which Arrow types the encoder can write; ``encode`` writes a block to the start of a buffer.
        ContractBroken if names or types differ.
        """
        in_flight = self.threads + 1
        buffers = _Buffers(in_flight + 1)
        rows = [0] * len(paths)
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self.threads))
            files = [stack.enter_context(PartFile(path, md5=self.md5)) for path in paths]
            sinks: list[Sink] = [GzipSink(file, pool, in_flight=in_flight) if self.is_gzip else file for file in files]
            for sink in sinks:
                sink.write(self.header)
            encoded: deque[tuple[int, Future[_Text]]] = deque()
            for part, block in row_blocks(batches, self.block_rows):
                _check(block.schema, schema, takes)
                rows[part] += block.num_rows
                if block.num_rows < _FEW_ROWS:
                    text = Future[_Text]()
                    text.set_result(_encode(encode, block, buffers))
                else:
                    text = pool.submit(_encode, encode, block, buffers)
                encoded.append((part, text))
                if len(encoded) > in_flight:
                    _write_next(encoded, sinks, buffers)
            while encoded:
                _write_next(encoded, sinks, buffers)
            return [sink.finish(count) for sink, count in zip(sinks, rows, strict=True)]


class _Buffers:
    """Buffers that are filled again and again: memory that is new to the process costs as much as the encoding."""

    def __init__(self, count: int) -> None:
        self._free: SimpleQueue[io.BytesIO] = SimpleQueue()
        for _ in range(count):
            self._free.put(io.BytesIO())

    def take(self) -> io.BytesIO:
        """Return a buffer at its start; what an earlier block left behind the end counts for nothing."""
        buffer = self._free.get()
        buffer.seek(0)
        return buffer

    def give_back(self, buffer: io.BytesIO) -> None:
        """Take a buffer back."""
        self._free.put(buffer)


@dataclass(frozen=True, slots=True)
class _Text:
    """The first ``length`` bytes of a buffer."""

    buffer: io.BytesIO
    length: int


def _encode(encode: Encode, block: pa.Table, buffers: _Buffers) -> _Text:
    frame = pl.from_arrow(block)
    if not isinstance(frame, pl.DataFrame):
        message = "a table became a single series"
        raise TypeError(message)
    buffer = buffers.take()
    encode(frame, buffer)
    return _Text(buffer, buffer.tell())


def _write_next(encoded: deque[tuple[int, Future[_Text]]], sinks: Sequence[Sink], buffers: _Buffers) -> None:
    part, future = encoded.popleft()
    text = future.result()
    with text.buffer.getbuffer() as view, view[: text.length] as content:
        sinks[part].write(content)
    buffers.give_back(text.buffer)


def _check(found: pa.Schema, schema: pa.Schema, takes: Callable[[pa.DataType], bool]) -> None:
    """Refuse types before they reach Polars, which panics on some of them with a BaseException."""
    if found.names != schema.names:
        raise ContractBroken("the rows have other columns than the contract", expected=schema.names, found=found.names)
    for column in found:
        if not takes(column.type):
            raise ContractBroken(
                f"column '{column.name}' cannot be written as text",
                expected="what the format's project() makes of the contract's type",
                found=str(column.type),
            )


@dataclass(slots=True)
class _Waiting:
    """Batches of one part that are too small to be encoded on their own."""

    pieces: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0

    def has_room(self, piece: pa.RecordBatch, block_rows: int) -> bool:
        rows: int = self.rows + piece.num_rows
        size: int = self.bytes + piece.nbytes
        return rows <= block_rows and size <= _BLOCK_BYTES

    def add(self, piece: pa.RecordBatch) -> None:
        self.pieces.append(piece)
        self.rows += piece.num_rows
        self.bytes += piece.nbytes


def row_blocks(batches: Iterable[tuple[int, pa.RecordBatch]], block_rows: int) -> Iterator[tuple[int, pa.Table]]:
    """Join small batches and cut large ones into blocks that are cheap to encode, in order within each part."""
    waiting: dict[int, _Waiting] = {}
    for part, batch in batches:
        if not batch.num_rows:
            continue
        for piece in _cut(batch, block_rows):
            held = waiting.setdefault(part, _Waiting())
            if held.pieces and not held.has_room(piece, block_rows):
                yield part, pa.Table.from_batches(held.pieces)
                held = waiting[part] = _Waiting()
            held.add(piece)
    for part, held in waiting.items():
        yield part, pa.Table.from_batches(held.pieces)


def _cut(batch: pa.RecordBatch, block_rows: int) -> Iterator[pa.RecordBatch]:
    fitting = batch.num_rows * _BLOCK_BYTES // max(batch.nbytes, 1)
    rows = max(1, min(block_rows, fitting))
    if rows >= batch.num_rows:
        yield batch
        return
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)
