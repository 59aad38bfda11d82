"""The media feed: the database of a video service as CSV snapshots and deltas. Options, schedules and names follow
the vendor's documentation.
"""
