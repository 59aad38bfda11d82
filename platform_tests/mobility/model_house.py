"""Runs one model of the mobility feed over tables that a test writes down."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from offramp.domain.landings import Relation
from offramp.engine.duckdb_engine import DuckDBEngine
from offramp.sql.project import Project, load_project

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
APP = "5a689ab0e97b960500002109"

_POINTS = "STRUCT(tracked_at TIMESTAMP, latitude DOUBLE, longitude DOUBLE)[]"


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name, kind in (one.split(" ", 1) for one in text.split("; ")))


COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "mobility.payloads": _columns(
        "app_id VARCHAR; user_id VARCHAR; payload_id VARCHAR; kind VARCHAR; occurred_at TIMESTAMP;"
        " received_at TIMESTAMP"
    ),
    "mobility.user_links": _columns("app_id VARCHAR; user_id VARCHAR; external_id VARCHAR; linked_at TIMESTAMP"),
    "mobility.sdk_events": _columns(
        "app_id VARCHAR; user_id VARCHAR; event_id VARCHAR; occurred_at TIMESTAMP; kind VARCHAR; activity VARCHAR;"
        " confidence DOUBLE; battery DOUBLE; received_at TIMESTAMP"
    ),
    "mobility.venues": _columns(
        "venue_id VARCHAR; name VARCHAR; brand VARCHAR; latitude DOUBLE; longitude DOUBLE; types VARCHAR;"
        " opening_hours VARCHAR"
    ),
    "mobility_layers.day": _columns("day DATE; until TIMESTAMP; window_start TIMESTAMP"),
    "mobility_layers.places": _columns(
        "app_id VARCHAR; user_id VARCHAR; place_id INTEGER; latitude DOUBLE; longitude DOUBLE; significance VARCHAR;"
        " timezone VARCHAR; country_code VARCHAR; country VARCHAR; region VARCHAR; city VARCHAR; city_type VARCHAR;"
        " venue_id VARCHAR; venue_name VARCHAR; venue_brand VARCHAR; venue_types VARCHAR[]; visits BIGINT;"
        " seconds BIGINT; days BIGINT; first_at TIMESTAMP; last_at TIMESTAMP"
    ),
    "mobility_layers.visits": _columns(
        "app_id VARCHAR; user_id VARCHAR; started_at TIMESTAMP; ended_at TIMESTAMP; until_at TIMESTAMP;"
        " local_start TIMESTAMP; local_end TIMESTAMP; start_offset INTEGER; end_offset INTEGER; start_text VARCHAR;"
        " end_text VARCHAR; seconds BIGINT; latitude DOUBLE; longitude DOUBLE; place_id INTEGER; significance VARCHAR;"
        " timezone VARCHAR; country_code VARCHAR; country VARCHAR; region VARCHAR; city VARCHAR; city_type VARCHAR;"
        " venue_id VARCHAR; venue_name VARCHAR; venue_brand VARCHAR; venue_types VARCHAR[]"
    ),
    "mobility_layers.trips": _columns(
        "app_id VARCHAR; user_id VARCHAR; event_id VARCHAR; started_at TIMESTAMP; ended_at TIMESTAMP;"
        " local_start TIMESTAMP; local_end TIMESTAMP; start_offset INTEGER; end_offset INTEGER; start_text VARCHAR;"
        f" end_text VARCHAR; mode VARCHAR; distance BIGINT; seconds BIGINT; waypoints {_POINTS}; from_place_id INTEGER;"
        " to_place_id INTEGER; from_significance VARCHAR; to_significance VARCHAR; city_type VARCHAR; timezone VARCHAR"
    ),
    "mobility_layers.drives": _columns(
        "app_id VARCHAR; user_id VARCHAR; event_id VARCHAR; session_id VARCHAR; started_at TIMESTAMP;"
        " ended_at TIMESTAMP; processed_at TIMESTAMP; is_new BOOLEAN; start_text VARCHAR; end_text VARCHAR;"
        " mode VARCHAR; distance BIGINT; occupant_role VARCHAR; waypoints VARCHAR;"
        " smooth DECIMAL(9,6); legal DECIMAL(9,6); anticipative DECIMAL(9,6);"
        " focus DECIMAL(9,6); mounted DECIMAL(9,6); hard_events DECIMAL(9,6); hard_accel DECIMAL(9,6);"
        " hard_brake DECIMAL(9,6); legal_v2 DECIMAL(9,6); smooth_v2 DECIMAL(9,6); aggr_v2 DECIMAL(9,6);"
        " anti_v2 DECIMAL(9,6); anticipative_v2 DECIMAL(9,6); hard_turn DECIMAL(9,6); attention DECIMAL(9,6);"
        " behavior_events VARCHAR; mapped_waypoints VARCHAR; motorway_metres BIGINT; city_metres BIGINT;"
        " noncity_metres BIGINT; motorway_seconds BIGINT; city_seconds BIGINT; noncity_seconds BIGINT; built_on DATE"
    ),
    "mobility_layers.scores": _columns(
        "app_id VARCHAR; user_id VARCHAR; timestamp BIGINT; processed_at TIMESTAMP; smooth DECIMAL(9,6);"
        " legal DECIMAL(9,6); anticipative DECIMAL(9,6); focus DECIMAL(9,6); mounted DECIMAL(9,6);"
        " hard_events DECIMAL(9,6); hard_accel DECIMAL(9,6); hard_brake DECIMAL(9,6); legal_v2 DECIMAL(9,6);"
        " smooth_v2 DECIMAL(9,6); anticipative_v2 DECIMAL(9,6); hard_turn DECIMAL(9,6); built_on DATE"
    ),
}
"""By relation, the columns that models see. Tables of layers are proved against the layers' own words elsewhere."""


@cache
def project() -> Project:
    """Return the real project, loaded once."""
    return load_project(ROOT / "dbt_like_sql")


def run_model(name: str, tables: Mapping[str, pl.DataFrame], folder: Path) -> pl.DataFrame:
    """Return a model's rows over some tables; those that are not given have no rows, and missing columns are NULL.

    Stored models that it refers to are computed within the one query.
    """
    compiled = project().compiler.compile(project().model(name).model.entity, is_whole=True)
    relations = []
    for use in compiled.relations:
        uris: tuple[str, ...] = ()
        if use.name in tables:
            path = folder / f"{use.name}.parquet"
            tables[use.name].write_parquet(path)
            uris = (str(path),)
        relations.append(Relation(use.name, uris, COLUMNS[use.name]))
    with DuckDBEngine(folder / "scratch", memory_bytes=500_000_000, threads=2).open(relations) as session:
        frames = [pl.DataFrame(pl.from_arrow(batch)) for batch in session.stream(compiled.sql)]
        schema = session.schema(compiled.sql)
    return pl.concat(frames) if frames else pl.DataFrame(pl.from_arrow(schema.empty_table()))


def problems(name: str, folder: Path) -> tuple[str, ...]:
    """Say how a model's columns differ from its contract."""
    compiled = project().compiler.compile(project().model(name).model.entity, is_whole=True)
    relations = [Relation(use.name, (), COLUMNS[use.name]) for use in compiled.relations]
    with DuckDBEngine(folder / "scratch", memory_bytes=500_000_000, threads=2).open(relations) as session:
        return project().type_problems(name, session.describe(compiled.sql))
