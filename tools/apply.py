"""Applies one statement with the writer, and nothing else. Imported by the execute node alone."""

from __future__ import annotations

from tools.context import WarehouseWriter, WriteReceipt
from tools.domain import ActionPlan
from tools.errors import Bug
from tools.warehouse.statements import render

__all__ = ["apply"]


def apply(plan: ActionPlan, writer: WarehouseWriter) -> WriteReceipt:
    """Run the plan's statement once, if it is the one that its typed change gives.

    Raises:
        Bug: the frozen statement is not what the change renders to: nothing was run.
        OutcomeUnknown: the network failed; it may or may not have run.
        NoPermission, StatementFailed, Unreachable: it did not run.
    """
    if plan.action != plan.change.action or plan.statement != render(plan.change, plan.warehouse):
        raise Bug(f"Plan {plan.id}: its statement is not the one that its change stands for; it was not run.")
    return writer.execute(plan.statement)
