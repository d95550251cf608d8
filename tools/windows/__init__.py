"""Phrases of time to windows, by the account's calendar (design: Conventions). Pure: now and zone are arguments."""
