"""The embedded demo of the feed mobility: people with phones who live day by day, the same in every run of a seed.

What lands of it is decided by its callers; stays, trips and scores are computed elsewhere, from these rows alone.
"""
