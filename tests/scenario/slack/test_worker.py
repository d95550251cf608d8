"""A bot process that ends between an approval and its effect: the next bot's own worker settles it, once and truly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.scenario.slack.desk import Desk, deciding
from tests.scenario.slack.processes import running
from tools.domain import PlanState


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with deciding(template_home, tmp_path_factory.mktemp("worker")) as made:
        yield made


@pytest.mark.parametrize(
    ("point", "left", "ran", "settled", "words"),
    [
        ("before_claim", PlanState.APPROVED, 0, PlanState.APPLIED, "Applied"),
        ("before_statement", PlanState.CLAIMED, 0, PlanState.FAILED, "Not applied"),
        ("after_statement", PlanState.CLAIMED, 1, PlanState.APPLIED, "verified by state"),
        ("after_finish", PlanState.APPLIED, 1, PlanState.APPLIED, "Applied"),
    ],
)
@pytest.mark.timeout(180)
def test_killed_between_approval_and_effect(
    desk: Desk, point: str, left: PlanState, ran: int, settled: PlanState, words: str
) -> None:
    desk.clock.shift = timedelta(0)
    desk.open()
    with running(desk, module="tests.scenario.slack.dying", arguments=("--die", point)) as bot:
        change = desk.propose()
        desk.slack.click(desk.alice, change.card.channel, change.card.ts, "frostline_approve")
        assert bot.process.wait(60) == -9
    assert desk.record(change.card).state is left
    assert desk.alters(change.warehouse).count(change.statement) == ran
    assert "Applied" not in desk.text(change.card)
    desk.stop()
    desk.clock.shift = timedelta(minutes=5)  # the claim has lapsed; the plan has not expired
    desk.start()
    desk.becomes(change.card, words)
    desk.wait(lambda: desk.record(change.card).state is settled)
    assert "approved by" in desk.becomes(change.card, words)
    assert len(desk.wait(lambda: desk.notes(change.card))) == 1
    assert desk.alters(change.warehouse).count(change.statement) == (0 if settled is PlanState.FAILED else 1)
    assert (desk.live(change.warehouse) == change.seconds) is (settled is PlanState.APPLIED)
    assert desk.runtime.store.verify_audit().ok
    desk.stop()
    assert desk.slack.violations == []


def test_the_worker_lets_plans_expire_that_have_no_card(desk: Desk) -> None:
    desk.clock.shift = timedelta(0)
    desk.start()
    change = desk.propose()
    desk.stop()
    desk.slack.delete(change.card.channel, change.card.ts)
    desk.clock.shift = timedelta(hours=1)
    desk.start()
    desk.wait(lambda: desk.record(change.card).state is PlanState.EXPIRED)
    assert "Expired" in desk.wait(lambda: desk.notes(change.card))[0]
    desk.stop()
    assert desk.slack.violations == []
