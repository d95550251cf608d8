"""The knowledge base as the tools see it: opened at the first search, its errors in the tree of tools.errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agent.settings import Settings
from tools.errors import BadSettings, Bug

if TYPE_CHECKING:
    from knowledge.embedding import Embedding, Vector
    from knowledge.search import Library

__all__ = ["LazyLibrary", "open_library"]


class LazyLibrary:
    """Implements `tools.context.Retriever`. Before the first search nothing is opened, and Chroma is not imported."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._library: Library | None = None

    @property
    def library(self) -> Library:
        """
        Raises:
            BadSettings: the settings of [knowledge] do not go together.
        """
        with self._lock:
            if self._library is None:
                self._library = open_library(self._settings)
            return self._library

    def search(
        self, text: str, k: int = 5, *, where: Mapping[str, str | Sequence[str]] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        with in_our_tree():
            return [passage.as_json() for passage in self.library.search(text, k, where=where)]

    def notes(self) -> tuple[str, ...]:
        return self.library.warnings

    def close(self) -> None:
        with self._lock:
            if self._library is not None:
                self._library.close()
            self._library = None


@contextmanager
def in_our_tree() -> Iterator[None]:
    """Errors of the knowledge package as errors of ours: it stands below tools and cannot raise those itself."""
    from knowledge.model import KnowledgeError
    from knowledge.practices import BadPractice

    try:
        yield
    except KnowledgeError as error:
        raise BadSettings(error.message, hint=error.hint) from error
    except BadPractice as error:
        raise Bug(f"One of Frostline's own practices is broken: {error}") from error


def open_library(settings: Settings) -> Library:
    """The library of a profile; nothing is read before it is asked.

    Raises:
        BadSettings: embeddings of a provider without a key, or where the profile forbids providers.
    """
    from knowledge.index import Server
    from knowledge.search import Library

    given = settings.knowledge
    token = given.token.get_secret_value() if given.token else None
    return Library.open(
        settings.state_dir / "knowledge",
        given.folders,
        embedding=_embedding(settings),
        server=Server(given.url, token) if given.url else None,
        min_score=given.min_score,
    )


def _embedding(settings: Settings) -> Callable[[], Embedding] | None:
    from knowledge.embedding import MiniLm, OpenAiEmbedding

    given = settings.knowledge
    if given.embeddings == "none":
        return None
    if given.embeddings == "local":
        return MiniLm
    if settings.llm.provider == "offline":
        raise BadSettings(
            'knowledge.embeddings: "openai" sends text out, and llm.provider = "offline" forbids that.',
            hint='Set knowledge.embeddings = "local".',
        )
    key = given.api_key or settings.llm.api_key
    if key is None:
        raise BadSettings(
            'knowledge.embeddings: "openai" needs a key.', hint="FROSTLINE_KNOWLEDGE__API_KEY or OPENAI_API_KEY."
        )
    secret = key.get_secret_value()
    return lambda: _Masked(OpenAiEmbedding(given.embeddings_model, secret, given.base_url), settings)


class _Masked:
    """What leaves for a provider is masked as the models' questions are; each text alone, so that it stays the same."""

    def __init__(self, inner: Embedding, settings: Settings) -> None:
        self._inner = inner
        self._hide = {"users": settings.llm.mask_users, "objects": settings.llm.mask_objects}
        self.name, self.min_score = inner.name, inner.min_score
        self.digest = f"{inner.digest}-masked"

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        from agent.models.masking import Mask

        return self._inner.embed([Mask(**self._hide).hide(text) for text in texts])

    def close(self) -> None:
        self._inner.close()
