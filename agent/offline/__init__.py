"""The deterministic planner: from a person's words to tool calls, questions back or an honest no, without a model."""
