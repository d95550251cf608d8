"""Who somebody is, and who gets no answer, or no say."""

from __future__ import annotations

import pytest

from agent.policy import Policy
from agent.settings import SlackSettings
from bots.slack.people import GroupDirectory, People
from bots.slack.types import Author, Ignored, Me, SlackUser
from tests.unit.bots.slack.office import Wall
from tools.domain import Person
from tools.errors import BadArgument, ChannelRefused, FrostlineError, Unreachable

POLICY = """
version = 1
default_role = "viewer"
[[people]]
name = "ada"
ids = ["slack:T1/UADA", "os:ada"]
role = "proposer"
[[people]]
name = "gwen"
ids = ["slack:E1/WGWEN"]
role = "approver"
[[groups]]
name = "platform"
id = "slack:T1/SPLAT"
role = "approver"
[[rules]]
name = "all"
effect = "allow"
"""
ME = Me(team="T1", team_name="Acme", user="UBOT", bot="BBOT", app="A1", enterprise=None, url="")
GRID = Me(team="T1", team_name="Acme", user="UBOT", bot="BBOT", app="A1", enterprise="E1", url="")


class Time:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def people(wall: Wall, me: Me = ME, now: Time | None = None, **settings: object) -> People:
    policy = Policy.load(POLICY)
    return People(wall, SlackSettings.model_validate(settings), lambda: policy, me, now=now or Time())


def wall(*users: SlackUser) -> Wall:
    made = Wall()
    made.users = {user.id: user for user in users}
    return made


ADA = SlackUser("UADA", "Ada L.", "T1")


def reason(found: Person | Ignored) -> str:
    assert isinstance(found, Ignored)
    return found.reason


def test_one_of_us_is_known_by_team_and_id_and_never_by_name() -> None:
    found = people(wall(ADA, SlackUser("UNEW", "ada", "T1"))).person(Author("UADA", "T1"))
    assert isinstance(found, Person)
    assert (found.id, found.name) == ("slack:T1/UADA", "ada")
    assert "proposer" in found.roles
    stranger = people(wall(SlackUser("UNEW", "ada", "T1"))).person(Author("UNEW", "T1"))
    assert isinstance(stranger, Person)
    assert stranger.id == "slack:T1/UNEW"
    assert "proposer" not in stranger.roles


@pytest.mark.parametrize(
    ("user", "team", "expected"),
    [
        (SlackUser("U1", "x", "T1", is_guest=True), "T1", "guest"),
        (SlackUser("U1", "x", "T2"), "T2", "outsider"),
        (SlackUser("U1", "x", "T2"), "T1", "outsider"),  # the payload alone makes nobody one of us
        (SlackUser("U1", "x", "T1"), "T2", "outsider"),
        (SlackUser("U1", "x", None), "T1", "outsider"),
        (SlackUser("U1", "x", "T1", is_bot=True), "T1", "bot"),
        (SlackUser("U1", "x", "T1", deleted=True), "T1", "unknown_user"),
    ],
)
def test_who_gets_no_answer_and_no_say(user: SlackUser, team: str, expected: str) -> None:
    who = people(wall(user))
    assert reason(who.person(Author("U1", team))) == expected
    assert reason(who.person_for_decision(Author("U1", team))) == expected


def test_slackbot_says_that_it_is_no_bot() -> None:
    who = people(wall(SlackUser("USLACKBOT", "Slackbot", "T1")), guests=True, teams=["T1"])
    assert reason(who.person(Author("USLACKBOT", "T1"))) == "bot"


def test_settings_let_guests_and_teams_ask_but_never_decide() -> None:
    guest, outsider = SlackUser("U1", "x", "T1", is_guest=True), SlackUser("U2", "y", "T2")
    who = people(wall(guest, outsider), guests=True, teams=["T2"])
    assert isinstance(who.person(Author("U1", "T1")), Person)
    found = who.person(Author("U2", "T2"))
    assert isinstance(found, Person)
    assert found.id == "slack:T2/U2"
    assert reason(who.person_for_decision(Author("U1", "T1"))) == "guest"
    assert reason(who.person_for_decision(Author("U2", "T2"))) == "outsider"


def test_a_decision_needs_a_payload_that_names_our_team() -> None:
    who = people(wall(ADA))
    assert isinstance(who.person(Author("UADA", None)), Person)
    assert reason(who.person_for_decision(Author("UADA", None))) == "outsider"
    assert isinstance(who.person_for_decision(Author("UADA", "T1")), Person)


def test_on_grid_the_organisation_counts() -> None:
    gwen = SlackUser("WGWEN", "Gwen", "T7", enterprise="E1", enterprise_user="WGWEN")
    other = SlackUser("WOUT", "Out", "T9", enterprise="E9", enterprise_user="WOUT")
    old = SlackUser("UADA", "Ada", "T1", enterprise="E1", enterprise_user="WADA")
    who = people(wall(gwen, other, old), GRID)
    for team in ("T7", "E1", None):
        found = who.person_for_decision(Author("WGWEN", team))
        assert isinstance(found, Person)
        assert found.id == "slack:E1/WGWEN"
        assert "approver" in found.roles
    assert reason(who.person_for_decision(Author("WOUT", "E1"))) == "outsider"
    ada = who.person(Author("UADA", "T1"))
    assert isinstance(ada, Person)
    assert ada.id == "slack:T1/UADA"  # the id that the policy lists


def test_what_slack_says_is_kept_for_a_minute_but_not_for_decisions() -> None:
    now, board = Time(), wall(ADA)
    who = people(board, now=now)
    assert isinstance(who.person(Author("UADA", "T1")), Person)
    board.users["UADA"] = SlackUser("UADA", "Ada", "T1", deleted=True)
    assert isinstance(who.person(Author("UADA", "T1")), Person)
    assert reason(who.person_for_decision(Author("UADA", "T1"))) == "unknown_user"
    assert reason(who.person(Author("UADA", "T1"))) == "unknown_user"  # what the decision learned
    board.users["UADA"] = ADA
    now.at += 61
    assert isinstance(who.person(Author("UADA", "T1")), Person)
    board.users["UADA"] = SlackUser("UADA", "Ada", "T1", is_guest=True)
    who.forget("UADA")
    assert reason(who.person(Author("UADA", "T1"))) == "guest"


def test_errors_make_nobody_known_and_say_whether_to_ask_again() -> None:
    board = wall(ADA)
    who = people(board)
    board.refuse["user"] = Unreachable("away")
    assert who.person(Author("UADA", "T1")) == Ignored("unknown_user", {"why": "unreachable"})
    assert reason(who.person_for_decision(Author("UADA", "T1"))) == "unknown_user"
    board.refuse["user"] = ChannelRefused("no", reason="user_not_found")
    assert who.person(Author("UADA", "T1")) == Ignored("unknown_user", {"why": "user_not_found"})


def test_cards_mention_people_and_groups_of_this_workspace() -> None:
    policy = Policy.load(POLICY)
    entries = (*policy.file.people, *policy.file.groups)
    assert people(wall()).mention_ids(entries) == ("UADA", "SPLAT")
    assert people(wall(), GRID).mention_ids(entries) == ("UADA", "WGWEN", "SPLAT")


# --- groups ----------------------------------------------------------------------------------------------------------


class Groups(Wall):
    def __init__(self) -> None:
        super().__init__()
        self.members = frozenset({"UADA"})
        self.error: FrostlineError | None = None
        self.asked = 0

    def group_members(self, group: str) -> frozenset[str]:
        self.asked += 1
        if self.error:
            raise self.error
        return self.members


def test_members_are_kept_for_a_minute_and_dropped_when_slack_says_so() -> None:
    now, api = Time(), Groups()
    directory = GroupDirectory(api, now=now)
    for _ in range(3):
        assert directory("slack:T1/SPLAT") == {"slack:T1/UADA"}
    assert api.asked == 1
    api.members = frozenset()
    directory.forget("SPLAT")
    assert directory("slack:T1/SPLAT") == frozenset()
    now.at += 61
    directory("slack:T1/SPLAT")
    assert api.asked == 3


def test_a_group_that_cannot_be_known_gives_nothing_and_is_not_asked_at_once_again() -> None:
    now, api = Time(), Groups()
    directory = GroupDirectory(api, now=now)
    api.error = ChannelRefused("no", reason="missing_scope")
    for _ in range(3):
        with pytest.raises(FrostlineError):
            directory("slack:T1/SPLAT")
    assert api.asked == 1
    api.error = None
    now.at += 11
    assert directory("slack:T1/SPLAT") == {"slack:T1/UADA"}
    with pytest.raises(BadArgument):
        directory("teams:T1/SPLAT")


def test_a_role_of_a_group_follows_its_members() -> None:
    api = Groups()
    directory = GroupDirectory(api)
    policy = Policy.load(POLICY, groups=directory)
    new = Person(id="slack:T1/UNEW", name="new")
    assert not policy.has_role(new, "approver")
    api.members = frozenset({"UNEW"})
    directory.forget("SPLAT")
    assert policy.has_role(new, "approver")
