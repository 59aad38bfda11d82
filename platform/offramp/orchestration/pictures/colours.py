"""One colour for a mode and for a kind of place, in all pictures; they differ for the colour-blind too (Okabe-Ito)."""

from __future__ import annotations

MODES = {
    "walking": "#009e73",
    "running": "#56b4e9",
    "biking": "#e69f00",
    "car": "#d55e00",
    "train": "#0072b2",
    "bus": "#cc79a7",
    "tram": "#7b4fa3",
    "flight": "#1f2937",
    "insufficient_data": "#9ca3af",
}
PLACES = {
    "home": "#0072b2",
    "work": "#d55e00",
    "regular": "#009e73",
    "poi": "#eab308",
    "nonregular": "#9ca3af",
}
