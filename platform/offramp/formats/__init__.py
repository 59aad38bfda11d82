"""How rows become bytes: one encoder per format. A format knows no destination and no feed."""
