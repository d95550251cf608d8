"""The embedded account as a whole: build it once, rebuild it, swap in an imported one, describe it.

A build happens in a folder beside the account and takes its place by renaming, under a file lock: two processes
that start at once build one account, a failed build leaves the old account as it was, and what a killed process
left behind is cleared by the next one. Cheap to import: the engine and the generator are loaded when something
is built.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.demo.account_file import REBUILD, AccountSettings, iso, not_yours, settings
from tools.errors import Bug, Unreachable

__all__ = [
    "DEFAULT_SEED",
    "AccountInfo",
    "Progress",
    "change_in_place",
    "ensure_account",
    "held",
    "info",
    "replace_account",
    "reset",
]

Progress = Callable[[float, str], None]
DEFAULT_SEED = 7


@dataclass(frozen=True)
class AccountInfo:
    settings: AccountSettings
    folder: Path
    built: bool
    """Whether this call built it."""


def info(account_dir: Path, warehouses: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The object that `account info --json` prints.

    Works while a server holds the database: views come from the summary written when the account was built
    (what is visible at its `now`); the caller passes SHOW WAREHOUSES.

    Raises:
        Unreachable: there is no account in the folder.
    """
    about = asdict(settings(account_dir))
    try:
        views = json.loads((account_dir / "views.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        raise Unreachable(f"{account_dir / 'views.json'} is missing or damaged.", hint=REBUILD) from None
    about["now"] = iso(about["now"])
    keep = ("name", "origin", "now", "timezone", "edition", "credit_price")
    return {key: about[key] for key in keep} | {"warehouses": [dict(w) for w in warehouses], "views": views["views"]}


# --- building ----------------------------------------------------------------------------------------------------


def ensure_account(account_dir: Path, *, seed: int = DEFAULT_SEED, progress: Progress | None = None) -> AccountInfo:
    """The account, built from the demo generator if there is none yet (under a minute); never rebuilt.

    Safe with several processes at once (the others wait for the one that builds) and after a kill -9.
    """
    if not _exists(account_dir):
        with _turn(account_dir):
            if not _exists(account_dir):
                _build_demo(account_dir, seed, progress, None)
                return AccountInfo(settings(account_dir), account_dir, True)
    return AccountInfo(settings(account_dir), account_dir, False)


def reset(
    account_dir: Path,
    *,
    seed: int = DEFAULT_SEED,
    queries: int | None = None,
    progress: Progress | None = None,
    before_swap: Callable[[], None] | None = None,
) -> AccountInfo:
    """Build the demo account anew and put it in the place of whatever account stands there.

    `queries` asks for about that many statements in its history (for benchmarks); None is the usual account.
    `before_swap` is called when the new account is ready and before it takes its place: the caller stops the
    server there. The old account serves until then.
    """
    with _turn(account_dir):
        _build_demo(account_dir, seed, progress, before_swap, queries)
    return AccountInfo(settings(account_dir), account_dir, True)


def _build_demo(
    account_dir: Path,
    seed: int,
    progress: Progress | None,
    before_swap: Callable[[], None] | None,
    queries: int | None = None,
) -> None:
    from tools.demo.build import build_demo

    _swap(account_dir, lambda folder: build_demo(folder, seed=seed, queries=queries, progress=progress), before_swap)


def replace_account(
    account_dir: Path, build: Callable[[Path], None], before_swap: Callable[[], None] | None = None
) -> None:
    """Run `build` on an empty folder; when it returns, that folder becomes the account.

    Whatever it raises passes through, and the old account stays as it was.
    """
    with _turn(account_dir):
        _swap(account_dir, build, before_swap)


def change_in_place(account_dir: Path, build: Callable[[Path], None]) -> None:
    """Like `replace_account`, of an account that must be there: `build` makes the folder out of what it is now.

    Raises:
        Unreachable: there is no account in the folder (any more).
    """
    with _turn(account_dir):
        settings(account_dir)
        _swap(account_dir, build, None)


# --- swapping ----------------------------------------------------------------------------------------------------


def _exists(account_dir: Path) -> bool:
    try:
        return (account_dir / "account.toml").is_file()
    except PermissionError:
        raise not_yours(account_dir) from None


@contextmanager
def held(account_dir: Path) -> Iterator[None]:
    """Nobody builds, imports or swaps the account meanwhile; whoever wants to waits.

    Raises:
        Unreachable: the folder is somebody else's.
    """
    with _turn(account_dir):
        yield


@contextmanager
def _turn(account_dir: Path) -> Iterator[None]:
    """One process at a time; the lock goes with its process, however that ends."""
    account_dir.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(_beside(account_dir, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise not_yours(account_dir) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _recover(account_dir)
        yield
    finally:
        os.close(descriptor)


def _beside(account_dir: Path, what: str) -> Path:
    return account_dir.with_name(f".{account_dir.name}.{what}")


def _recover(account_dir: Path) -> None:
    """Finish or clear what a killed process left; the lock is ours, so nobody is at work in there."""
    old, new = _beside(account_dir, "old"), _beside(account_dir, "new")
    if not _exists(account_dir):
        # Killed between the two renames: the new account is whole, or the old one must come back.
        for candidate in (new, old):
            if _exists(candidate):
                shutil.rmtree(account_dir, ignore_errors=True)
                candidate.rename(account_dir)
                break
    for leftover in (old, new, _beside(account_dir, "build")):
        shutil.rmtree(leftover, ignore_errors=True)


def _for_its_owner_alone(folder: Path) -> None:
    """Whatever the umask was: an account is nobody else's business on this machine."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _swap(account_dir: Path, build: Callable[[Path], None], before_swap: Callable[[], None] | None) -> None:
    work, new, old = (_beside(account_dir, what) for what in ("build", "new", "old"))
    work.mkdir(mode=0o700)
    try:
        build(work)
        if not _exists(work):
            raise Bug("a build ended without account.toml")
        _for_its_owner_alone(work)
        if before_swap is not None:
            before_swap()
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    os.replace(work, new)
    if account_dir.exists():
        os.replace(account_dir, old)
    os.replace(new, account_dir)
    shutil.rmtree(old, ignore_errors=True)
