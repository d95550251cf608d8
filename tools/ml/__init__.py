"""Deterministic maths: billing, forecasts, calendars and measures; more is to come.

No I/O, no clock, no randomness that does not arrive as an argument.
"""
