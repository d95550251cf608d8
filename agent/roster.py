"""Who somebody is to the policy: listed people first, then the groups that a channel says they are in.

A group's members are not ours: the channel is asked, and whatever it does not say counts as no. What was asked
is kept nowhere here, so that a person who left a group loses its role with the channel's next answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent.policy_model import ROLES, GroupEntry, PersonEntry, PolicyFile
from tools.domain import Role
from tools.errors import FrostlineError

__all__ = ["GroupDirectory", "Identity", "Roster", "Standing"]

GroupDirectory: TypeAlias = Callable[[str], frozenset[str]]
"""Group id (`slack:TEAM/GROUP`) -> ids of the people in it (`slack:TEAM/USER`). Raises FrostlineError where that
cannot be known. Asked at every decision and several times in it: it should keep answers, also bad ones, a while."""

Identity = Literal["same", "different", "not_known"]


@dataclass(frozen=True)
class Standing:
    """What one id may do now."""

    roles: frozenset[Role]
    unknown: tuple[GroupEntry, ...] = ()
    """Groups whose members cannot be known now and which could have given more."""

    def might_hold(self, role: Role) -> tuple[GroupEntry, ...]:
        """The groups that would give the role, if only it were known who is in them."""
        if role in self.roles:
            return ()
        return tuple(g for g in self.unknown if ROLES.index(g.role) >= ROLES.index(role))


class Roster:
    """People and groups of one policy. `demo` lets the ids that begin with `demo:` in."""

    def __init__(self, file: PolicyFile, *, demo: bool, groups: GroupDirectory | None) -> None:
        entries = ((i, p) for p in file.people for i in p.ids)
        self._people: dict[str, PersonEntry] = {i: p for i, p in entries if demo or not i.startswith("demo:")}
        self._groups = tuple(g for g in file.groups if demo or not g.id.startswith("demo:"))
        self._members = groups
        self._default = file.default_role

    def entry(self, person_id: str) -> PersonEntry | None:
        return self._people.get(person_id)

    def knows(self, person_id: str) -> bool:
        """Listed, or in a group."""
        return person_id in self._people or self._from_groups(person_id)[0] is not None

    def standing(self, person_id: str) -> Standing:
        """An entry wins over groups, also when it is lower; of several groups the highest counts."""
        entry = self._people.get(person_id)
        if entry is not None:
            return Standing(_up_to(entry.role))
        role, unknown = self._from_groups(person_id)
        default = _up_to(None if self._default == "none" else self._default)
        return Standing(_up_to(role) | default, unknown)

    def choose(self, ids: Sequence[str]) -> str:
        """Of one human being's ids: the first that is listed, else the first that is in a group, else the last."""
        listed = next((i for i in ids if i in self._people), None)
        return listed or next((i for i in ids if self._from_groups(i)[0] is not None), ids[-1])

    def identity(self, one: str, other: str) -> Identity:
        """Whether two ids are one human being, as far as the policy can tell.

        One channel knows its people apart, whichever of its teams they speak from; two channels do not know each
        other's, so there both have to be listed.
        """
        a, b = self._people.get(one), self._people.get(other)
        if one == other or (a is not None and a == b):
            return "same"
        if a is not None and b is not None:
            return "different"
        if _channel(one) != _channel(other) or _local(one) == _local(other):
            return "not_known"
        return "different"

    def people_with(self, role: Role) -> tuple[PersonEntry, ...]:
        return tuple(p for p in dict.fromkeys(self._people.values()) if _has(p, role))

    def groups_with(self, role: Role) -> tuple[GroupEntry, ...]:
        return tuple(g for g in self._groups if _has(g, role))

    def _from_groups(self, person_id: str) -> tuple[Role | None, tuple[GroupEntry, ...]]:
        """The highest role that a group gives, and the groups that do not answer."""
        given: list[Role] = []
        unknown: list[GroupEntry] = []
        for group in self._groups:
            if _channel(group.id) != _channel(person_id):
                continue
            members = self._asked(group)
            if members is None:
                unknown.append(group)
            elif person_id in members:
                given.append(group.role)
        return max(given, key=ROLES.index, default=None), tuple(unknown)

    def _asked(self, group: GroupEntry) -> frozenset[str] | None:
        """None: it cannot be known."""
        if self._members is None:
            return None
        try:
            return self._members(group.id)
        except FrostlineError:
            return None


def _up_to(role: Role | None) -> frozenset[Role]:
    return frozenset() if role is None else frozenset(ROLES[: ROLES.index(role) + 1])


def _has(entry: PersonEntry | GroupEntry, role: Role) -> bool:
    return ROLES.index(entry.role) >= ROLES.index(role)


def _channel(person_id: str) -> str:
    return person_id.partition(":")[0]


def _local(person_id: str) -> str:
    """The id inside its team: on a Slack organisation one account has one id under all of its workspaces."""
    return person_id.partition(":")[2].rpartition("/")[2]
