"""A tool's arguments, validated: the same words for a call that the planner, a model or a test has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from tools.errors import BadArgument

__all__ = ["validated"]


def validated(model: type[BaseModel], args: Mapping[str, Any]) -> Any:
    """
    Raises:
        BadArgument: what is wrong with which field; the values themselves are not repeated.
    """
    try:
        return model.model_validate(args)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:5])
        raise BadArgument(f"The arguments do not fit: {said[:400]}.") from None
