"""What was planted in a generated account (incidents), for tests and evals only; no statement can reach it.

The labels are computed from the seed, they are never written into the account's folder. This package imports the
generator, never the other way round. `optimum` says what the best settings of a warehouse would have been.
"""

from tools.demo.labels.label import Label
from tools.demo.labels.optimum import Optimum, optimum
from tools.demo.labels.planted import labels

__all__ = ["Label", "Optimum", "labels", "optimum"]
