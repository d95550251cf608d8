"""Who is speaking, outside the demo profile: the user the process runs as, and nothing that can be typed."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.runtime import Runtime, SystemClock
from agent.settings import load_settings
from tools.errors import BadSettings, NotAllowed

ME = f"os:{pwd.getpwuid(os.getuid()).pw_name}"
PROFILE = '[account]\nkind = "live"\ntimezone = "UTC"\n[reader]\naccount = "acme"\n'
POLICY = 'version = 1\n[[people]]\nname = "Alice"\nids = ["os:alice"]\nrole = "admin"\n'


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Runtime]:
    home = tmp_path / "home"
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "lab.toml").write_text(PROFILE)
    (home / "lab").mkdir()
    (home / "lab" / "policy.toml").write_text(POLICY)
    return lambda: Runtime(load_settings("lab"), SystemClock(), lambda: "id")


@pytest.mark.parametrize("name", ["LOGNAME", "USER", "LNAME", "USERNAME"])
def test_no_variable_makes_somebody_else_of_me(
    name: str, make: Callable[[], Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "alice")
    assert make().person().id == ME


def test_demo_people_named_by_settings_are_nobody_here(
    make: Callable[[], Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROSTLINE_DEMO__PERSON", "demo-admin")
    monkeypatch.setenv("FROSTLINE_DEMO__APPROVER", "demo-admin")
    runtime = make()
    assert {runtime.person().id, runtime.person(deciding=True).id} == {ME}
    assert not runtime.policy.knows("demo:demo-admin")


@pytest.mark.parametrize("name", ["os:alice", "alice", "demo:demo-admin", "demo-admin", "os:root", ""])
def test_acting_as_somebody_is_denied_and_audited(name: str, make: Callable[[], Runtime]) -> None:
    with make() as runtime:
        with pytest.raises(NotAllowed) as denied:
            runtime.person(name, deciding=True)
        assert denied.value.rule == "identity"
        (row,) = runtime.store.audit_rows()
        assert (row.actor, row.event, row.detail["as"]) == (ME, "denied", name)


@pytest.mark.parametrize("kind", ["dangling", "folder"])
def test_a_policy_that_stands_there_and_cannot_be_read_is_not_replaced_by_the_packaged_one(
    kind: str, make: Callable[[], Runtime], tmp_path: Path
) -> None:
    own = tmp_path / "home" / "lab" / "policy.toml"
    own.unlink()
    own.symlink_to(tmp_path / "nowhere") if kind == "dangling" else own.mkdir()
    with pytest.raises(BadSettings):
        make().policy  # noqa: B018


def test_a_policy_that_is_put_there_while_it_runs_counts_at_once(make: Callable[[], Runtime], tmp_path: Path) -> None:
    own = tmp_path / "home" / "lab" / "policy.toml"
    own.unlink()
    policy = make().policy
    assert not policy.knows("os:alice")
    own.write_text("version = ")
    with pytest.raises(BadSettings):
        policy.knows("os:alice")
    own.write_text(POLICY)
    assert policy.knows("os:alice") and policy.person("os:alice").roles
    own.unlink()
    with pytest.raises(BadSettings):
        policy.knows("os:alice")


def test_who_has_no_role_at_all_gets_no_answer(make: Callable[[], Runtime]) -> None:
    with make() as runtime:
        policy = runtime.settings.state_dir / "policy.toml"
        policy.write_text('version = 1\ndefault_role = "none"\n')
        with pytest.raises(NotAllowed) as denied:
            runtime.ask("credits last week", thread=None, person=runtime.person())
    assert denied.value.rule == "role"
