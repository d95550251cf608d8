"""An answer's plain figures as bars: the facts themselves, nothing computed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bots.charts.amounts import AXIS, amount
from bots.charts.saving import check_file, safe, save
from tools.result import Unit, Window
from tools.windows.parse import describe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_facts", "series_of"]

_TIME = re.compile(r"\d{4}-\d{2}(-\d{2})?")
_MOST_BARS = 60
_MOST_LABELS = 10
"""Under bars over time; all of a month's would overlap."""
_COLOUR = "#1f3b63"


def series_of(facts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The facts that belong together and can be drawn: one label and unit over two entities or more, as they come."""
    return _longest(facts)[:_MOST_BARS]


def _longest(facts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for fact in facts:
        if fact["entity"] is not None and isinstance(fact["value"], int | float):
            groups[(fact["label"], fact["unit"])].append(fact)
    longest = max(groups.values(), key=len, default=[])
    return longest if len(longest) > 1 else []


def draw_facts(facts: Sequence[dict[str, Any]], file: Path) -> bool:
    """Write the chart; False where the answer holds nothing to draw.

    Raises:
        BadArgument: the file is no .png or .svg, or cannot be written.
    """
    check_file(file)
    series = series_of(facts)
    if not series:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    upright = all(_TIME.match(str(f["entity"])) for f in series)
    if upright:
        series = sorted(series, key=lambda fact: str(fact["entity"]))  # a time goes from left to right
    figure = Figure(figsize=(9, 4.5) if upright else (9, 1.5 + 0.3 * len(series)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    names = [safe(str(f["entity"])) for f in series]
    values = [float(f["value"]) for f in series]
    if upright:
        axes.bar(range(len(names)), values, color=_COLOUR)
        shown = range(0, len(names), -(-len(names) // _MOST_LABELS))
        slanted = len(shown) > 6
        axes.set_xticks(list(shown), [names[n] for n in shown], rotation=30 if slanted else 0)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right" if slanted else "center")
    else:
        axes.barh(names[::-1], values[::-1], color=_COLOUR)
    _scale(axes, series[0]["unit"], upright=upright)
    found = len(_longest(facts))
    cut = f"; the first {len(series)} of {found}" if found > len(series) else ""
    title = " ".join(filter(None, (str(series[0]["label"]), _dates(series))))
    axes.set_title(safe(title[:1].upper() + title[1:]), fontsize=14, fontweight="bold", loc="left")
    source = f"{series[0]['source']}, as of {series[0]['as_of']}{cut}"
    figure.supxlabel(safe(source), fontsize=8.5, color="#777777", x=0.99, ha="right")
    save(figure, file, title=title)
    return True


def _scale(axes: Axes, unit: Unit, *, upright: bool) -> None:
    """The axis of the values: the unit, amounts as people write them, and lines to read them by."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.yaxis if upright else axes.xaxis
    axis.set_major_locator(MaxNLocator(6))
    short: Unit = "count" if unit in ("credits", "count", "%") else unit
    axis.set_major_formatter(FuncFormatter(lambda value, _: safe(amount(value, short))))
    axis.set_label_text(AXIS.get(unit, unit))
    axes.grid(visible=True, axis="y" if upright else "x", color="#e3e3e3", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _dates(series: Sequence[dict[str, Any]]) -> str:
    """From the first bar's begin to the last one's end; a figure of a live state has none."""
    windows = [Window.model_validate(fact["window"]) for fact in series if fact.get("window")]
    if not windows:
        return ""
    first, last = min(w.start for w in windows), max(w.end for w in windows)
    return f"({describe(Window(start=first, end=last, tz=windows[0].tz))})"
