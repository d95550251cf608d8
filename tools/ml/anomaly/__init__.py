"""What is out of the ordinary in a usage series: a continuous score and findings, neither of which sees the future."""

from tools.ml.anomaly.detecting import detect, detect_panel
from tools.ml.anomaly.scoring import State, score, start
from tools.ml.anomaly.types import DEFAULT, KINDS, Anomaly, Kind, KnownJob

__all__ = ["DEFAULT", "KINDS", "Anomaly", "Kind", "KnownJob", "State", "detect", "detect_panel", "score", "start"]
