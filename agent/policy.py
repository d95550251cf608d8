"""Who may do what: pure decisions over policy.toml. Limits first, then ordered rules, else denied.

Roles come from the policy by the person's id (agent.roster: listed people, then groups), never from what a
`Person` object claims. Globs of rules are compared with upper and lower case as they stand: Snowflake names "etl"
and "ETL" are two warehouses. Those of `limits.protected` are not: one that is written in the wrong case protects
both rather than neither.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from agent.policy_model import GroupEntry, PersonEntry, PolicyFile, Rule, parse_policy
from agent.policy_source import PolicySource
from agent.roster import GroupDirectory, Roster
from tools.domain import Person, PlanRecord, Role, Size, Verdict
from tools.errors import BadArgument, NotAllowed

__all__ = ["UNKNOWN_GROUPS", "Decision", "Policy"]

Decision = Literal["approve", "decline", "cancel"]

UNKNOWN_GROUPS = "groups"
"""The rule of a refusal that a channel's silence about its groups has caused: asked again later it may differ."""


class Policy:
    """Implements tools.context.PolicyView, and says who may decide."""

    def __init__(
        self,
        file: PolicyFile,
        *,
        demo: bool = False,
        groups: GroupDirectory | None = None,
        source: PolicySource | None = None,
    ) -> None:
        """`source` is read again whenever it has changed: who is taken out of it loses the role at once."""
        self._demo, self._groups, self._source = demo, groups, source or PolicySource()
        self._current = (file, Roster(file, demo=demo, groups=groups))

    @property
    def file(self) -> PolicyFile:
        """What the policy says now.

        Raises:
            BadSettings: its file was changed into something that cannot be used. Nothing is allowed until it is
                mended: the policy of before may be the wider one.
        """
        return self._now()[0]

    @property
    def _roster(self) -> Roster:
        return self._now()[1]

    def _now(self) -> tuple[PolicyFile, Roster]:
        news = self._source.news()
        if news is not None:
            text, stamp = news
            file = parse_policy(text)
            self._current = (file, Roster(file, demo=self._demo, groups=self._groups))
            self._source.taken(stamp)
        return self._current

    @classmethod
    def load(
        cls,
        source: Path | str | None = None,
        *,
        demo: bool = False,
        groups: GroupDirectory | None = None,
        awaited: Path | None = None,
    ) -> Policy:
        """From a file (followed when it changes), a TOML text, or (None) the policy that comes with Frostline.

        `awaited`: a file that takes the place of all that as soon as something stands there.

        `demo` lets the ids that begin with `demo:` in; only the demo profile sets it. `groups` says who is in a
        group of the policy; where it raises FrostlineError, or is None, groups give nothing.

        Raises:
            BadSettings: the file cannot be read or is not a policy.
        """
        follow = PolicySource(source if isinstance(source, Path) else None, awaited=awaited)
        if source is None:
            text = resources.files("agent").joinpath("policy.toml").read_text(encoding="utf-8")
        else:
            text = follow.read(source) if isinstance(source, Path) else source
        return cls(parse_policy(text), demo=demo, groups=groups, source=follow)

    # --- people --------------------------------------------------------------------------------------------------

    def person(self, person_id: str, name: str | None = None) -> Person:
        """The person as the policy knows them; somebody unknown gets the default role and never more."""
        entry = self._roster.entry(person_id)
        return Person(
            id=person_id,
            name=entry.name if entry else (name or person_id.partition(":")[2] or person_id),
            roles=self._roster.standing(person_id).roles,
        )

    def person_of(self, ids: Sequence[str], name: str | None = None) -> Person:
        """One human being whom a channel knows under several ids, e.g. of a workspace and of its organisation.

        The first id that the policy lists; else the first that is in one of its groups; else the last.

        Raises:
            BadArgument: no id at all.
        """
        if not ids:
            raise BadArgument("A person needs an id.")
        return self.person(self._roster.choose(ids), name)

    def knows(self, person_id: str) -> bool:
        """Listed, or in a group."""
        return self._roster.knows(person_id)

    def has_role(self, person: Person, role: Role) -> bool:
        return role in self._roster.standing(person.id).roles

    def may_see_text(self, person: Person) -> bool:
        return self.has_role(person, "analyst")

    def may_propose(self, person: Person) -> bool:
        return self.has_role(person, "proposer")

    def approvers(self, role: Role = "approver") -> tuple[PersonEntry, ...]:
        """The listed people who have this role, in the policy's order."""
        return self._roster.people_with(role)

    def approver_groups(self, role: Role = "approver") -> tuple[GroupEntry, ...]:
        """The groups whose members have this role, unless they are listed with another."""
        return self._roster.groups_with(role)

    def same_person(self, one: Person, other: Person) -> bool:
        """Whether two people have to be counted as one where it takes two: also where nobody can tell.

        One entry is one human being. Ids of different channels (`os:`, `slack:`) that are not both listed may be
        one, and so may ids of one account under two teams.
        """
        return self._roster.identity(one.id, other.id) != "different"

    def check_role(self, person: Person, role: Role, what: str) -> None:
        """Return if the person has the role; `what` completes "NAME may not ...".

        Raises:
            NotAllowed: rule `role`; or `groups`, where a channel's silence is all that stands against it.
        """
        lacking = self._lacks(person, role, what)
        if lacking:
            raise lacking

    def _lacks(self, person: Person, role: Role, what: str) -> NotAllowed | None:
        standing = self._roster.standing(person.id)
        if role in standing.roles:
            return None
        silent = standing.might_hold(role)
        if silent:
            names = ", ".join(group.name for group in silent)
            return NotAllowed(
                f"It is not known now whether {person.name} has the role {role}: the channel does not say who is in "
                f"the group {names}.",
                rule=UNKNOWN_GROUPS,
                hint="Try again later, or list people in policy.toml; `frostline doctor` says what is set up.",
            )
        return NotAllowed(
            f"{person.name} may not {what}: that needs the role {role}.",
            rule="role",
            hint=f"Roles stand in policy.toml; there {person.name} is {person.id}.",
        )

    # --- changes -------------------------------------------------------------------------------------------------

    @property
    def per_hour(self) -> int:
        return self.file.limits.per_hour

    def is_protected(self, warehouse: str) -> bool:
        """Whatever the case: `prod_*` protects PROD_X, too."""
        return any(_protects(glob, warehouse) for glob in self.file.limits.protected)

    def protects_nothing(self, warehouses: Collection[str]) -> tuple[str, ...]:
        """The globs of `limits.protected` that none of these names fits."""
        globs = self.file.limits.protected
        return tuple(glob for glob in globs if not any(_protects(glob, name) for name in warehouses))

    def verdict(
        self,
        *,
        action: str,
        warehouse: str,
        before: Mapping[str, Any],
        target: Mapping[str, Any],
        requester: Person,
        at: datetime,
        undo: bool = False,
    ) -> Verdict:
        """Role of the requester, limits, then the first matching rule; default deny. Never raises.

        `before` and `target` are snapshots (tools.readback); values that cannot be read are refused. An undo may
        go back to a value outside the limits (the warehouse had it before), but not where it is protected.
        """
        lacking = self._lacks(requester, "proposer", "ask for changes")
        if lacking:
            return _deny(lacking.rule, lacking.message)
        refusal = self._forbidden(action, warehouse) or (None if undo else self._beyond_limits(action, before, target))
        if refusal:
            return refusal
        steps, size = _steps(action, before, target), _size(target)
        for rule in self.file.rules:
            if self._rule_matches(rule, action, warehouse, steps, size, at):
                return _by_rule(rule)
        return _deny("default", "No rule of the policy allows this change.")

    def may_decide(
        self,
        record: PlanRecord,
        actor: Person,
        at: datetime,
        *,
        applied_last_hour: int,
        decision: Decision = "approve",
    ) -> None:
        """Return if `actor` may decide this plan so at `at`.

        Approving asks for the approver's role, the policy as it is now, two people where the plan or the
        policy wants them, and the limit per hour. Declining: approvers. Cancelling: also the requester.

        Raises:
            NotAllowed: with the rule that decided.
        """
        plan = record.plan
        if decision == "cancel" and self.knows(actor.id) and self._is(actor, plan.requester):
            return
        self.check_role(actor, "approver", f"{decision} plans")
        if decision != "approve":
            return
        now = self.verdict(
            action=plan.action,
            warehouse=plan.warehouse,
            before=plan.before,
            target=plan.target,
            requester=plan.requester,
            at=at,
            undo=plan.undo_of is not None,
        )
        for verdict in (plan.verdict, now):
            self._check_approver(verdict, plan.requester, actor)
        if applied_last_hour >= self.per_hour:
            raise NotAllowed(
                f"{applied_last_hour} changes were applied in the last hour; the limit is {self.per_hour}.",
                rule="per_hour",
                hint="Approve it later; the plan stays open until it expires.",
            )

    def _check_approver(self, verdict: Verdict, requester: Person, actor: Person) -> None:
        if not verdict.allowed:
            raise NotAllowed(verdict.reason, rule=verdict.rule)
        lacking = self._lacks(actor, verdict.approver_role, "approve this")
        if lacking:
            raise NotAllowed(
                lacking.message,
                rule=lacking.rule if lacking.rule == UNKNOWN_GROUPS else verdict.rule,
                hint=lacking.hint,
            )
        if verdict.two_people:
            self._check_two(verdict, requester, actor)

    def _check_two(self, verdict: Verdict, requester: Person, actor: Person) -> None:
        identity = self._roster.identity(actor.id, requester.id)
        if identity == "different":
            return
        message, hint = "The person who asked may not approve this change: it takes two people.", None
        if identity == "not_known":
            message = (
                f"It takes two people, and it cannot be told whether {actor.id} and {requester.id} are two or one."
            )
            hint = "List both in policy.toml, each with all ids of theirs."
        rule = verdict.rule if verdict.rule == "two_people" else f"{verdict.rule}:two_people"
        raise NotAllowed(message, rule=rule, hint=hint)

    def _is(self, one: Person, other: Person) -> bool:
        """For certain, where being the same person permits something."""
        return self._roster.identity(one.id, other.id) == "same"

    # --- inside --------------------------------------------------------------------------------------------------

    def _forbidden(self, action: str, warehouse: str) -> Verdict | None:
        if self.is_protected(warehouse):
            return _deny("protected", f"{warehouse} is protected: it is never changed from here.")
        if action not in self.file.limits.actions:
            return _deny("actions", f"The policy does not allow {action}.")
        return None

    def _beyond_limits(self, action: str, before: Mapping[str, Any], target: Mapping[str, Any]) -> Verdict | None:
        if action == "resize_warehouse":
            return self._resize_limit(before, target)
        if action == "set_auto_suspend":
            return self._auto_suspend_limit(target.get("auto_suspend"))
        if action == "set_clusters":
            return self._cluster_limit(target.get("max_clusters"))
        return None

    def _resize_limit(self, before: Mapping[str, Any], target: Mapping[str, Any]) -> Verdict | None:
        limits, size, steps = self.file.limits, _size(target), _steps("resize_warehouse", before, target)
        if size is None or steps is None:
            return _deny("size_step", "The size before or after is not known.")
        if steps > limits.size_step:
            return _deny(
                "size_step", f"{steps} sizes in one step; at most {limits.size_step} in one go. Go in smaller steps."
            )
        if size.rank > limits.max_size.rank:
            return _deny("max_size", f"{size.shown} is larger than {limits.max_size.shown}, the largest allowed.")
        return None

    def _auto_suspend_limit(self, seconds: Any) -> Verdict | None:
        limits = self.file.limits
        if not seconds:
            return None if limits.never_suspend else _deny("never_suspend", "Auto-suspend may not be switched off.")
        if not isinstance(seconds, int) or not limits.min_auto_suspend <= seconds <= limits.max_auto_suspend:
            allowed = f"{limits.min_auto_suspend} to {limits.max_auto_suspend} s"
            return _deny("auto_suspend", f"Auto-suspend of {seconds} s is outside of {allowed}.")
        return None

    def _cluster_limit(self, count: Any) -> Verdict | None:
        most = self.file.limits.max_clusters
        if not isinstance(count, int) or count > most:
            return _deny("max_clusters", f"{count} clusters; at most {most} are allowed.")
        return None

    def _rule_matches(
        self, rule: Rule, action: str, warehouse: str, steps: int | None, size: Size | None, at: datetime
    ) -> bool:
        resize = action == "resize_warehouse"
        return all(
            (
                rule.actions is None or action in rule.actions,
                rule.warehouses is None or _matches(rule.warehouses, warehouse),
                rule.window is None or self.file.windows[rule.window].holds(at),
                rule.outside is None or not self.file.windows[rule.outside].holds(at),
                rule.steps_from is None or (resize and steps is not None and steps >= rule.steps_from),
                rule.size_from is None or (resize and size is not None and size.rank >= rule.size_from.rank),
            )
        )


def _matches(globs: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _protects(glob: str, name: str) -> bool:
    return fnmatchcase(name, glob) or fnmatchcase(name.upper(), glob.upper())


def _steps(action: str, before: Mapping[str, Any], target: Mapping[str, Any]) -> int | None:
    old, new = _size(before), _size(target)
    return abs(new.rank - old.rank) if action == "resize_warehouse" and old and new else None


def _size(properties: Mapping[str, Any]) -> Size | None:
    value = properties.get("size")
    try:
        return Size.parse(value) if isinstance(value, str) else None
    except BadArgument:
        return None


def _by_rule(rule: Rule) -> Verdict:
    if rule.effect == "deny":
        return _deny(rule.name, rule.reason or f"The policy's rule {rule.name!r} denies this change.")
    who = "a second person with the role" if rule.two_people else "somebody with the role"
    return Verdict(
        allowed=True,
        rule=rule.name,
        reason=rule.reason or f"Allowed by rule {rule.name!r}; {who} {rule.approver_role} has to approve.",
        two_people=rule.two_people,
        approver_role=rule.approver_role,
    )


def _deny(rule: str, reason: str) -> Verdict:
    return Verdict(allowed=False, rule=rule, reason=reason)
