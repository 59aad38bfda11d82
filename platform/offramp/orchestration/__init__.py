"""The only room that knows Dagster: assets, IO managers, schedules, external assets, metadata. The work itself is
in pipeline.
"""
