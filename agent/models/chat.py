"""LangChain's chat model of a setting: OpenAI, Azure OpenAI or any compatible server.

The libraries look at many variables of the environment (OPENAI_ORG_ID, OPENAI_CUSTOM_HEADERS, AZURE_OPENAI_AD_TOKEN,
LANGSMITH_GATEWAY...). None of them gets through: every field they would fill from there is given, and the HTTP client
below writes the headers of each request itself. Proxies and certificates of the environment do count.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from agent.settings_llm import LlmModel

if TYPE_CHECKING:
    from langchain_openai.chat_models.base import BaseChatOpenAI

__all__ = ["chat_model", "close", "load_libraries", "uses_responses_api"]

_KEPT_HEADERS = ("host", "accept", "accept-encoding", "connection", "content-type", "content-length")
_NO_TEMPERATURE = re.compile(r"(o[0-9]|gpt-(5|6|7|8|9))(?!.*chat)")
_PLACEHOLDER = "set-by-the-http-client"
"""So that no object of the libraries, its repr or its serialisation holds a key."""


def chat_model(one: LlmModel, secret: str | None = None) -> BaseChatOpenAI:
    """A streaming model without retries of its own; `secret` replaces the key (an Entra token).

    The caller closes it, in the event loop in which it was used.
    """
    import langchain_openai

    _quiet()
    given = {
        "model": one.model or one.azure_deployment,
        "api_key": _PLACEHOLDER,
        "organization": None,
        "openai_proxy": None,
        "temperature": None if _NO_TEMPERATURE.match(one.model) else one.temperature,
        "max_retries": 0,
        "streaming": True,
        "stream_usage": True,
        "stream_chunk_timeout": None,
        "output_version": None,
        "http_socket_options": (),
        "use_responses_api": uses_responses_api(one),
        "disable_streaming": False,
        "cache": False,
        **_output_limit(one),
        **_http_clients(one, secret),
    }
    if given["temperature"] is None:
        del given["temperature"]  # given as None, it would be set for some models
    if one.kind == "azure" and one.azure_api_version:
        return langchain_openai.AzureChatOpenAI(
            **given,
            azure_endpoint=one.azure_endpoint,
            azure_deployment=one.azure_deployment or one.model,
            api_version=one.azure_api_version,
            azure_ad_token=None,
            openai_api_type="azure",
        )
    if one.kind == "azure":
        given["model"] = one.azure_deployment or one.model
    return langchain_openai.ChatOpenAI(**given, base_url=one.url)


async def close(model: BaseChatOpenAI) -> None:
    """Its connections."""
    clients: tuple[Any, Any] = (model.http_async_client, model.http_client)
    await clients[0].aclose()
    clients[1].close()


def load_libraries() -> None:
    """What chat_model needs."""
    import langchain_openai
    import openai.resources.chat
    import openai.resources.responses  # noqa: F401 - each is loaded when it is first used otherwise

    langchain_openai.ChatOpenAI  # noqa: B018
    _tls()


def uses_responses_api(one: LlmModel) -> bool | None:
    """None: langchain_openai decides by the model's name."""
    if one.api == "auto":
        return None if one.kind == "openai" and one.base_url is None else False
    return one.api == "responses"


def _output_limit(one: LlmModel) -> dict[str, Any]:
    """OpenAI's newer parameter is unknown to some compatible servers; nothing is left at a provider to be kept."""
    limit = one.max_output_tokens
    if uses_responses_api(one):
        return {"max_tokens": limit, "store": False}
    if one.kind == "compatible":
        return {"extra_body": {"max_tokens": limit}}
    return {"max_tokens": limit}


def _http_clients(one: LlmModel, secret: str | None) -> dict[str, Any]:
    import openai

    key = secret or (one.api_key.get_secret_value() if one.api_key else None)
    headers = _own_headers(one, key)
    longest = max(one.first_token_s, one.between_tokens_s)
    settings: dict[str, Any] = {
        "timeout": openai.Timeout(longest, connect=one.connect_s),
        "verify": _tls(),
        # A proxy is for what lies beyond this machine; plain http to a local server would be readable there.
        "trust_env": not one.local,
        # A redirect would carry the question, and with Azure the key, to wherever it points.
        "follow_redirects": False,
    }

    def write(request: Any) -> None:
        for name in list(request.headers):
            if name.lower() not in _KEPT_HEADERS:
                del request.headers[name]
        request.headers.update(headers)

    async def write_async(request: Any) -> None:
        write(request)

    return {
        "http_client": openai.DefaultHttpxClient(**settings, event_hooks={"request": [write]}),
        "http_async_client": openai.DefaultAsyncHttpxClient(**settings, event_hooks={"request": [write_async]}),
    }


@cache
def _tls() -> Any:
    """One for all requests: reading the certificates, twice a request, would take longer than all else here."""
    import httpx2

    return httpx2.create_ssl_context()


def _own_headers(one: LlmModel, key: str | None) -> dict[str, str]:
    headers = {"user-agent": "frostline"}
    if key is None:
        return headers
    if one.kind == "azure" and one.azure_auth == "key":
        return headers | {"api-key": key}
    return headers | {"authorization": f"Bearer {key}"}


def _quiet() -> None:
    """OPENAI_LOG=debug would write whole requests to the log."""
    for name in ("openai", "httpx2", "httpcore2", "httpx", "httpcore", "langchain_openai"):
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() < logging.WARNING:
            logger.setLevel(logging.WARNING)
