"""A Chart as a picture that is read at a glance, also at the width of a phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bots.charts.amounts import AXIS, amount
from bots.charts.saving import check_file, safe, save
from tools.charts import Chart, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

_SIZE = (7.2, 4.6)
"""Inches; at 160 dots each it is 1152 x 736, which a phone shows at a third with letters that can be read."""
_WAS, _COMES, _ODD, _LIMIT, _SOFT = "#1f3b63", "#d9730d", "#c0322b", "#555555", "#777777"
_MARKERS_UP_TO = 60
_ORDER = {"measured": -2, "expected": -1, "odd": 0}
_LABELLED = 4
"""Marks with words of their own; more are coloured only."""


def draw(chart: Chart, file: Path) -> bool:
    """Write the chart; False where it holds nothing to draw.

    Raises:
        BadArgument: the file is no .png or .svg, or cannot be written.
    """
    check_file(file)
    if not chart.history and not chart.forecast:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    tz = ZoneInfo(chart.timezone)
    _bands(axes, chart)
    _lines(axes, chart)
    _limit(axes, chart)
    _marks(axes, chart)
    _axes(axes, chart, tz)
    _words(figure, axes, chart)
    save(figure, file, title=chart.title, alt=chart.alt)
    return True


def _day(moment: datetime) -> float:
    """A moment as the library counts: days; the zone is the axis' own."""
    from matplotlib.dates import date2num

    return float(date2num(moment))


def _times(points: Sequence[Point]) -> list[float]:
    return [_day(point.time) for point in points]


def _values(points: Sequence[Point]) -> list[float]:
    return [point.value for point in points]


def _bands(axes: Axes, chart: Chart) -> None:
    """The wide one first, so that the narrow one lies on it."""
    for band in sorted(chart.bands, key=lambda b: -(b.level or 0)):
        times = [_day(time) for time in band.time]
        ordinary = band.level is None
        name = "usual" if ordinary else f"{band.level} % interval"
        colour, alpha = (_SOFT, 0.22) if ordinary else (_COMES, 0.30 if (band.level or 0) <= 80 else 0.16)
        axes.fill_between(times, band.lo, band.hi, color=colour, alpha=alpha, linewidth=0, label=name, step=None)


def _lines(axes: Axes, chart: Chart) -> None:
    style: dict[str, Any] = {"linewidth": 1.8, "solid_capstyle": "round"}
    if chart.history:
        marker = "o" if len(chart.history) <= _MARKERS_UP_TO else ""
        axes.plot(
            _times(chart.history),
            _values(chart.history),
            color=_WAS,
            marker=marker,
            markersize=3,
            label="measured",
            **style,
        )
    if not chart.forecast:
        return
    if chart.history:
        joined = [chart.history[-1], chart.forecast[0]]
        axes.plot(_times(joined), _values(joined), color=_COMES, linewidth=1.2, linestyle=":")
        axes.axvline(_day(chart.forecast[0].time), color=_SOFT, linewidth=0.8, linestyle=":")
    marker = "o" if len(chart.forecast) <= _MARKERS_UP_TO else ""
    axes.plot(
        _times(chart.forecast),
        _values(chart.forecast),
        color=_COMES,
        marker=marker,
        markersize=3,
        label="expected",
        **style,
    )


def _limit(axes: Axes, chart: Chart) -> None:
    """A line across with its amount written on it."""
    if chart.limit is None:
        return
    axes.axhline(chart.limit, color=_LIMIT, linewidth=1.4, linestyle="--")
    axes.annotate(
        safe(f"{chart.limit_label or 'limit'}: {amount(chart.limit, chart.unit)}"),
        xy=(0.0, chart.limit),
        xycoords=("axes fraction", "data"),
        xytext=(6, 4),
        textcoords="offset points",
        fontsize=11,
        fontweight="bold",
        color=_LIMIT,
    )


def _marks(axes: Axes, chart: Chart) -> None:
    """The odd stretches: coloured over the whole height, the line within them red, named above."""
    for number, mark in enumerate(chart.marks):
        start, end = _day(mark.start), _day(mark.end)
        axes.axvspan(start, end, color=_ODD, alpha=0.14, linewidth=0, label="odd" if number == 0 else None)
        inside = [point for point in chart.history if mark.start <= point.time < mark.end]
        axes.plot(_times(inside), _values(inside), color=_ODD, linewidth=2.6, marker="o", markersize=4)
        if number < _LABELLED and mark.label:
            _name(axes, start + (end - start) / 2, safe(_wrapped(mark.label, 40)), number, chart)


def _name(axes: Axes, middle: float, text: str, number: int, chart: Chart) -> None:
    times = _times([*chart.history, *chart.forecast])
    place = (middle - times[0]) / max(times[-1] - times[0], 1e-9)
    side = "left" if place < 0.25 else "right" if place > 0.75 else "center"
    axes.annotate(
        text,
        xy=(middle, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, -6 - 15 * number),
        textcoords="offset points",
        ha=side,
        va="top",
        fontsize=10.5,
        color=_ODD,
        fontweight="bold",
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.8, "linewidth": 0},
    )


def _axes(axes: Axes, chart: Chart, tz: ZoneInfo) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    locator = AutoDateLocator(tz=tz, minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, tz=tz, show_offset=False)
    formatter.formats = ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"]
    formatter.zero_formats = ["", "%b %Y", "%d %b", "%d %b", "%H:%M", "%H:%M"]
    axes.xaxis.set_major_formatter(formatter)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    short = chart.unit in ("credits", "count", "%")
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: safe(amount(value, "count" if short else chart.unit)))
    )
    highest = [*_values(chart.history), *_values(chart.forecast), *(hi for b in chart.bands for hi in b.hi)]
    lowest = [*_values(chart.history), *_values(chart.forecast), *(lo for b in chart.bands for lo in b.lo)]
    top = max([*highest, chart.limit or 0.0])
    room = 1.12 + 0.07 * min(len(chart.marks), _LABELLED)
    axes.set_ylim(min(0.0, *lowest), top * room if top > 0 else 1.0)
    axes.margins(x=0.01)
    axes.grid(visible=True, axis="y", color="#e3e3e3", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=11)


def _words(figure: Any, axes: Axes, chart: Chart) -> None:
    axes.set_title(_wrapped(safe(chart.title)), fontsize=14, fontweight="bold", loc="left", pad=28)
    axes.set_ylabel(AXIS[chart.unit], fontsize=12)
    axes.set_xlabel(safe(_span(chart)), fontsize=11, color="#444444")
    handles, labels = axes.get_legend_handles_labels()
    # Lines first, what lies behind them after; the narrow band before the wide one.
    order = sorted(range(len(labels)), key=lambda n: (_ORDER.get(labels[n], 1), labels[n]))
    axes.legend(
        [handles[n] for n in order],
        [labels[n] for n in order],
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=min(len(labels), 5),
        frameon=False,
        fontsize=10.5,
        handlelength=1.4,
        columnspacing=1.1,
        borderpad=0.1,
    )
    if chart.source:
        source = _wrapped(safe(chart.source), 96)
        figure.supxlabel(source, fontsize=8.5, color=_SOFT, x=0.99, ha="right", multialignment="right")


def _span(chart: Chart) -> str:
    tz = ZoneInfo(chart.timezone)
    times = [point.time.astimezone(tz) for point in (*chart.history, *chart.forecast)]
    return f"{min(times):%Y-%m-%d} to {max(times):%Y-%m-%d}, {chart.timezone} time"


def _wrapped(title: str, width: int = 52) -> str:
    """On two lines at most; names from an account may be long."""
    import textwrap

    lines = textwrap.wrap(title, width, max_lines=2, placeholder=" …")
    return "\n".join(lines)
