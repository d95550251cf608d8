"""From a stored plan to an applied change: the action graph, what drives it, and recovery.

`runner.ActionRunner` is the way in; `agent.approvals.decide` is the one door of an approval.
"""
