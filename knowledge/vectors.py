"""The only place that speaks to Chroma: one collection of vectors an index, embedded or on a server.

The embedding function is always passed and registered: Chroma's default would fetch a model when it is first used.
Imported only where a search or an index needs it: the import alone costs a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
from chromadb.api.types import Documents, EmbeddingFunction, Embeddings
from chromadb.config import Settings
from chromadb.errors import ChromaError
from chromadb.utils.embedding_functions import register_embedding_function

from knowledge.embedding import Embedding, Vector
from knowledge.model import Entry, KnowledgeError, Where

__all__ = ["VectorStore", "where_clause"]

_IN_USE: dict[str, Embedding] = {}
"""Embeddings of this process by name and digest, for collections that Chroma opens by their stored configuration."""
_BATCH = 500
_ABOUT = {"hnsw": {"space": "cosine", "ef_search": 200}}


@register_embedding_function
class FrostlineEmbedding(EmbeddingFunction[Documents]):  # type: ignore[misc] # chromadb is not typed for us
    """Our embedding as Chroma knows it: its configuration names the model and its digest, never a key."""

    def __init__(self, embedding: Embedding) -> None:
        self._embedding = embedding
        _IN_USE[_key(embedding.name, embedding.digest)] = embedding

    def __call__(self, input: Documents) -> Embeddings:
        import numpy as np

        return [np.array(vector, dtype=np.float32) for vector in self._embedding.embed(list(input))]

    @staticmethod
    def name() -> str:
        return "frostline"

    def get_config(self) -> dict[str, Any]:
        return {"model": self._embedding.name, "digest": self._embedding.digest}

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> FrostlineEmbedding:
        """
        Raises:
            ValueError: this process has no such embedding.
        """
        embedding = _IN_USE.get(_key(str(config.get("model")), str(config.get("digest"))))
        if embedding is None:
            raise ValueError(f"The embedding {config.get('model')!r} is not in use here.")
        return FrostlineEmbedding(embedding)

    def default_space(self) -> str:
        return "cosine"

    def supported_spaces(self) -> list[str]:
        return ["cosine"]


def _key(name: str, digest: str) -> str:
    return f"{name}\n{digest}"


class VectorStore:
    """Vectors of the views of entries, in a folder or on a server. Close it: an open folder keeps files open.

    Raises (all methods):
        KnowledgeError: Chroma refuses, or its server does not answer.
    """

    def __init__(self, client: Any, embedding: Embedding, collection: str) -> None:
        self._client, self._function, self._name = client, FrostlineEmbedding(embedding), collection
        self._collection: Any = None

    @classmethod
    def in_folder(cls, folder: Path, embedding: Embedding) -> VectorStore:
        with _told("The index of the knowledge base cannot be opened"):
            client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
        return cls(client, embedding, "pages")

    @classmethod
    def on_server(cls, url: str, token: str | None, embedding: Embedding, collection: str) -> VectorStore:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        with _told(f"The Chroma server at {parts.hostname} does not answer"):
            client = chromadb.HttpClient(
                host=parts.hostname or "",
                port=parts.port or (443 if secure else 80),
                ssl=secure,
                headers={"Authorization": f"Bearer {token}"} if token else None,
                settings=Settings(anonymized_telemetry=False),
            )
        return cls(client, embedding, collection)

    def count(self) -> int:
        """Vectors in the collection; 0 where there is none."""
        with _told("The index of the knowledge base cannot be read"):
            if self._name not in {collection.name for collection in self._client.list_collections()}:
                return 0
            return int(self._opened().count())

    def fill(self, entries: Sequence[Entry], vectors: Mapping[str, Vector]) -> None:
        """Make the collection anew; `vectors` by view."""
        rows = [(n, v, entry) for n, entry in enumerate(entries) for v in range(len(entry.views))]
        with _told("The index of the knowledge base cannot be written"):
            self.drop()
            self._collection = self._client.create_collection(
                self._name, embedding_function=self._function, configuration=_ABOUT
            )
            for start in range(0, len(rows), _BATCH):
                part = rows[start : start + _BATCH]
                self._collection.add(
                    ids=[f"{n}.{v}" for n, v, _ in part],
                    embeddings=[vectors[entry.views[v]] for _, v, entry in part],
                    documents=[entry.views[v] for _, v, entry in part],
                    metadatas=[_metadata(n, entry) for n, _, entry in part],
                )

    def vectors(self) -> dict[str, Vector]:
        """What is stored, by view: an index that is made anew takes from it what has not changed."""
        with _told("The index of the knowledge base cannot be read"):
            if not self.count():
                return {}
            kept = self._opened().get(include=["embeddings", "documents"])
        return {
            text: list(map(float, vector)) for text, vector in zip(kept["documents"], kept["embeddings"], strict=True)
        }

    def nearest(self, text: str, many: int, where: Where | None = None) -> list[tuple[int, float]]:
        """Places of the nearest entries with their cosine, best first, each once."""
        with _told("The index of the knowledge base cannot be searched"):
            answer = self._opened().query(
                query_texts=[text], n_results=many, where=where_clause(where), include=["metadatas", "distances"]
            )
        best: dict[int, float] = {}
        for about, distance in zip(answer["metadatas"][0], answer["distances"][0], strict=True):
            best.setdefault(int(about["place"]), 1.0 - float(distance))
        return sorted(best.items(), key=lambda hit: (-hit[1], hit[0]))

    def drop(self) -> None:
        """Remove the collection if it is there."""
        if self._name in {collection.name for collection in self._client.list_collections()}:
            self._client.delete_collection(self._name)
        self._collection = None

    def close(self) -> None:
        self._collection = None
        holders = (self._client, getattr(self._client, "_admin_client", None))
        sessions = [getattr(getattr(holder, "_server", None), "_session", None) for holder in holders]
        self._client.close()
        for session in sessions:  # of a server's client: Chroma leaves their connections open
            if session is not None:
                session.close()

    def _opened(self) -> Any:
        if self._collection is None:
            self._collection = self._client.get_collection(self._name, embedding_function=self._function)
        return self._collection


def _metadata(place: int, entry: Entry) -> dict[str, Any]:
    topics = {f"to {topic}": True for topic in entry.applies_to}
    return {"place": place, "origin": entry.origin, "severity": entry.severity, **topics}


def where_clause(where: Where | None) -> dict[str, Any] | None:
    """Chroma's filter; None for none."""
    parts: list[dict[str, Any]] = []
    for name, wanted in (where or {}).items():
        values = [wanted] if isinstance(wanted, str) else list(wanted)
        if name == "applies_to":
            any_of: list[dict[str, Any]] = [{f"to {value}": True} for value in values]
            parts.append(any_of[0] if len(any_of) == 1 else {"$or": any_of})
        else:
            parts.append({name: {"$in": values}})
    return None if not parts else parts[0] if len(parts) == 1 else {"$and": parts}


class _told:
    """What Chroma and its transport raise, as one error with our words."""

    def __init__(self, message: str) -> None:
        self._message = message

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        import httpx

        # AttributeError: where Chroma cannot open a damaged file, its own cleaning up fails so.
        known = (ChromaError, httpx.HTTPError, ValueError, OSError, RuntimeError, AttributeError)
        if isinstance(error, known):
            raise KnowledgeError(f"{self._message} ({type(error).__name__}).") from error
