"""What is out of the ordinary in a usage series: a continuous score and findings, neither of which sees the future.

`score` and `State` judge any stream value by value. `detect`, `detect_panel` and `Watch` know days, weeks and the
calendar of regular series, and say each thing once; `detect_creep` sees what rises too slowly for them, and
`detect_records` what has no usual level. See DECISIONS.md for why there is more than one.
"""

from tools.ml.anomaly.creep import detect_creep
from tools.ml.anomaly.detecting import FalseAlarms, count_false_alarms, detect, detect_panel
from tools.ml.anomaly.records import detect_records
from tools.ml.anomaly.scoring import State, score, start
from tools.ml.anomaly.types import DEFAULT, KINDS, Anomaly, Kind, KnownJob
from tools.ml.anomaly.watch import FALSE_ALARMS, Watch

__all__ = [
    "DEFAULT",
    "FALSE_ALARMS",
    "KINDS",
    "Anomaly",
    "FalseAlarms",
    "Kind",
    "KnownJob",
    "State",
    "Watch",
    "count_false_alarms",
    "detect",
    "detect_creep",
    "detect_panel",
    "detect_records",
    "score",
    "start",
]
