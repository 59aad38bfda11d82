"""The platform's own Parquet store: landings, stored models, parts, staged records. It knows no source and no
recipient.
"""
