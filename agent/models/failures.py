"""From an exception of the SDK to a failure in words of ours.

The provider's text is never repeated: it may quote a key, or the question.
"""

from __future__ import annotations

from typing import Any

from agent.models.errors import Cause, ModelFailure
from agent.settings_llm import LlmModel

__all__ = ["failure_of", "is_filter", "never_sent", "retry_after"]

_KNOWN_CODES = frozenset(
    {
        "context_length_exceeded",
        "DeploymentNotFound",
        "insufficient_quota",
        "invalid_api_key",
        "model_not_found",
        "rate_limit_exceeded",
        "server_error",
        "unknown_parameter",
        "unsupported_parameter",
        "unsupported_value",
    }
)
_KNOWN_PARAMETERS = frozenset(
    {
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens",
        "messages",
        "model",
        "store",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
    }
)
_BY_STATUS: dict[int, Cause] = {401: "key", 403: "key", 404: "not_found", 408: "timeout"}


def failure_of(one: LlmModel, error: Exception) -> ModelFailure:
    """`error`: openai.OpenAIError or what its HTTP client raises."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return ModelFailure(one.label, "timeout", "did not answer in time", False)
    if isinstance(error, openai.APIConnectionError):
        return ModelFailure(one.label, "connection", "cannot be reached, or broke off", False)
    if isinstance(error, openai.APIStatusError):
        cause = _cause(error.status_code)
        # Money that is not there does not come back by waiting.
        lasting = cause in ("key", "not_found", "request") or _code(error) == "insufficient_quota"
        return ModelFailure(one.label, cause, _told(error.status_code, error), lasting)
    if isinstance(error, openai.APIError):  # an error event within a stream
        return ModelFailure(
            one.label, "server", " ".join(filter(None, ("an error in its stream", _code(error)))), False
        )
    return ModelFailure(one.label, "server", "sent what is no answer of this API", False)


def is_filter(error: Exception) -> bool:
    """Azure refuses a prompt by a 400 of this code."""
    return getattr(error, "status_code", None) == 400 and getattr(error, "code", None) == "content_filter"


def never_sent(error: Exception) -> bool:
    """Turned away or not connected: no token was read, so none is paid for."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return True
    cause: BaseException | None = error
    while cause is not None and not type(cause).__name__.startswith("Connect"):  # ConnectError, ConnectTimeout
        cause = cause.__cause__
    return isinstance(error, openai.APIConnectionError) and cause is not None


def retry_after(error: Exception) -> float | None:
    """Seconds, from Retry-After-Ms or Retry-After (a number or a date)."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    if headers is None:
        return None
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return seconds * scale
    return _until(headers.get("retry-after"), headers.get("date"))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None


def _until(text: str | None, now: str | None) -> float | None:
    """Between two dates of the same server: its clock need not be ours."""
    from email.utils import parsedate_to_datetime

    try:
        wait = parsedate_to_datetime(text or "") - parsedate_to_datetime(now or "")
    except (TypeError, ValueError):
        return None
    return max(wait.total_seconds(), 0.0)


def _cause(status: int) -> Cause:
    if status == 429:
        return "rate_limit"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "server" if status >= 500 or status < 400 else "request"


def _told(status: int, error: Any) -> str:
    parameter = getattr(error, "param", None)
    named = f"({parameter})" if parameter in _KNOWN_PARAMETERS else None
    return " ".join(filter(None, (str(status), _code(error), named)))


def _code(error: Any) -> str | None:
    code = getattr(error, "code", None)
    return code if code in _KNOWN_CODES else None
