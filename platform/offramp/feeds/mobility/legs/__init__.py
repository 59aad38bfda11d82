"""What a leg was: where its mode changes, its distance, its waypoints without spikes and its mode, from fixes, SDK
activity and stops. Where what lies between two stays begins and ends is decided by the timeline.
"""
