"""The layer of visits: places of users with their meaning, venue and address, stays at them, and trips between them.
How stays and legs are found in fixes is in timeline, what follows from visits in the SQL models.
"""
