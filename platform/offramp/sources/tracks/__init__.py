"""Tracks of positions that stand in a folder as GPX and CSV files, as the raw tables of ``mobility``.

Any system can put files there; what phones of the demo send is made in ``phones``.
"""
