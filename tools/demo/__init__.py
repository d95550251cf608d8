"""The embedded account: a server layer on fakesnow, a workload generator, import and export.

A product feature: everybody's first five minutes, and the way to analyse an exported account without any
connection to it. The real connector speaks to it over loopback HTTP.
"""
