"""The layer ``timeline``: when each user stayed where, and the legs between stays, folded from raw fixes.
What a leg was (mode, distance) is told by ``legs``, and which place a stay was by the layer ``visits``.
"""
