"""`own_cost`: what Frostline itself costs the account, counted from the tag that its statements carry."""
