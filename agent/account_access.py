"""The account that a profile names: who it is, how each identity signs in, and the gateway to read it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from agent.settings import ConnectionSettings, Settings
from tools.domain import Account
from tools.errors import Unreachable
from tools.warehouse.config import ConnectionConfig

if TYPE_CHECKING:
    from tools.context import UsageReader
    from tools.demo.account_file import AccountSettings
    from tools.warehouse.usage_cache import UsageCache

__all__ = ["AccountAccess"]


class AccountAccess:
    """Opened as it is asked for; what has to be closed again goes on `stack`.

    `attended`: False where nobody sits in front of the process, so that signing in must not need a browser.
    """

    def __init__(
        self,
        settings: Settings,
        stack: ExitStack,
        *,
        progress: Callable[[float, str], None] | None = None,
        attended: bool = True,
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.attended = attended
        self._stack = stack

    @cached_property
    def embedded(self) -> AccountSettings:
        from tools.demo.account import ensure_account

        built = ensure_account(self.settings.account_dir, seed=self.settings.demo.seed, progress=self.progress)
        return built.settings

    @cached_property
    def account(self) -> Account:
        """Who we speak of, and what Snowflake itself does not tell."""
        if self.settings.account.kind == "embedded":
            known = self.embedded
            return Account(
                name=known.name,
                origin=known.origin,
                timezone=known.timezone,
                edition=known.edition,
                credit_price=known.credit_price,
            )
        given = self.settings.account
        return Account(
            name=given.name or self.settings.profile,
            origin="live",
            timezone=given.timezone or self._account_timezone(),
            edition=given.edition,
            credit_price=given.credit_price,
        )

    @property
    def key(self) -> str:
        """What a plan is bound to: another account, or the same folder with another import, never sees it."""
        if self.settings.account.kind == "embedded":
            return f"{self.embedded.name}#{self.embedded.generation_id}"
        return f"{self.settings.reader.account or self.settings.reader.connection_name}"

    def _account_timezone(self) -> str:
        from tools.warehouse.show import account_timezone

        return account_timezone(self.reader_config)

    @cached_property
    def reader_config(self) -> ConnectionConfig:
        return self._config(self.settings.reader, "reader")

    @property
    def operator_config(self) -> ConnectionConfig:
        """Found anew each time: a change may come long after the runtime was opened.

        Raises:
            BadSettings: an entry of connections.toml belongs to another account than the reader's.
        """
        found = self._config(self.settings.operator, "operator")
        if self.settings.account.kind != "embedded":
            from tools.warehouse.named import check_one_account

            check_one_account(self.reader_config, found)
        return found

    def _check_same_account(self) -> None:
        """What was opened, plans included, belongs to the account as it was then, not to one that took its place.

        Raises:
            Unreachable: it has been imported over or built anew since.
        """
        from tools.demo.account_file import settings

        if settings(self.settings.account_dir).generation_id != self.embedded.generation_id:
            raise Unreachable("The account has been replaced since this was started.", hint="Start frostline again.")

    def _config(self, given: ConnectionSettings, identity: Literal["reader", "operator"]) -> ConnectionConfig:
        if self.settings.account.kind == "embedded":
            from tools.demo.process import embedded_config

            self._check_same_account()
            return embedded_config(self.settings.account_dir, identity, idle_seconds=self.settings.demo.server_idle_s)
        values = {name: getattr(given, name) for name in type(given).model_fields}
        values |= {"proxy": self.settings.proxy, "attended": self.attended}
        for name in ("login", "network", "statement"):
            values[f"{name}_timeout"] = values.pop(f"{name}_timeout_s")
        return ConnectionConfig.of(**values)

    @cached_property
    def reader(self) -> UsageReader:
        from tools.warehouse.reader import SnowflakeReader

        moves = self.settings.account.kind == "embedded"
        reader = SnowflakeReader(
            self.reader_config,
            self.account,
            now_override=self.settings.now,
            locate=(lambda: self._config(self.settings.reader, "reader")) if moves else None,
            cache=self.usage_cache(),
        )
        self._stack.callback(reader.close)
        return reader

    def usage_cache(self) -> UsageCache | None:
        given = self.settings.cache
        if not given.enabled:
            return None
        from tools.warehouse.cache_file import CacheFile
        from tools.warehouse.usage_cache import UsageCache

        file = CacheFile(self.settings.state_dir / "usage-cache.db", megabytes=given.megabytes)
        return UsageCache(file, self.cache_scope)

    def cache_scope(self) -> str:
        """Figures of another account, of the same folder after an import or a step in time, or under another role
        have nothing to do with each other.
        """
        if self.settings.account.kind == "embedded":
            from tools.demo.account_file import settings

            known = settings(self.settings.account_dir)
            return f"{known.name}#{known.generation_id}@{known.now.isoformat()}"
        return f"{self.key}|{self.reader_config.shown}"
