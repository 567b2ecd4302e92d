"""SVG: a plot as inline markup that takes on the colours of its page and points nowhere."""

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

# Stands for the page's own text colour; nothing else is drawn in it.
INK = "#010203"
# Okabe & Ito's colours, which the colour-blind tell apart; each is legible on white and on black.
BLUE, ORANGE, GREEN = "#2b83c6", "#d55e00", "#009e73"
YELLOW, PINK, GREY = "#e69f00", "#cc79a7", "#888888"
_PAGE: dict[Any, Any] = {
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One plot: `svg` to put into a page, and in words what it shows."""

    name: str
    title: str
    caption: str
    svg: str


@contextmanager
def canvas(*, width: float = 6.8, height: float = 3.5) -> Iterator[tuple[Canvas, Axes]]:
    """Transparent axes of so many inches in the style of the reports."""
    with mpl.rc_context(_PAGE):
        drawn = Canvas(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(drawn)
        drawn.patch.set_alpha(0.0)
        axes = drawn.add_subplot()
        axes.patch.set_alpha(0.0)
        yield drawn, axes


def figure(drawn: Canvas, name: str, title: str, caption: str) -> Figure:
    """What was drawn, named for those who hear the page instead of seeing it.

    `name` is unique in a page and makes the plot's ids so. The same plot gives the same bytes.
    """
    text = io.StringIO()
    # Matplotlib makes ids by chance unless it has a salt.
    with mpl.rc_context({**_PAGE, "svg.hashsalt": name}):
        drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'(\bid="|\bhref="#|url\(#)', rf"\g<1>{name}-", svg).replace(INK, "currentColor")
    # The words inherit the page's font, whichever the reader has.
    svg = re.sub(r"font: ([^;\"]*?)(\d[\d.]*px)[^;\"]*", r"font-size: \2", svg)
    box = re.search(r'viewBox="([^"]*)"', svg)
    opening = f'<svg viewBox="{box.group(1) if box else ""}" role="img" aria-labelledby="{name}-t">'
    label = f'<title id="{name}-t">{html.escape(f"{title}. {caption}")}</title>'
    return Figure(name, title, caption, opening + label + svg[svg.index(">") + 1 :])
