"""Reads dbt_like_sql: project, rendering, contracts, data tests, tenancy. It runs nothing: engines do."""
