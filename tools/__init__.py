"""Knows: the typed tools and the deterministic modules under them.

What lives here: contracts (`errors`, `domain`, `result`, `context`), one file per tool family, the pure
modules (`ml`), the Snowflake gateway (`warehouse`) and the demo account (`demo`).
What may not: anything that imports `agent`, `evals` or `bots`, or that reads the environment.
"""
