"""Thinks: the LangGraph graphs, what guards them, the store, the settings and the composition root.

What lives here: state and wiring of the two graphs (questions, actions), their nodes, the offline planner,
policy, approvals, the store and its migrations. What may not: Snowflake or Slack imports, and any way from a
conversation to a writer: `agent.runtime` binds the writer to the execute node alone.
"""
