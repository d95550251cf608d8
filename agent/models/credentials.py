"""Entra tokens for Azure, from a command or a file of the person's own; no library of Azure's is needed.

A command's token is kept in memory until shortly before it expires. Neither it nor what the command has printed is
ever logged or shown.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from datetime import datetime
from pathlib import Path

from agent.models.errors import ModelFailure
from agent.models.raw import AskFailed
from agent.settings_llm import LlmModel

__all__ = ["forget_tokens", "token"]

_COMMAND_S = 30
_EARLY_S = 120
_UNKNOWN_LIFE_S = 300
_MAX_BYTES = 20_000

_lock = threading.Lock()
_kept: dict[tuple[str, ...], tuple[str, float]] = {}


def token(one: LlmModel) -> str:
    """A token that is fresh for two minutes at least, as far as its source says.

    Raises:
        AskFailed: there is none to be had.
    """
    if one.azure_token_file is not None:
        return _one_word(one, _read(one, one.azure_token_file))
    command = one.azure_token_command
    with _lock:  # one sign-in, however many threads ask
        kept = _kept.get(command)
        if kept and kept[1] > time.time():
            return kept[0]
        found, until = _parsed(one, _run(one, command))
        _kept[command] = (found, until)
        return found


def forget_tokens() -> None:
    """After a refusal, and between tests."""
    with _lock:
        _kept.clear()


def _read(one: LlmModel, file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as source:
            return source.read(_MAX_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise _none(one, f"azure_token_file cannot be read ({type(error).__name__})") from None


def _run(one: LlmModel, command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the setting's own words, without a shell
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise _none(one, f"azure_token_command cannot be run ({type(error).__name__})") from None
    if done.returncode != 0:
        raise _none(one, f"azure_token_command has failed (exit code {done.returncode})")
    return done.stdout[:_MAX_BYTES].decode("utf-8", "replace")


def _parsed(one: LlmModel, printed: str) -> tuple[str, float]:
    """The Azure CLI's {"accessToken", "expires_on"}, or the token alone."""
    try:
        given = json.loads(printed)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return _one_word(one, printed), time.time() + _UNKNOWN_LIFE_S - _EARLY_S
    return _one_word(one, str(given.get("accessToken") or given.get("access_token") or "")), _expiry(given) - _EARLY_S


def _expiry(given: dict[str, object]) -> float:
    """`expires_on` is seconds since 1970; older versions of the CLI print `expiresOn`, local time."""
    try:
        return float(str(given["expires_on"]))
    except (KeyError, ValueError):
        pass
    try:
        return datetime.fromisoformat(str(given["expiresOn"])).astimezone().timestamp()
    except (KeyError, ValueError):
        return time.time() + _UNKNOWN_LIFE_S


def _one_word(one: LlmModel, text: str) -> str:
    word = text.strip()
    if not word or not word.isascii() or not word.isprintable() or " " in word:
        raise _none(one, "what should give a token gave none")
    return word


def _none(one: LlmModel, detail: str) -> AskFailed:
    return AskFailed(ModelFailure(one.label, "credentials", detail, True))
