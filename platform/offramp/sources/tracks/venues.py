"""The optional file of venues beside the tracks: its columns bear the names of the raw table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from offramp.sources.phones.schema import TABLES
from offramp.sources.tracks.csv_files import check_columns, explain, line_of, rows_of
from offramp.sources.tracks.findings import damaged
from offramp.sources.tracks.values import degrees_of, is_blank

if TYPE_CHECKING:
    from offramp.sources.tracks.folder import TrackFile

_REQUIRED = ("venue_id", "name", "latitude", "longitude", "types")
_OPTIONAL = ("brand", "opening_hours")
_EXPECTED = {
    "venue_id": "an id, each once",
    "name": "a name",
    "latitude": "degrees from -90 to 90, with a decimal point",
    "longitude": "degrees from -180 to 180, with a decimal point",
    "types": 'a JSON list from general to special, such as ["shop","food","supermarket"]',
}


def select_venues(connection: duckdb.DuckDBPyConnection, file: TrackFile, *, separator: str) -> str:
    """Read the file into the table ``venues`` and return the SELECT of its rows by key.

    Raises SourceRefused for the first row that is none.
    """
    header = check_columns(file, file.path, _REQUIRED, separator=separator)
    columns = {name: name for name in (*_REQUIRED, *(one for one in _OPTIONAL if one in header))}
    rows = rows_of(file.path, header, columns, separator=separator)
    try:
        connection.execute(f"create or replace table venues as {_checked(rows, header)}")
    except duckdb.InvalidInputException as error:
        raise explain(file, error, header=header) from error
    fault = connection.execute(
        "select line, fault, found from venues where fault is not null order by line limit 1"
    ).fetchone()
    if fault is not None:
        record, column, found = fault
        line = line_of(file, file.path, record, separator=separator)
        what = f"'{column}' has a wrong value"
        raise damaged(file, line, what, expected=_EXPECTED[column], found=found or "nothing")
    names = ", ".join(name for name, _ in TABLES["venues"].columns)
    return f"select {names} from venues order by venue_id"


def _checked(rows: str, header: tuple[str, ...]) -> str:
    optional = ", ".join(
        f"nullif(trim({name}), '') as {name}" if name in header else f"cast(null as varchar) as {name}"
        for name in _OPTIONAL
    )
    return f"""
        with texts as (select line, trim(venue_id) as venue_id, trim(name) as name, latitude as latitude_text,
            longitude as longitude_text, types, {optional} from ({rows})),
        parsed as (
            select *, {degrees_of("latitude_text", 90)} as latitude, {degrees_of("longitude_text", 180)} as longitude,
                row_number() over (partition by venue_id order by line) as time_seen,
                try_cast(try_cast(types as json) as varchar[]) as type_list
            from texts
        )
        select *, case
            when {is_blank("venue_id")} or time_seen > 1 then 'venue_id' when {is_blank("name")} then 'name'
            when latitude is null then 'latitude' when longitude is null then 'longitude'
            when type_list is null then 'types' end as fault,
            case fault when 'venue_id' then venue_id when 'latitude' then latitude_text
            when 'longitude' then longitude_text when 'types' then types end as found
        from parsed
    """
