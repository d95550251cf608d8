"""The knowledge base of a profile: `[knowledge]`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

__all__ = ["KnowledgeSettings"]


class KnowledgeSettings(BaseModel):
    """docs/knowledge.md has examples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folders: Annotated[tuple[Path, ...], NoDecode] = ()
    """People's own runbooks and policies (.md, .txt). In the environment: paths with ':' between, or a JSON list."""
    url: str | None = None
    """A Chroma server for the vectors; None: in the profile's state folder."""
    token: SecretStr | None = None
    """Sent to that server as a bearer token."""
    min_score: float | None = Field(default=None, ge=0, le=1)
    """Below it a passage is not shown; None: what suits the embedding."""
    embeddings: Literal["local", "openai", "none"] = "local"
    """local: a small model on this machine. openai: pages and questions go to that endpoint. none: words alone."""
    embeddings_model: str = "text-embedding-3-small"
    base_url: str | None = None
    """openai: another endpoint of that shape; https, or this machine."""
    api_key: SecretStr | None = None
    """openai: None takes the key of [llm]."""

    @field_validator("folders", mode="before")
    @classmethod
    def _paths(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return json.loads(value) if value.lstrip().startswith("[") else [p for p in value.split(os.pathsep) if p]

    @field_validator("folders")
    @classmethod
    def _absolute(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        folders = tuple(path.expanduser() for path in value)
        if not all(path.is_absolute() for path in folders):
            raise ValueError("each folder has to be an absolute path")
        return folders

    @field_validator("url", "base_url")
    @classmethod
    def _encrypted(cls, value: str | None) -> str | None:
        """Pages, questions and keys go there: TLS, or this machine."""
        if value is None:
            return None
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or not (parts.scheme == "https" or local):
            raise ValueError("has to be an https URL, or http on this machine")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("may hold neither a password nor a query")
        return value.rstrip("/")
