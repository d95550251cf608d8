"""The process of the account's server: `python -m tools.demo.serve ACCOUNT_DIR [--idle-seconds N]`.

It holds `server.lock` for life, listens on a random free loopback port, publishes it in `server.json` and
stops on SIGTERM, SIGINT or after N seconds without a request. Nothing heavy is imported before the lock is
held and, with --background, before the fork: the launcher returns in milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.abc
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from tools.demo.process import ALREADY_RUNNING, HOST, try_lock

if TYPE_CHECKING:
    import uvicorn

    from tools.demo.server import DemoServer

_LOCK_PATIENCE = 1.0
_FORCED_EXIT_AFTER = 2.5
_IDLE_CHECK = 0.5


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.demo.serve", description=__doc__.splitlines()[0])
    parser.add_argument("account_dir", type=Path)
    parser.add_argument("--idle-seconds", type=int, default=900)
    parser.add_argument("--background", action="store_true", help="fork and return once the lock is held")
    options = parser.parse_args(argv)
    account_dir = options.account_dir.resolve()
    os.umask(0o077)  # whatever the database makes here is for its owner alone
    lock = _take_lock(account_dir / "server.lock")
    if lock is None:
        sys.stderr.write("another server holds this account\n")
        return ALREADY_RUNNING
    if options.background and os.fork():
        os._exit(0)  # the child keeps the lock: it belongs to the open file, not to the process
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    (account_dir / "server.json").unlink(missing_ok=True)  # of a server that was killed; only the lock's holder may
    _temporary_files_in(account_dir / "temporary")
    _serve(account_dir, options.idle_seconds, lock)
    return 0  # the lock is let go by the end of the process, when nothing of the account is open any more


def _take_lock(path: Path) -> int | None:
    """Somebody who only looks whether the lock is free holds it for an instant: try for a moment."""
    end = time.monotonic() + _LOCK_PATIENCE
    while (lock := try_lock(path)) is None and time.monotonic() < end:
        time.sleep(0.02)
    return lock


def _owns(account_dir: Path, lock: int) -> bool:
    """Whether the account's folder is still the one this server was started on, and not one put in its place."""
    try:
        return os.path.samestat(os.fstat(lock), os.stat(account_dir / "server.lock"))
    except OSError:
        return False


def _temporary_files_in(folder: Path) -> None:
    """fakesnow makes a folder for stages as it is imported, and leaves it: here it goes at the stop, or at the start
    after a server that was killed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    tempfile.tempdir = str(folder)


def _serve(account_dir: Path, idle_seconds: int, lock: int) -> None:
    # uvicorn raises the signal it was stopped by once more when it is done: that must not kill the clean-up
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _lighten()
    from tools.demo.server import DemoServer

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((HOST, 0))
        demo = DemoServer(account_dir, in_charge=lambda: _owns(account_dir, lock))
        try:
            _uvicorn(demo, account_dir, listener, idle_seconds).run(sockets=[listener])
        finally:
            _force_exit_later()
            if demo.in_charge():
                (account_dir / "server.json").unlink(missing_ok=True)
                shutil.rmtree(account_dir / "temporary", ignore_errors=True)
            demo.close()


class _Absent(importlib.abc.MetaPathFinder):
    """Halves the start: the connector and pyarrow import these where they find them; the server needs none of them."""

    names = frozenset({"pandas", "boto3", "botocore"})

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname in self.names:
            raise ModuleNotFoundError(f"{fullname} is kept out of the demo server", name=fullname)


def _lighten() -> None:
    sys.meta_path.insert(0, _Absent())
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)


def _uvicorn(demo: DemoServer, account_dir: Path, listener: socket.socket, idle_seconds: int) -> uvicorn.Server:
    import asyncio

    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self._watch = asyncio.create_task(self._stop_when_idle())

        async def _stop_when_idle(self) -> None:
            pause = asyncio.Event()  # never set: a sleep that the shutdown cancels
            while demo.in_charge() and not demo.idle_for(idle_seconds):
                _publish(account_dir, listener.getsockname()[1])
                await asyncio.to_thread(demo.tidy)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(pause.wait(), min(_IDLE_CHECK, idle_seconds))
            self.should_exit = True

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            self._watch.cancel()
            _force_exit_later()
            demo.cancel_everything()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        demo.app,
        log_level="warning",
        lifespan="off",
        access_log=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
        server_header=False,
    )
    return Server(config)


def _force_exit_later() -> None:
    """A statement that ignores its interruption must not keep the account locked."""
    timer = threading.Timer(_FORCED_EXIT_AFTER, os._exit, args=(1,))
    timer.daemon = True
    timer.start()


def _publish(account_dir: Path, port: int) -> None:
    """At the start, and when somebody has removed server.json or written something else into it."""
    text = json.dumps({"pid": os.getpid(), "port": port})
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if (account_dir / "server.json").read_text() == text:
            return
    fresh = account_dir / "server.json.new"
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
    fresh.replace(account_dir / "server.json")


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # tearing down the interpreter takes longer than everything before it
