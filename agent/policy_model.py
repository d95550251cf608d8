"""The shape of policy.toml, and nothing of what it decides (agent.policy)."""

from __future__ import annotations

import tomllib
from datetime import datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tools.domain import ActionName, Role, Size
from tools.errors import BadArgument, BadSettings

__all__ = ["ROLES", "GroupEntry", "Limits", "PersonEntry", "PolicyFile", "Rule", "TimeWindow", "parse_policy"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ROLES: tuple[Role, ...] = ("viewer", "analyst", "proposer", "approver", "admin")

ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
RuleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonEntry(_Part):
    """One human being, by all ids under which channels know them."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    ids: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z]+:\S{1,200}$")], ...], Field(min_length=1)]
    role: Role


class GroupEntry(_Part):
    """A group that a channel keeps, e.g. a Slack user group: `slack:TEAM/GROUP`."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    id: Annotated[str, Field(pattern=r"^[a-z]+:\S{1,200}$")]
    role: Role

    @property
    def ids(self) -> tuple[str, ...]:
        """As PersonEntry has them."""
        return (self.id,)


class TimeWindow(_Part):
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS
    from_: Annotated[ClockTime, Field(alias="from")] = "00:00"
    to: ClockTime = "00:00"
    """At or before `from`: past midnight, into the day after one of `days`."""
    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone (e.g. Europe/Berlin)") from None
        return value

    def holds(self, at: datetime) -> bool:
        """Whether the window is open at that moment; [from, to)."""
        local = at.astimezone(ZoneInfo(self.zone))
        now, start, end = local.time(), time.fromisoformat(self.from_), time.fromisoformat(self.to)
        today, yesterday = DAYS[local.weekday()] in self.days, DAYS[local.weekday() - 1] in self.days
        if start < end:
            return today and start <= now < end
        return (today and now >= start) or (yesterday and now < end)


class Limits(_Part):
    """They hold for everybody, before any rule."""

    actions: tuple[ActionName, ...] = (
        "resize_warehouse",
        "suspend_idle",
        "resume_warehouse",
        "set_auto_suspend",
        "set_clusters",
        "cancel_query",
    )
    protected: tuple[str, ...] = ()
    size_step: Annotated[int, Field(ge=1, le=9)] = 1
    max_size: Size = Size.X4LARGE
    min_auto_suspend: Annotated[int, Field(ge=0)] = 30
    max_auto_suspend: Annotated[int, Field(ge=1)] = 86_400
    never_suspend: bool = False
    max_clusters: Annotated[int, Field(ge=1, le=300)] = 10
    per_hour: Annotated[int, Field(ge=0)] = 20

    @field_validator("max_size", mode="before")
    @classmethod
    def _any_spelling(cls, value: object) -> object:
        return _size(value)


class Rule(_Part):
    """Matches when everything it names matches; a rule that names nothing matches always."""

    name: RuleName
    effect: Literal["allow", "deny"]
    actions: tuple[ActionName, ...] | None = None
    warehouses: tuple[str, ...] | None = None
    window: str | None = None
    outside: str | None = None
    steps_from: Annotated[int, Field(ge=1, le=9)] | None = None
    size_from: Size | None = None
    two_people: bool = False
    approver_role: Literal["approver", "admin"] = "approver"
    reason: Annotated[str, Field(max_length=300)] = ""
    """Shown to people."""

    @field_validator("size_from", mode="before")
    @classmethod
    def _any_spelling(cls, value: object) -> object:
        return _size(value)


class PolicyFile(_Part):
    version: Literal[1]
    default_role: Literal["viewer", "none"] = "viewer"
    people: tuple[PersonEntry, ...] = ()
    groups: tuple[GroupEntry, ...] = ()
    limits: Limits = Limits()
    windows: dict[str, TimeWindow] = {}
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> PolicyFile:
        ids = [i for p in self.people for i in p.ids] + [g.id for g in self.groups]
        names = [r.name for r in self.rules]
        for what, values in (("id", ids), ("rule name", names)):
            twice = sorted({v for v in values if values.count(v) > 1})
            if twice:
                raise ValueError(f"{what} {twice[0]!r} stands twice")
        for rule in self.rules:
            for window in (rule.window, rule.outside):
                if window is not None and window not in self.windows:
                    raise ValueError(f"rule {rule.name!r} names window {window!r}, which is not defined")
        return self


def parse_policy(text: str) -> PolicyFile:
    """
    Raises:
        BadSettings: no TOML, or not a policy; the message says where.
    """
    try:
        return PolicyFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"The policy is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "policy"
        raise BadSettings(f"The policy cannot be used: {where}: {first['msg']}") from None


def _size(value: object) -> object:
    """Sizes in every spelling; what is no size is left for pydantic to refuse."""
    try:
        return Size.parse(value) if isinstance(value, str) else value
    except BadArgument as error:
        raise ValueError(error.message) from None
