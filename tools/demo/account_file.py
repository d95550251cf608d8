"""account.toml: what is known of an account besides its rows. It is the last file of a build: who has one, is whole."""

from __future__ import annotations

import json
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tools.errors import Unreachable

__all__ = ["REBUILD", "AccountSettings", "iso", "not_yours", "settings", "toml_text", "write_settings"]

REBUILD = "Build it: frostline account reset"


@dataclass(frozen=True)
class AccountSettings:
    """account.toml."""

    name: str
    origin: Literal["demo", "imported"]
    now: datetime
    """Account time, aware UTC."""
    timezone: str
    edition: str
    credit_price: float
    hidden_from_reader: tuple[str, ...] = ()
    generation_id: str = ""
    """Changes with every build and import, so that callers can tell a new account from the one they knew."""


def settings(account_dir: Path) -> AccountSettings:
    """
    Raises:
        Unreachable: there is no account in the folder, or its account.toml is damaged.
    """
    try:
        values = tomllib.loads((account_dir / "account.toml").read_text(encoding="utf-8"))
        now = values["now"]
        return AccountSettings(
            name=str(values["name"]),
            origin=values["origin"],
            now=now if now.tzinfo is not None else now.replace(tzinfo=UTC),
            timezone=str(values["timezone"]),
            edition=str(values["edition"]),
            credit_price=float(values["credit_price"]),
            hidden_from_reader=tuple(values.get("hidden_from_reader", ())),
            generation_id=str(values.get("generation_id", "")),
        )
    except FileNotFoundError:
        raise Unreachable(f"There is no account in {account_dir}.", hint=REBUILD) from None
    except PermissionError:
        raise not_yours(account_dir) from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unreachable(f"{account_dir / 'account.toml'} is damaged.", hint=REBUILD) from None


def not_yours(account_dir: Path) -> Unreachable:
    return Unreachable(
        f"The account in {account_dir} is somebody else's.", hint="Set FROSTLINE_HOME to a folder of your own."
    )


def write_settings(folder: Path, about: AccountSettings) -> None:
    """account.toml: the last file of a build, so that a folder that has one is whole."""
    values = asdict(about) | {"generation_id": about.generation_id or secrets.token_hex(8)}
    (folder / "account.toml").write_text(toml_text(values), encoding="utf-8")


def toml_text(values: Mapping[str, Any]) -> str:
    """One `key = value` a line: texts, times, numbers, tuples of texts."""
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007F")
    return repr(float(value))


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
