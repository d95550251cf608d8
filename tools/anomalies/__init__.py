"""Oddities of usage: series fetched and judged, findings of one cause grouped. Shared by chat and scan.

`series` says what is watched and fetches it, `detecting` judges, `grouping` joins what has one cause, `evidence` makes
facts of it, `sweep` does all of that in one call: `candidates`. `tool` is `detect_anomalies`.
"""

from tools.anomalies.evidence import evidence
from tools.anomalies.series import WATCHES, Watch, Watched, fetch_watched
from tools.anomalies.sweep import Candidate, Sweep, candidates

__all__ = ["WATCHES", "Candidate", "Sweep", "Watch", "Watched", "candidates", "evidence", "fetch_watched"]
