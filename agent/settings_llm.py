"""The language models of a profile: `[llm]`, and `[llm.secondary]` that is asked where the first does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

__all__ = ["LlmModel", "LlmSettings", "Provider"]

Provider = Literal["offline", "openai", "azure", "compatible"]

OPENAI_URL = "https://api.openai.com/v1"
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class LlmModel(BaseModel):
    """One model. docs/models.md has an example for each provider."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Provider | None = None
    """None: openai where there are a key and a model, else offline. offline: nothing leaves this machine."""
    model: str = ""
    """The model's name; for azure the deployment's name does where this is empty."""
    base_url: str | None = None
    """https, or this machine. None: OpenAI's own."""
    api_key: SecretStr | None = None
    api: Literal["auto", "chat", "responses"] = "auto"
    """auto: for openai by the model's name, else chat."""
    temperature: float | None = Field(default=0, ge=0, le=2)
    """Not sent to models that refuse it (o1, o3, gpt-5, ...)."""
    max_output_tokens: int = Field(default=1200, ge=16, le=32_000)
    timeout_s: float = Field(default=60, gt=0, le=600)
    """One request with all that is repeated of it."""
    connect_s: float = Field(default=5, gt=0, le=60)
    first_token_s: float = Field(default=20, gt=0, le=600)
    between_tokens_s: float = Field(default=10, gt=0, le=600)
    retries: int = Field(default=2, ge=0, le=5)
    azure_endpoint: str | None = None
    """https://NAME.openai.azure.com"""
    azure_deployment: str | None = None
    azure_api_version: str | None = None
    """None: Azure's v1 API, which needs none."""
    azure_auth: Literal["key", "entra"] = "key"
    azure_token_command: tuple[str, ...] = (
        "az",
        "account",
        "get-access-token",
        "--resource",
        "https://cognitiveservices.azure.com",
        "--output",
        "json",
    )
    """entra: prints a token, alone or as the Azure CLI's JSON. Run without a shell."""
    azure_token_file: Path | None = None
    """entra: a file that something else keeps fresh; read for every request. Wins over the command."""
    input_usd: float | None = Field(default=None, ge=0, le=10_000)
    """USD a million input tokens. Without both prices, budgets count tokens only."""
    output_usd: float | None = Field(default=None, ge=0, le=10_000)

    @field_validator("base_url", "azure_endpoint", "export_url", check_fields=False)
    @classmethod
    def _encrypted(cls, value: str | None) -> str | None:
        """Keys and questions go there: TLS, or this machine."""
        if value is None:
            return None
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
        if not parts.hostname or not (parts.scheme == "https" or local):
            raise ValueError("has to be an https URL, or http on this machine")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("may hold neither a password nor a query; keys have settings of their own")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _whole(self) -> LlmModel:
        """What the provider needs is there; said when the profile is read, not at the first question."""
        kind = self.kind
        if self.provider is None and kind == "offline" and (self.base_url or self.azure_endpoint):
            raise ValueError("provider: say which it is, e.g. compatible")
        if kind in ("openai", "compatible") and not self.model:
            raise ValueError("model: name the model, e.g. FROSTLINE_LLM__MODEL")
        if kind == "openai" and self.api_key is None:
            raise ValueError("api_key: openai needs a key (FROSTLINE_LLM__API_KEY or OPENAI_API_KEY)")
        if kind == "compatible" and self.base_url is None:
            raise ValueError("base_url: a compatible server has to be named, e.g. http://127.0.0.1:11434/v1")
        if kind == "azure":
            self._whole_azure()
        return self

    def _whole_azure(self) -> None:
        if self.azure_endpoint is None or not (self.azure_deployment or self.model):
            raise ValueError("azure_endpoint: azure needs azure_endpoint and azure_deployment")
        if self.azure_auth == "key" and self.api_key is None:
            raise ValueError("api_key: azure needs a key (FROSTLINE_LLM__API_KEY or AZURE_OPENAI_API_KEY)")
        if self.azure_auth == "entra" and not (self.azure_token_file or self.azure_token_command):
            raise ValueError("azure_token_command: entra needs a command or a file that gives a token")

    @property
    def kind(self) -> Provider:
        """The provider, worked out."""
        return self.provider or ("openai" if self.api_key and self.model else "offline")

    @property
    def label(self) -> str:
        """For people, logs and traces: provider and model."""
        return f"{self.kind}/{self.model or self.azure_deployment or '-'}"

    @property
    def url(self) -> str:
        """Where requests go."""
        if self.kind == "azure":
            return f"{self.azure_endpoint}/openai" + ("" if self.azure_api_version else "/v1")
        return self.base_url or OPENAI_URL

    @property
    def local(self) -> bool:
        """Whether that is this machine."""
        return urlsplit(self.url).hostname in _THIS_MACHINE


class LlmSettings(LlmModel):
    question_tokens: int = Field(default=40_000, ge=1)
    """Input and output of all requests of one question."""
    question_usd: float = Field(default=0.50, gt=0)
    day_tokens: int = Field(default=2_000_000, ge=1)
    """A day is UTC's; all processes on one store count together."""
    day_usd: float = Field(default=20, gt=0)
    mask_users: bool = True
    mask_objects: bool = False
    """Names of warehouses, databases, ... leave as placeholders, too."""
    secondary: LlmModel | None = None
    export: Literal["none", "langsmith", "otlp"] = "none"
    """Where traces go besides the store."""
    export_url: str | None = None
    """otlp: the collector by gRPC, https or this machine; None: http://127.0.0.1:4317. langsmith: None is its own."""
    export_key: SecretStr | None = None
    """langsmith's key; for otlp a value of the header `authorization`."""

    @model_validator(mode="after")
    def _offline_means_offline(self) -> LlmSettings:
        """A forbidden provider is not let in through the second door."""
        if self.kind == "offline" and self.secondary is not None and self.secondary.kind != "offline":
            raise ValueError("secondary: without a first model (provider = offline) there is no second one")
        if self.secondary is not None and self.secondary.provider is None and self.secondary.kind == "offline":
            raise ValueError("secondary: it needs a provider, or a model and a key")
        return self

    @property
    def models(self) -> tuple[LlmModel, ...]:
        """Those to be asked, in order; empty: offline."""
        given = (self, self.secondary) if self.secondary else (self,)
        return tuple(one for one in given if one.kind != "offline")
