"""Offramp: data owed to other companies, delivered every day from Dagster assets."""
