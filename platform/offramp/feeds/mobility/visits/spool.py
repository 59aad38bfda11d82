"""Frames that are needed again, in the order in which they were kept: compressed, in memory while they are few."""

from __future__ import annotations

import tempfile
from io import BytesIO
from typing import TYPE_CHECKING, Self

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Spool:
    """Keeps frames. Beyond ``memory_bytes`` they lie in a temporary file without a name in ``folder``."""

    def __init__(self, folder: Path, memory_bytes: int) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=memory_bytes, dir=str(folder))  # noqa: SIM115 - closed by __exit__
        self._sizes: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def keep(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Keep a frame and return it."""
        packed = BytesIO()
        frame.write_ipc(packed, compression="zstd")
        self._sizes.append(self._file.write(packed.getbuffer()))
        return frame

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the frames that were kept."""
        at = 0
        for size in self._sizes:
            self._file.seek(at)
            yield pl.read_ipc(BytesIO(self._file.read(size)))
            at += size
