"""Deterministic maths: billing, later forecasting, anomalies, replay, effects, metrics.

No I/O, no clock, no randomness that does not arrive as an argument.
"""
