"""Between table rows and frozen models; the one place where a stored body is trusted, after its digest fits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from tools.domain import (
    PLAN_SCHEMA_VERSION,
    ActionPlan,
    Bundle,
    Person,
    PlanRecord,
    PlanState,
    canonical_json,
)
from tools.errors import PlanConflict

ModelT = TypeVar("ModelT", ActionPlan, Bundle)

__all__ = ["body_is_intact", "bundle_values", "person_json", "plan_values", "storable", "to_bundle", "to_record"]


def plan_values(plan: ActionPlan, account: str) -> dict[str, Any]:
    """The row of a plan that has just been proposed; `account` is the store's, not the plan's, name for it."""
    return {
        "id": plan.id,
        "account": account,
        "bundle": plan.bundle,
        "position": plan.position,
        "warehouse": plan.warehouse,
        "digest": plan.digest,
        "body": canonical_json(plan),
        "schema_version": plan.schema_version,
        "state": PlanState.PROPOSED.value,
        "reason": "",
        "effect": "",
        "created_at": plan.created_at,
        "expires_at": plan.expires_at,
    }


def bundle_values(bundle: Bundle, account: str) -> dict[str, Any]:
    return {
        "id": bundle.id,
        "account": account,
        "digest": bundle.digest,
        "body": canonical_json(bundle),
        "created_at": bundle.created_at,
        "expires_at": bundle.expires_at,
    }


def body_is_intact(row: Mapping[str, Any]) -> bool:
    """Over the stored bytes, not over the reloaded model: a later schema may add fields with defaults."""
    found = hashlib.sha256(str(row["body"]).encode()).hexdigest()
    return bool(found == row["digest"])


def to_record(row: Mapping[str, Any]) -> PlanRecord:
    """
    Raises:
        PlanConflict: the body was made by another version and cannot be read (reason `state`).
    """
    return PlanRecord(
        plan=_load(ActionPlan, row),
        digest=row["digest"],
        state=PlanState(row["state"]),
        decided_by=Person.model_validate_json(row["decided_by"]) if row["decided_by"] else None,
        decided_at=row["decided_at"],
        reason=row["reason"],
        claimed_until=row["claimed_until"],
        query_id=row["query_id"],
        effect=row["effect"],
        updated_at=row["updated_at"],
    )


def to_bundle(row: Mapping[str, Any]) -> Bundle:
    """
    Raises:
        PlanConflict: as to_record; reason `digest` where the row was changed.
    """
    if not body_is_intact(row):
        raise PlanConflict("This bundle was changed after it was stored; it is refused.", reason="digest")
    return _load(Bundle, row)


def storable(value: Any) -> Any:
    """Text that every database takes: what came in as broken UTF-8 becomes '?', and NUL is left out."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list | tuple) else value


def person_json(person: Person) -> str:
    return canonical_json(person)


def _load(model: type[ModelT], row: Mapping[str, Any]) -> ModelT:
    try:
        return model.model_validate_json(row["body"])
    except ValidationError:
        version = json.loads(row["body"]).get("schema_version")
        raise PlanConflict(
            f"{row['id']} was written with schema {version}; this Frostline reads up to {PLAN_SCHEMA_VERSION}.",
            reason="state",
            hint="Ask for the change again.",
        ) from None
