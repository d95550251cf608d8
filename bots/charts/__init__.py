"""Pictures of an answer: `draw` draws a Chart, `draw_facts` an answer's plain figures, `sparkline` a line of text."""

from bots.charts.facts import draw_facts, series_of
from bots.charts.line import draw
from bots.charts.saving import SUFFIXES, check_file
from bots.charts.text import sparkline

__all__ = ["SUFFIXES", "check_file", "draw", "draw_facts", "series_of", "sparkline"]
