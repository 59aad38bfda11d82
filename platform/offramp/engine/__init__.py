"""Runs SQL over relations and yields Arrow batches. Which SQL is decided in sql and pipeline."""
