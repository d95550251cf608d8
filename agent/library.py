"""The knowledge base as the tools see it: opened at the first search, its errors in the tree of tools.errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from agent.settings import Settings
from tools.errors import BadSettings, Bug, FrostlineError

if TYPE_CHECKING:
    from agent.models.masking import Mask
    from knowledge.embedding import Embedding, Vector
    from knowledge.search import Library

__all__ = ["LazyLibrary", "Names", "open_library"]

Names = Callable[[Sequence[str]], Mapping[str, Iterable[str]]]
"""Kinds of names that are to be hidden (USER, WAREHOUSE, ...) -> the account's names of each."""
_KINDS = ("USER", "WAREHOUSE", "DATABASE", "ROLE", "TAG")


class LazyLibrary:
    """Implements `tools.context.Retriever`. Before the first search nothing is opened, and Chroma is not imported."""

    def __init__(self, settings: Settings, names: Names | None = None) -> None:
        """`names`: names of the account by kind, as a Mask learns them, for what is sent to a provider."""
        self._settings, self._names = settings, names
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
                self._library = open_library(self._settings, self._names)
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


def open_library(settings: Settings, names: Names | None = None) -> Library:
    """The library of a profile; nothing is read before it is asked. `names`: see LazyLibrary.

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
        embedding=_embedding(settings, names),
        server=Server(given.url, token) if given.url else None,
        min_score=given.min_score,
    )


def _embedding(settings: Settings, names: Names | None) -> Callable[[], Embedding] | None:
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
    key, base_url = (given.api_key, given.base_url) if given.api_key else _as_the_models(settings)
    if key is None:
        raise BadSettings(
            'knowledge.embeddings: "openai" needs a key.', hint="FROSTLINE_KNOWLEDGE__API_KEY or OPENAI_API_KEY."
        )
    secret = key.get_secret_value()
    return lambda: _Masked(OpenAiEmbedding(given.embeddings_model, secret, base_url), settings, names)


def _as_the_models(settings: Settings) -> tuple[SecretStr | None, str | None]:
    """Key and address of [llm], where embeddings are asked for at the same place: nobody else is to see that key."""
    one, wanted = settings.llm, settings.knowledge.base_url
    there = wanted == one.base_url or (wanted is None and one.kind in ("openai", "offline"))
    return (one.api_key, one.base_url) if there and one.kind != "azure" else (None, None)


class _Masked:
    """What leaves for a provider is masked as the models' questions are; each text alone, so that it stays the same."""

    def __init__(self, inner: Embedding, settings: Settings, names: Names | None) -> None:
        self._inner, self._names = inner, names
        self._hide = {"users": settings.llm.mask_users, "objects": settings.llm.mask_objects}
        self.name, self.min_score = inner.name, inner.min_score
        self.digest = f"{inner.digest}-masked"

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        known = self._known()
        return self._inner.embed([self._mask(known).hide(text) for text in texts])

    def _known(self) -> Mapping[str, Iterable[str]]:
        """
        Raises:
            KnowledgeError: they cannot be read now; nothing is sent unmasked for that.
        """
        from knowledge.model import KnowledgeError

        mask = self._mask({})
        hidden = [kind for kind in _KINDS if mask.hides(kind)]
        if self._names is None or not hidden:
            return {}
        try:
            return self._names(hidden)
        except FrostlineError as error:
            raise KnowledgeError("The names to be masked cannot be read, so nothing is sent.") from error

    def _mask(self, known: Mapping[str, Iterable[str]]) -> Mask:
        from agent.models.masking import Mask

        mask = Mask(**self._hide)
        for kind, names in known.items():
            mask.learn(kind, names)
        return mask

    def close(self) -> None:
        self._inner.close()
