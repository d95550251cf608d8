"""Deterministic maths: billing today; forecasting, anomalies, replay and others are to come.

No I/O, no clock, no randomness that does not arrive as an argument.
"""
