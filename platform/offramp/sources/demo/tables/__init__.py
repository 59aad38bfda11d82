"""The demo's tables, a file per part of the service: names, types and keys. What lives in them is drawn elsewhere."""
