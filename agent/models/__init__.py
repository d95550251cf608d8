"""Language models: asked in order, within budgets, each failure in words of ours. docs/models.md is the guide."""
