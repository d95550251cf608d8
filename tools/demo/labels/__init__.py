"""What was planted in a generated account (incidents), for tests and evals only; no statement can reach it.

The labels are computed from the seed, they are never written into the account's folder. This package imports the
generator, never the other way round.
"""

from tools.demo.labels.label import Label

__all__ = ["Label"]
