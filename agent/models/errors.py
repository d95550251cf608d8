"""What goes wrong with language models, under the tree of tools.errors.

Unreachable
`-- ModelsUnavailable   no model has answered; whoever asked goes on with the offline planner
Refused
`-- BudgetSpent         the tokens or the money of this question or this day are used up

Neither carries a word of a provider's answer: it may quote the key it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tools.errors import Refused, Unreachable

__all__ = ["BudgetKind", "BudgetSpent", "Cancelled", "Cause", "ModelFailure", "ModelsUnavailable"]

Cause = Literal["rate_limit", "timeout", "connection", "server", "key", "not_found", "request", "open", "credentials"]
_PROVIDERS_TROUBLE: frozenset[Cause] = frozenset({"rate_limit", "timeout", "connection", "server", "open"})
BudgetKind = Literal["question_tokens", "question_usd", "day_tokens", "day_usd"]


@dataclass(frozen=True)
class ModelFailure:
    """Why one model did not answer, in words of ours."""

    model: str
    """LlmModel.label."""
    cause: Cause
    """open: not asked, since it has failed several times in a row. credentials: no Entra token was to be had."""
    detail: str
    """For people, e.g. "429 rate_limit_exceeded"; free of the provider's text."""
    lasting: bool
    """Asking again will not help: settings, key or request have to change."""

    @property
    def passes_on(self) -> bool:
        """Whether the next model is asked: the provider is in trouble, and nothing of ours is wrong."""
        return self.cause in _PROVIDERS_TROUBLE


class ModelsUnavailable(Unreachable):
    code: ClassVar[str] = "models_unavailable"

    def __init__(self, failures: tuple[ModelFailure, ...]) -> None:
        self.failures = failures
        told = "; ".join(f"{f.model}: {f.detail}" for f in failures) or "none is set"
        hint = "frostline doctor --models asks them." if failures else "docs/models.md says how to set one."
        super().__init__(f"No language model has answered ({told}).", hint=hint)


class BudgetSpent(Refused):
    """`which` is the setting that said no."""

    code: ClassVar[str] = "budget_spent"

    def __init__(self, which: BudgetKind) -> None:
        self.which = which
        scope = "this question" if which.startswith("question") else "today (UTC)"
        unit = "tokens" if which.endswith("tokens") else "money"
        super().__init__(
            f"The language model's {unit} for {scope} are used up."
            if unit == "tokens"
            else f"The language model's {unit} for {scope} is used up.",
            hint=f"llm.{which} sets it (docs/models.md).",
        )


class Cancelled(Exception):
    """Whoever asked wants no answer any more; no error of anybody's."""
