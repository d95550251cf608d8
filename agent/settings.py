"""One typed settings tree: a profile's TOML file, overridden by the environment. The only reader of the environment.

Names nest with two underscores: `FROSTLINE_READER__PASSWORD` is `[reader] password`. A secret may stand in a
file: `FROSTLINE_READER__PASSWORD_FILE=/run/secrets/reader`. Slack's own `SLACK_BOT_TOKEN` and its like, and the keys
of OpenAI and Azure OpenAI, count where nothing of ours is set. State lives under `FROSTLINE_HOME`, one folder a
profile.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from agent.settings_knowledge import KnowledgeSettings
from agent.settings_outlook import AnomalySettings, BudgetSettings, ForecastSettings
from agent.settings_sections import (
    AccountSettings,
    CacheSettings,
    ConnectionSettings,
    DemoSettings,
    LlmModel,
    LlmSettings,
    PolicySettings,
    ProxyConfig,
    ScanSettings,
    SlackSettings,
    StoreSettings,
    is_local_or_encrypted,
)
from tools.errors import BadSettings

__all__ = [
    "AccountSettings",
    "ConnectionSettings",
    "DemoSettings",
    "KnowledgeSettings",
    "LlmModel",
    "LlmSettings",
    "PolicySettings",
    "ScanSettings",
    "Settings",
    "SlackSettings",
    "StoreSettings",
    "load_settings",
    "profile_file",
    "profiles_dirs",
    "state_home",
]

_PREFIX = "FROSTLINE_"
_FIRST_YEAR, _LAST_YEAR = 2012, 2100
_PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    profile: str = "demo"
    home: Path
    """FROSTLINE_HOME: all profiles' state."""
    now: datetime | None = None
    """FROSTLINE_NOW: account time, for looking at the past."""
    account: AccountSettings = AccountSettings()
    reader: ConnectionSettings = ConnectionSettings()
    operator: ConnectionSettings = ConnectionSettings()
    proxy: ProxyConfig = ProxyConfig()
    """Between this machine and Snowflake; Slack and the models follow HTTPS_PROXY."""
    cache: CacheSettings = CacheSettings()
    store: StoreSettings = StoreSettings()
    policy: PolicySettings = PolicySettings()
    llm: LlmSettings = LlmSettings()
    slack: SlackSettings = SlackSettings()
    scan: ScanSettings = ScanSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    budget: BudgetSettings = BudgetSettings()
    forecast: ForecastSettings = ForecastSettings()
    anomalies: AnomalySettings = AnomalySettings()
    demo: DemoSettings = DemoSettings()

    @field_validator("now")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        """A naive time is UTC; far from any account's time, sums of times would leave the calendar."""
        if value is None:
            return None
        if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
            raise ValueError(f"FROSTLINE_NOW lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    @model_validator(mode="after")
    def _demo_people_decide_about_the_demo_alone(self) -> Settings:
        """In the demo profile anybody may be anybody (`--as`): no live account may stand behind that."""
        if self.is_demo and self.account.kind != "embedded":
            raise ValueError(
                "account.kind: the demo profile has an embedded account; a live one needs a profile of its own"
            )
        return self

    @model_validator(mode="after")
    def _both_identities_are_of_one_account(self) -> Settings:
        """A plan is made from what the reader sees; its statement must not run anywhere else.

        An entry of connections.toml is looked into when the operator is used (agent.runtime), and `doctor` asks both.
        """
        names = {c.account.lower() for c in (self.reader, self.operator) if c.account}
        if len(names) > 1:
            raise ValueError("operator.account: reader and operator have to be of one account, written alike")
        return self

    @model_validator(mode="after")
    def _remote_store_is_encrypted(self) -> Settings:
        """Outside the demo profile a store across the network needs TLS."""
        if self.store.url and not self.is_demo and not is_local_or_encrypted(self.store.url.get_secret_value()):
            raise ValueError("store.url: a remote store needs sslmode=require (or verify-ca, verify-full) in its URL")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # load_settings merges file and environment itself, so that --profile wins over FROSTLINE_PROFILE.
        return (init_settings,)

    @property
    def is_demo(self) -> bool:
        """The demo profile: no keys, `--as` works, an embedded account."""
        return self.profile == "demo"

    @property
    def state_dir(self) -> Path:
        return self.home / self.profile

    @property
    def account_dir(self) -> Path:
        """The embedded account's folder (tools/demo/layout.py)."""
        return self.state_dir / "account"


def state_home() -> Path:
    """FROSTLINE_HOME, or the platform's user data folder."""
    given = os.environ.get("FROSTLINE_HOME")
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("frostline")


def profiles_dirs(home: Path) -> tuple[Path, ...]:
    """Where profiles are looked for, first hit wins: the person's own, the checkout's, the package's."""
    package = Path(__file__).parent
    return (home / "profiles", package.parent / "profiles", package / "_profiles")


def profile_file(name: str, home: Path) -> Path:
    """The TOML file of a profile.

    Raises:
        BadSettings: no such profile, or not a name.
    """
    if not _PROFILE_NAME.fullmatch(name):
        raise BadSettings(f"{name[:60]!r} is not a profile name.", hint="Letters, digits, '-' and '_', e.g. demo.")
    dirs = profiles_dirs(home)
    for folder in dirs:
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    known = sorted({p.stem for d in dirs if d.is_dir() for p in d.glob("*.toml")})
    raise BadSettings(
        f"There is no profile {name!r}.",
        hint=f"Known profiles: {', '.join(known)}. `frostline --profile {name} setup` writes a new one.",
    )


def load_settings(profile: str | None = None) -> Settings:
    """The settings of a profile (argument, else FROSTLINE_PROFILE, else demo) under the environment.

    Makes the profile's state folder (0700).

    Raises:
        BadSettings: the profile is missing, is no TOML, or holds a value that cannot be used.
    """
    name = profile or os.environ.get("FROSTLINE_PROFILE") or "demo"
    home = state_home()
    if "?" in str(home):
        # DuckDB reads what follows as options of the file and puts its log elsewhere.
        raise BadSettings("FROSTLINE_HOME may not have a '?' in it.", hint=str(home))
    try:
        path = profile_file(name, home)
    except PermissionError as error:
        raise BadSettings(
            "FROSTLINE_HOME is somebody else's.", hint=f"Set it to a folder of yours. Now: {home}"
        ) from error
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"Profile {name} cannot be read: {error}", hint=str(path)) from error
    table = deep_update(_from_providers(), table) | {"profile": name, "home": home}
    _no_stray_tracing()
    _out_of_the_environments_proxy(*_THIS_HOST)
    try:
        table = deep_update(_with_secret_files(table), _from_environment())
        settings = Settings(**table | {"llm": _with_provider_keys(table.get("llm", {}))})
    except (ValidationError, SettingsError) as error:
        raise BadSettings(_first_problem(error), hint=f"Profile file: {path}") from None
    if settings.proxy.host is not None:
        own = {given.host for given in (settings.reader, settings.operator) if given.host}
        _out_of_the_environments_proxy(*_SNOWFLAKE, *sorted(own))
    _private_folder(home, only_new=True)  # made by mkdir(parents=True) it would have the mode of the umask
    _private_folder(settings.state_dir)
    return settings


def _from_environment() -> dict[str, Any]:
    """What the environment sets, less the two names that the caller has settled and the `..._FILE` names."""
    values = {k: v for k, v in EnvSettingsSource(Settings)().items() if k not in ("profile", "home")}
    return _without_files(Settings, values)


def _without_files(model: Any, values: dict[str, Any]) -> dict[str, Any]:
    """`values` without what only says where a secret of `model` stands."""
    kept = {k: v for k, v in values.items() if not (k.endswith("_file") and _read_here(model, k[: -len("_file")]))}
    return {k: _without_files(_section(model, k), v) if isinstance(v, dict) else v for k, v in kept.items()}


_PROVIDERS = {
    "SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "SLACK_APP_TOKEN": ("slack", "app_token"),
    "SLACK_SIGNING_SECRET": ("slack", "signing_secret"),
}
"""The providers' own variables; whatever of ours sets the same, also the profile, wins over them."""


def _from_providers() -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, (section, field) in _PROVIDERS.items():
        if os.environ.get(variable):
            values.setdefault(section, {})[field] = os.environ[variable]
    return values


def _with_provider_keys(llm: Any) -> Any:
    """OPENAI_API_KEY, OPENAI_BASE_URL and AZURE_OPENAI_API_KEY, for the models that they are meant for.

    A key is never sent to a server that it does not belong to: OpenAI's goes to a base_url of ours only where the
    provider is said to be openai, and to a compatible server only together with OPENAI_BASE_URL.
    """
    if not isinstance(llm, dict):
        return llm  # no section at all: Settings says so
    given = dict(llm)
    if "secondary" in given:
        given["secondary"] = _with_provider_keys(given["secondary"])
    found = {field: os.environ[name] for field, name in _theirs(given) if os.environ.get(name)}
    return found | given


def _theirs(given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """(field, variable) of what one model may take."""
    key, url = ("api_key", "OPENAI_API_KEY"), ("base_url", "OPENAI_BASE_URL")
    provider = given.get("provider")
    if provider == "azure":
        return (("api_key", "AZURE_OPENAI_API_KEY"),)
    if provider == "compatible":
        return () if given.get("base_url") or not os.environ.get(url[1]) else (key, url)
    ours = given.get("api_key") or (given.get("base_url") and provider is None)
    return () if provider == "offline" or ours or not os.environ.get(key[1]) else (key, url)


def _no_stray_tracing() -> None:
    """LangChain and LangGraph would send every question and every figure to LangSmith where one of these is set.

    They are meant for other programs on this machine; where our traces go is a setting (llm.export).
    """
    for name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"):
        os.environ.pop(name, None)


_THIS_HOST = ("localhost", "127.0.0.1", "::1")
"""A proxy is for what is beyond this machine: the demo account's server, a local model and a collector are not."""
_SNOWFLAKE = (".snowflakecomputing.com", ".snowflakecomputing.cn")


def _out_of_the_environments_proxy(*hosts: str) -> None:
    """Adds to NO_PROXY. The Snowflake connector (4.8.1) prefers HTTPS_PROXY to the proxy and the exceptions that it is
    given, so what is not for the environment's proxy has to stand there.
    """
    for name in ("NO_PROXY", "no_proxy"):
        given = [part for part in os.environ.get(name, "").split(",") if part.strip()]
        missing = [host for host in hosts if host not in given]
        if missing and "*" not in given:
            os.environ[name] = ",".join([*given, *missing])


def _with_secret_files(table: dict[str, Any]) -> dict[str, Any]:
    """Read `FROSTLINE_SECTION__FIELD_FILE` for secret fields; the plain variable still wins over it."""
    for key, value in os.environ.items():
        match = re.fullmatch(_PREFIX + r"([A-Z_]+)_FILE", key)
        if not match or not value:
            continue
        *sections, field = match[1].lower().split("__")
        model: Any = Settings
        for section in sections:
            model = _section(model, section)
        if not sections or not _read_here(model, field):
            continue
        try:
            secret = Path(value).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(f"{key}: the file cannot be read ({type(error).__name__}).", hint=value) from None
        found: dict[str, Any] = {field: secret}
        for section in reversed(sections):
            found = {section: found}
        table = deep_update(table, found)
    return table


def _section(model: Any, name: str) -> Any:
    """The model of a section within a model; None: there is none of this name."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or name not in model.model_fields:
        return None
    annotation = model.model_fields[name].annotation
    kinds = (annotation, *get_args(annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _read_here(section: Any, field: str) -> bool:
    """A secret whose file is read once, now. Where the section itself has a `..._file`, its reader does that, each
    time anew.
    """
    return _is_secret(section, field) and f"{field}_file" not in section.model_fields


def _is_secret(section: Any, field: str) -> bool:
    if not (isinstance(section, type) and issubclass(section, BaseModel)):
        return False
    info = section.model_fields.get(field)
    return info is not None and (info.annotation is SecretStr or SecretStr in get_args(info.annotation))


def deep_update(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` over `below`, section by section."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = deep_update(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _first_problem(error: ValidationError | SettingsError) -> str:
    """Where and what, without the value: it may be a secret."""
    if isinstance(error, SettingsError):
        return str(error)
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def _private_folder(path: Path, *, only_new: bool = False) -> None:
    try:
        if only_new and path.is_dir():
            return
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise BadSettings(
            f"The state folder cannot be used: {error.strerror or error}.", hint=f"Set FROSTLINE_HOME. Now: {path}"
        ) from error
