"""What a leg was: its distance, its waypoints without spikes and its mode, from fixes, SDK activity and stops. Where
a leg begins and ends is decided by the timeline.
"""
