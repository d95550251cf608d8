"""The gateway to Snowflake: the only place, with the demo account, that imports its connector.

What lives here: connection settings, the reader and the writer (separate identities), statement builders,
freshness rules per view, `sql/*.sql`. What may not: decisions. It converts types once and reports what
Snowflake said in the terms of `tools.errors`.
"""
