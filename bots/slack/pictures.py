"""Charts of an answer as files with alternative text."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bots.slack.claims import Claim
from bots.slack.types import Attachment, Outbound, Place
from tools.charts import Chart
from tools.errors import ChannelRefused

__all__ = ["facts_picture", "picture", "post_charts"]

_log = logging.getLogger("frostline.slack")
_drawing = threading.Lock()
"""matplotlib's fonts and settings are the process's."""
_ALT, _TITLE = 1_000, 150
"""Characters that Slack takes (files.getUploadURLExternal) and that a title shows."""


def picture(chart: Chart) -> Attachment | None:
    """The chart as a PNG; None where it holds nothing to draw."""
    from bots.charts import draw

    content = _drawn(lambda file: draw(chart, file))
    if content is None:
        return None
    return Attachment("chart.png", chart.title[:_TITLE] or "Chart", content, alt=_short(chart.alt))


def facts_picture(facts: Sequence[Mapping[str, Any]], title: str) -> Attachment | None:
    """The bars of an answer that brings no chart of its own; None where there is nothing to draw."""
    from bots.charts import draw_facts, series_of

    plain = [dict(fact) for fact in facts]
    content = _drawn(lambda file: draw_facts(plain, file))
    if content is None:
        return None
    series = series_of(plain)
    top = ", ".join(f"{fact['entity']} {fact['value']:,.6g}" for fact in series[:8])
    alt = f"Bar chart of {series[0]['label']} in {series[0]['unit']}, {len(series)} bars: {top}"
    return Attachment("chart.png", title[:_TITLE] or "Chart", content, alt=_short(alt))


def post_charts(api: Outbound, claim: Claim, place: Place, charts: Sequence[Chart]) -> None:
    """Each chart once, under the answer; how far this went is noted, so that a crash repeats none that is known of.

    A picture that Slack does not take is logged: the figures stand in the answer.

    Raises:
        ClaimLost: somebody else has the item.
        Unreachable: Slack does not answer.
    """
    for number, chart in enumerate(charts):
        if number < int(claim.progress.get("charts") or 0):
            continue
        file = picture(chart)
        claim.note(charts=number + 1)
        if file is None:
            continue
        try:
            api.upload(place, file)
        except ChannelRefused as refused:
            _log.info("chart not uploaded: %s", refused.reason)


def _drawn(write: Callable[[Path], bool]) -> bytes | None:
    with tempfile.TemporaryDirectory() as folder, _drawing:
        file = Path(folder) / "chart.png"
        return file.read_bytes() if write(file) else None


def _short(text: str) -> str:
    return text if len(text) <= _ALT else f"{text[: _ALT - 1]}…"
