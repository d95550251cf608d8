"""`query_usage`: any metric by anything over any window, as facts.

`tool` is the tool, `model` its arguments and data, `metrics` which view answers what, `span` what is covered,
`fetch` asks the reader, `buckets` folds hours into days, `report` makes the facts.
"""
