"""An answer's plain figures as bars: the facts themselves, nothing computed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bots.charts.saving import check_file, safe, save

__all__ = ["draw_facts", "series_of"]

_TIME = re.compile(r"\d{4}-\d{2}(-\d{2})?")
_MOST_BARS = 60


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

    names = [safe(str(f["entity"])) for f in series]
    values = [float(f["value"]) for f in series]
    upright = all(_TIME.match(name) for name in names)
    figure = Figure(figsize=(9, 4.5) if upright else (9, 1.5 + 0.3 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    if upright:
        axes.bar(names, values)
        axes.tick_params(axis="x", rotation=45 if len(names) > 6 else 0)
        axes.set_ylabel(series[0]["unit"])
    else:
        axes.barh(names[::-1], values[::-1])
        axes.set_xlabel(series[0]["unit"])
    found = len(_longest(facts))
    cut = f"; the first {len(series)} of {found}" if found > len(series) else ""
    title = f"{series[0]['label']} ({series[0]['source']}, as of {series[0]['as_of']}{cut})"
    axes.set_title(safe(title), fontsize=9)
    save(figure, file, title=title)
    return True
