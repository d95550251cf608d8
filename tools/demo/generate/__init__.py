"""The demo account's generator: a seeded discrete-event simulation, window by window.

Habits and incidents send statements (arrivals, incidents, workload), simulated warehouses run them (simulate, runs),
tools.ml.billing meters the runs, and the account's views are written from them (queries, metering, activity,
beside). `history.py` puts the steps together and carries a warehouse's state from one window to the next, so that
an account can go on where it stopped. It shares no code with the replay model, so that neither can confirm the
other's mistakes.
"""
