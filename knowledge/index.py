"""The index on disk: generations made aside and put in place by one atomic step.

    <folder>/current               JSON: which generation counts, what was seen when it was made, warnings
    <folder>/lock                  held while a generation is made: of two builders the second finds the work done
    <folder>/<digest>/entries.jsonl
    <folder>/<digest>/chroma/      vectors, unless they are kept on a server

A generation is named by the digest of what is in it (entries, embedding, chunking), so it never changes, and two
builders of one state make the same. Processes that have an older one open see `current` change and open the new.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.embedding import Embedding, Vector
from knowledge.files import Found, look
from knowledge.ingest import CHUNKING, entries_of
from knowledge.model import Entry, KnowledgeError, Progress

if TYPE_CHECKING:
    from knowledge.vectors import VectorStore

__all__ = ["Index", "Server", "State"]

_FORMAT = 1
"""Of the files in a generation."""


@dataclass(frozen=True)
class Server:
    """A Chroma server that keeps the vectors instead of the folder."""

    url: str
    token: str | None = None


@dataclass(frozen=True)
class State:
    """What `current` holds."""

    generation: str
    seen: str
    """Digest of names, sizes and times of all pages, and of the settings: unchanged means nothing to do."""
    entries: int
    vectors: bool
    warnings: tuple[str, ...] = ()


class Index:
    """The folder of generations for one set of pages.

    Raises (all methods):
        KnowledgeError: the folder cannot be used.
        BadPractice: one of Frostline's own pages is broken.
    """

    def __init__(
        self, place: Path, ours: Path, folders: Sequence[Path], embedding: Embedding | None, server: Server | None
    ) -> None:
        self._place, self._ours, self._folders = place, ours, tuple(folders)
        self.embedding, self._server = embedding, server

    def state(self) -> State | None:
        """What counts now; None where nothing was made yet, or what is there is not ours to read."""
        try:
            stored = json.loads((self._place / "current").read_text(encoding="utf-8"))
            state = State(**{**stored, "warnings": tuple(stored["warnings"])})
            return state if re.fullmatch(r"\w+-\w+", state.generation) else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def refresh(self, progress: Progress | None = None, *, force: bool = False) -> State:
        """Bring the index up to the pages; cheap where nothing has changed."""
        found, warnings, seen = self._look()
        state = self.state()
        if not force and state is not None and state.seen == seen and self._whole(state.generation):
            return state
        with self._locked():
            state = self.state()
            if not force and state is not None and state.seen == seen and self._whole(state.generation):
                return state
            return self._make(found, warnings, seen, state, progress or _silent, force)

    def entries(self, generation: str) -> list[Entry]:
        try:
            lines = (self._place / generation / "entries.jsonl").read_text(encoding="utf-8").splitlines()
            return [Entry.of(json.loads(line)) for line in lines]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise KnowledgeError(
                "The index of the knowledge base cannot be read.", hint="Make it anew: frostline knowledge index"
            ) from error

    def vectors(self, generation: str) -> VectorStore:
        """The vectors of a generation; there have to be some (State.vectors)."""
        return self._store(self._place / generation, generation)

    # --- making one ----------------------------------------------------------------------------------------------

    def _look(self) -> tuple[list[Found], list[str], str]:
        found, warnings = look(self._ours)
        if warnings:
            raise KnowledgeError(f"Frostline's own practices cannot be read: {warnings[0]}")
        found = [page for page in found if page.path.name.lower() != "readme.md"]
        for folder in self._folders:
            theirs, left_out = look(folder)
            found += theirs
            warnings += left_out
        pages = [(str(f.path), f.size, f.mtime_ns) for f in found]
        server = self._server.url if self._server else None
        seen = _digest([_FORMAT, CHUNKING, self._embedding_key(), server, pages, warnings])
        return found, warnings, seen

    def _make(
        self,
        found: list[Found],
        warnings: list[str],
        seen: str,
        before: State | None,
        progress: Progress,
        force: bool,
    ) -> State:
        progress(0.0, "reading pages")
        entries, left_out = entries_of(found, self._ours)
        warnings = [*warnings, *left_out]
        vectors: dict[str, Vector] | None = None
        if self.embedding is not None:
            try:
                vectors = self._embedded(entries, before, progress)
            except KnowledgeError as error:
                warnings.append(f"{error.message} Search goes by words alone.")
        name = self._name(entries, vectors is not None)
        if force or not self._whole(name):
            try:
                self._build(name, entries, vectors)
            except KnowledgeError as error:
                if vectors is None:
                    raise
                warnings.append(f"{error.message} Search goes by words alone.")
                vectors, name = None, self._name(entries, False)
                self._build(name, entries, None)
        # Without the vectors that it should have, what was seen does not count: the next start tries again.
        complete = vectors is not None or self.embedding is None
        state = State(name, seen if complete else f"words-{seen}", len(entries), vectors is not None, tuple(warnings))
        self._point_to(state)
        self._prune({name, before.generation if before else name})
        progress(1.0, f"{len(entries)} entries")
        return state

    def _embedded(self, entries: list[Entry], before: State | None, progress: Progress) -> dict[str, Vector]:
        """A vector for each view; those of the generation before are taken over."""
        assert self.embedding is not None
        known = self._known(before)
        wanted = list(dict.fromkeys(view for entry in entries for view in entry.views))
        vectors = {view: known[view] for view in wanted if view in known}
        missing = [view for view in wanted if view not in known]
        step = 64 if self.embedding.name.startswith("openai:") else 4
        for start in range(0, len(missing), step):
            part = missing[start : start + step]
            vectors.update(zip(part, self.embedding.embed(part), strict=True))
            progress((start + len(part)) / len(missing), f"{start + len(part)} of {len(missing)} passages")
        return vectors

    def _known(self, before: State | None) -> dict[str, Vector]:
        if before is None or not before.vectors or not before.generation.startswith(self._prefix(True)):
            return {}
        if not self._whole(before.generation):
            return {}
        try:
            store = self.vectors(before.generation)
            try:
                return store.vectors()
            finally:
                store.close()
        except KnowledgeError:
            return {}  # it is made anew, at the cost of time alone

    def _build(self, name: str, entries: list[Entry], vectors: dict[str, Vector] | None) -> None:
        aside = Path(tempfile.mkdtemp(prefix="building-", dir=self._place))
        try:
            lines = [json.dumps(asdict(entry), ensure_ascii=False) for entry in entries]
            (aside / "entries.jsonl").write_text("\n".join(lines), encoding="utf-8")
            if vectors is not None:
                store = self._store(aside, name)
                try:
                    store.fill(entries, vectors)
                finally:
                    store.close()
            (aside / "whole").touch()
            shutil.rmtree(self._place / name, ignore_errors=True)
            with suppress(FileExistsError):  # made by another builder, where the lock does not reach
                aside.rename(self._place / name)
        except OSError as error:
            if isinstance(error, FileNotFoundError) or not self._whole(name):
                raise _unusable(self._place, error) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _store(self, folder: Path, generation: str) -> VectorStore:
        from knowledge.vectors import VectorStore

        assert self.embedding is not None
        if self._server is None:
            return VectorStore.in_folder(folder / "chroma", self.embedding)
        return VectorStore.on_server(self._server.url, self._server.token, self.embedding, f"frostline-{generation}")

    # --- names and places ----------------------------------------------------------------------------------------

    def _embedding_key(self) -> str:
        return f"{self.embedding.name} {self.embedding.digest}" if self.embedding else "none"

    def _prefix(self, vectors: bool) -> str:
        """Generations of one embedding begin alike."""
        return _digest([self._embedding_key(), self._server.url if self._server else None])[:8] if vectors else "words"

    def _name(self, entries: list[Entry], vectors: bool) -> str:
        content = [_FORMAT, CHUNKING, *(entry.digest() for entry in entries)]
        return f"{self._prefix(vectors)}-{_digest(content)[:24]}"

    def _whole(self, generation: str) -> bool:
        return (self._place / generation / "whole").is_file()

    def _point_to(self, state: State) -> None:
        descriptor, aside = tempfile.mkstemp(prefix="current-", dir=self._place)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self._place / "current")

    def _prune(self, kept: set[str]) -> None:
        """What nobody needs any more; the generation before stays for those who have it open."""
        for folder in self._place.iterdir():
            if folder.is_dir() and folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = open(self._place / "lock", "a", encoding="utf-8")  # noqa: SIM115 - closed below
        except OSError as error:
            raise _unusable(self._place, error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _unusable(place: Path, error: OSError) -> KnowledgeError:
    return KnowledgeError(
        f"The knowledge base's folder cannot be used ({error.strerror or type(error).__name__}).", hint=str(place)
    )


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _silent(done: float, text: str) -> None:
    return None
