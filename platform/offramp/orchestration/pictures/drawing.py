"""How figures are drawn and shown: without pyplot's global state, as PNG of few colours, the same bytes each time."""

from __future__ import annotations

import base64
import io
from importlib.util import find_spec
from typing import TYPE_CHECKING

import dagster as dg

from offramp.domain.errors import OfframpError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, PALE, ACCENT = "#1f2937", "#d1d5db", "#2563eb"
_DOTS_PER_INCH = 96
# Anti-aliased lines on white: so many colours look the same, and make half of the bytes.
_COLOURS = 128
_SMALL_POINTS = 8


# A picture never fails what it shows, whatever numbers or matplotlib make of a day that nobody thought of.
UNDRAWN = (OfframpError, ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


def can_draw() -> bool:
    """Say whether matplotlib is installed: it comes with the extra ``mobility``."""
    return find_spec("matplotlib") is not None


def new_figure(width_inches: float, height_inches: float, title: str) -> Figure:
    """Return an empty figure with a title."""
    # Half a second of CPU, which only a run spends that draws.
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width_inches, height_inches), dpi=_DOTS_PER_INCH, facecolor="white", layout="constrained")
    figure.suptitle(title, fontsize=10, color=INK)
    return figure


def shown(figure: Figure, text: str) -> dg.MarkdownMetadataValue:
    """Return a figure as Markdown that holds the picture itself."""
    return dg.MetadataValue.md(f"![{text}](data:image/png;base64,{base64.b64encode(png(figure)).decode('ascii')})")


def said(text: str) -> dg.MarkdownMetadataValue:
    """Return the sentence that stands where there is nothing to draw."""
    return dg.MetadataValue.md(text)


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - see new_figure
    from PIL import Image  # noqa: PLC0415 - matplotlib brings it

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    pixels = Image.frombytes("RGBA", canvas.get_width_height(), bytes(drawn)).convert("RGB")
    written = io.BytesIO()
    pixels.quantize(_COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()


def plain(axes: Axes, title: str) -> None:
    """Take away what is no data, and name the axes."""
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    axes.tick_params(labelsize=_SMALL_POINTS, colors=INK, length=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE)


def lying_bars(
    axes: Axes, title: str, rows: Sequence[tuple[str, float]], colours: Mapping[str, str] | None = None
) -> None:
    """Draw a bar for each row with its number, the first on top."""
    plain(axes, title)
    if not rows:
        axes.text(0.5, 0.5, "none", ha="center", va="center", fontsize=_SMALL_POINTS, transform=axes.transAxes)
        axes.set_axis_off()
        return
    names, values = [name for name, _ in rows], [value for _, value in rows]
    drawn = axes.barh(names, values, color=[(colours or {}).get(name, ACCENT) for name in names], height=0.7)
    axes.bar_label(drawn, labels=[number_text(value) for value in values], fontsize=7, padding=2, color=INK)
    axes.invert_yaxis()
    axes.margins(x=0.15, y=0.02)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def standing_bars(axes: Axes, title: str, rows: Sequence[tuple[str, float]], colour: str = ACCENT) -> None:
    """Draw a bar for each row, from left to right."""
    plain(axes, title)
    axes.bar([name for name, _ in rows], [value for _, value in rows], color=colour, width=0.85)
    axes.locator_params(axis="y", integer=True, nbins=4)


def number_text(value: float) -> str:
    """Return a number as short as it can be read: 12,345, 7.5, 0.83."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
