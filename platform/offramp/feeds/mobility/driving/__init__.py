"""Drives: what the SDK's sensors and the map say of each trip by car, as scores, events and waypoints. Which trips
there were, and that they were by car, is decided by the timeline and the legs.
"""
