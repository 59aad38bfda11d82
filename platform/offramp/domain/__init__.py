"""Frozen values, Protocols and errors that every room shares. No input or output happens here; it goes to the
rooms above.
"""
