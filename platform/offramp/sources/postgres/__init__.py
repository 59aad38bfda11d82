"""PostgreSQL as a source: one exported snapshot, read in parallel by DuckDB. Which tables land, and what becomes of
the files, is decided by the lake.
"""
