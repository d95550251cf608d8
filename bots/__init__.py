"""Speaks: the command line, later Slack and others. It renders what `agent` returns and decides nothing."""
