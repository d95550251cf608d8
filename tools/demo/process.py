"""Start, find and stop the background server of one embedded account.

Everything lives in the account's own folder, so two people (or two accounts) on one machine never meet:
`server.lock` is held by the server for life (its text is the pid), `server.json` says where it listens,
`*.secret` are the passwords. This module is imported by every command: it must stay cheap, and a call on a
running server costs one loopback round trip.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tools.errors import Unreachable

if TYPE_CHECKING:
    from tools.warehouse.config import ConnectionConfig

__all__ = [
    "ALREADY_RUNNING",
    "Endpoint",
    "embedded_config",
    "ensure_server",
    "probe_mac",
    "running_server",
    "stop_server",
    "try_lock",
]

HOST = "127.0.0.1"
ALREADY_RUNNING = 75
"""Exit code of the server's launcher when another server holds the account."""
_PROBE_SECONDS = 2.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Endpoint:
    """Where the account's server listens, and the passwords of its two identities."""

    host: str
    port: int
    reader_secret: str = field(repr=False)
    operator_secret: str = field(repr=False)


def ensure_server(account_dir: Path, *, idle_seconds: int = 900, timeout: float = 60) -> Endpoint:
    """The running server of this account, started in the background if there is none.

    Safe to call from several processes at once (one server is started) and after a crash (a stale
    server.json is not believed). The server outlives the caller and stops itself after `idle_seconds`
    without a request.

    Raises:
        Unreachable: there is no account in the folder, or the server did not come up in `timeout` seconds.
    """
    account_dir = account_dir.resolve()
    try:
        return _ensure(account_dir, idle_seconds, timeout)
    except PermissionError as error:
        raise Unreachable(
            f"The account in {account_dir} is somebody else's.", hint="Set FROSTLINE_HOME to a folder of your own."
        ) from error


def _ensure(account_dir: Path, idle_seconds: int, timeout: float) -> Endpoint:
    if found := running_server(account_dir):
        return found
    if not (account_dir / "account.toml").is_file():
        raise Unreachable(f"There is no account in {account_dir}.", hint="Create it first: frostline account reset")
    deadline = time.monotonic() + timeout
    _private_folder(account_dir)
    with _start_turn(account_dir, deadline):
        _ensure_secrets(account_dir)
        while time.monotonic() < deadline:
            launched = _lock_is_free(account_dir) and _launch(account_dir, idle_seconds)
            if found := _wait_for_answer(account_dir, deadline):
                return found
            if launched and _lock_is_free(account_dir):
                raise _not_up(account_dir, "stopped while starting")
    raise _not_up(account_dir, f"did not answer within {timeout:.0f} s")


def embedded_config(
    account_dir: Path, identity: Literal["reader", "operator"], *, idle_seconds: int = 900
) -> ConnectionConfig:
    """How the gateway signs in to the account as one of its two identities; starts the server if it does not run.

    Raises:
        Unreachable: as `ensure_server`.
    """
    from tools.warehouse.config import ConnectionConfig

    endpoint = ensure_server(account_dir, idle_seconds=idle_seconds)
    return ConnectionConfig.of(
        account="embedded",
        user=f"FROSTLINE_{identity.upper()}",
        role=f"COST_{identity.upper()}",
        password=endpoint.reader_secret if identity == "reader" else endpoint.operator_secret,
        host=endpoint.host,
        port=endpoint.port,
        protocol="http",
        # Signing in takes no time on loopback; a read has its answer in one piece, so its line may be silent for long.
        login_timeout=10,
        network_timeout=60,
    )


def running_server(account_dir: Path) -> Endpoint | None:
    """The server that answers for this account now, or None; never starts one, never sends a secret."""
    try:
        port = int(json.loads((account_dir / "server.json").read_text())["port"])
        endpoint = Endpoint(HOST, port, _secret(account_dir, "reader"), _secret(account_dir, "operator"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return endpoint if _answers(endpoint) else None


def stop_server(account_dir: Path, timeout: float = 5) -> bool:
    """Stop the account's server: SIGTERM, then SIGKILL after `timeout` seconds. False if none was running.

    Raises:
        Unreachable: it could not be stopped.
    """
    account_dir = account_dir.resolve()
    pid = _holder(account_dir)
    if pid is None:
        return False
    for number, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if _lock_is_free(account_dir):
                return True
            time.sleep(_POLL_SECONDS)
    raise _not_up(account_dir, f"(pid {pid}) could not be stopped")


def probe_mac(secret: str, word: str, nonce: str) -> str:
    """Both sides of the health probe prove that they know the secret without sending it."""
    return hmac.new(secret.encode(), f"{word}:{nonce}".encode(), hashlib.sha256).hexdigest()


def try_lock(path: Path) -> int | None:
    """An open descriptor that holds the lock file exclusively, or None when somebody else does."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


# --- inside ------------------------------------------------------------------------------------------------


def _answers(endpoint: Endpoint) -> bool:
    """Whether the listener proves, by a fresh challenge, that it is this account's server."""
    nonce = secrets.token_hex(16)
    ask = probe_mac(endpoint.reader_secret, "probe", nonce)
    request = (
        f"GET /frostline/health?nonce={nonce}&mac={ask} HTTP/1.1\r\n"
        f"Host: {endpoint.host}:{endpoint.port}\r\nConnection: close\r\n\r\n"
    )
    try:
        with socket.create_connection((endpoint.host, endpoint.port), timeout=_PROBE_SECONDS) as conn:
            conn.sendall(request.encode())
            reply = b""
            while len(reply) < 65_536 and (part := conn.recv(4096)):
                reply += part
    except OSError:
        return False
    # The port is in it: who merely passes the question on to the real server has another one.
    wanted = probe_mac(endpoint.reader_secret, f"alive:{endpoint.port}", nonce)
    return reply.rstrip().endswith(wanted.encode())


def _secret(account_dir: Path, name: str) -> str:
    return (account_dir / f"{name}.secret").read_text().strip()


def _ensure_secrets(account_dir: Path) -> None:
    for name in ("reader", "operator"):
        path = account_dir / f"{name}.secret"
        if path.is_file() and path.stat().st_size:
            continue
        fresh = path.with_suffix(".new")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        fresh.replace(path)


def _private_folder(account_dir: Path) -> None:
    """Nobody else on the machine may read the account."""
    for folder in (account_dir, account_dir / "data"):
        if folder.is_dir() and folder.stat().st_uid == os.getuid():
            folder.chmod(0o700)


@contextlib.contextmanager
def _start_turn(account_dir: Path, deadline: float) -> Iterator[None]:
    """One process at a time may look for and launch a server."""
    path = account_dir / "start.lock"
    while (fd := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise _not_up(account_dir, "is being started by another process and does not come up")
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        os.close(fd)


def _lock_is_free(account_dir: Path) -> bool:
    fd = try_lock(account_dir / "server.lock")
    if fd is None:
        return False
    os.close(fd)
    return True


def _holder(account_dir: Path) -> int | None:
    """Pid of the server that holds the lock; the text is only believed while the lock is held."""
    path = account_dir / "server.lock"
    if not path.exists() or _lock_is_free(account_dir):
        return None
    try:
        return int(path.read_text())
    except ValueError:
        return None


def _launch(account_dir: Path, idle_seconds: int) -> bool:
    """The launcher takes the lock, forks the server into the background and returns. False: another one has it."""
    command = [sys.executable, "-m", "tools.demo.serve", str(account_dir), "--background"]
    log = os.open(account_dir / "server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            [*command, "--idle-seconds", str(idle_seconds)],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=False,
        )
    finally:
        os.close(log)
    if done.returncode not in (0, ALREADY_RUNNING):
        raise _not_up(account_dir, "could not be started")
    return done.returncode == 0


def _wait_for_answer(account_dir: Path, deadline: float) -> Endpoint | None:
    """The server once it answers; None when nobody holds the lock (any more). One that is stopping is waited out."""
    while time.monotonic() < deadline:
        if found := running_server(account_dir):
            return found
        if _lock_is_free(account_dir):
            return None
        time.sleep(_POLL_SECONDS)
    return None


def _not_up(account_dir: Path, what: str) -> Unreachable:
    try:
        lines = (account_dir / "server.log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    hint = f"Its log ends with: {lines[-1][:300]}" if lines else f"See {account_dir / 'server.log'}"
    return Unreachable(f"The server of the account in {account_dir} {what}.", hint=hint)
