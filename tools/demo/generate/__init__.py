"""The demo account's generator: a seeded discrete-event simulation that writes an exported account.

`generate` draws the workload (habits, arrivals), runs it on simulated warehouses (queue, clusters, auto-suspend),
bills the runs with tools.ml.billing and writes the account views as Parquet files. The same generator state
gives the same bytes. It shares no code with the replay model, so that neither can confirm the other's mistakes.
"""

from tools.demo.generate.write import DAYS, NOW, generate

__all__ = ["DAYS", "NOW", "generate"]
