"""Benchmarks that need what only tests have, like the loopback Slack. `make bench` runs them; pytest does not."""
