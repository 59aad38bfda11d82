"""What DuckDB's errors mean to the platform."""

from __future__ import annotations

import duckdb

from offramp.domain.errors import ContractBroken, OfframpError, PermanentError, TransientError


def translate(error: Exception, *, sql: str, memory_bytes: int) -> OfframpError:
    """Turn an error of DuckDB or of its Arrow stream into one of ours.

    Arrow streams raise OSError with the text of DuckDB's error, so the text decides where the type cannot.
    """
    text = str(error).split("\n\n")[0]
    if "No space left" in text or "max_temp_directory_size" in text:
        return TransientError(
            "the engine ran out of disk",
            found=text,
            todo="free space where it spills or where the named file is written, or point that at a larger disk",
        )
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or "Out of Memory Error" in text:
        return PermanentError(
            "the query needs more memory than the engine may use",
            expected=f"at most {memory_bytes} bytes",
            found=text,
            todo="raise limits: memory_bytes in offramp.yaml, or lower limits: threads",
        )
    if isinstance(error, duckdb.InterruptException) or "Interrupt Error" in text:
        return TransientError("the query was interrupted", found=text)
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException) or text.startswith(
        ("Conversion Error", "Out of Range Error")
    ):
        return ContractBroken(
            "a value does not fit the type that its column declares",
            found=text,
            todo="mend the row at the source, or widen the type in the model",
        )
    return PermanentError("the engine refused a query", found=f"{text}\n  query:    {_shortened(sql)}")


def damaged_file(uri: str, error: Exception) -> OfframpError:
    """Return the error that names a Parquet file which cannot be read."""
    return PermanentError(
        f"the lake's file {uri} cannot be read",
        expected="a whole Parquet file",
        found=str(error).split("\n", maxsplit=1)[0],
        todo="restore the file from a copy, or land its source again",
    )


def _shortened(sql: str, characters: int = 600) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= characters else f"{line[:characters]} ..."
