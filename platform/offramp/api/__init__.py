"""The HTTP faces: audience ingest and delivery status. They read what the pipeline wrote and compute nothing of
their own.
"""
