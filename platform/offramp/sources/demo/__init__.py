"""The embedded demo: two tenants whose rows live day by day, the same in every run of a seed. What lands of it is
decided by its callers, as for every other source.
"""
