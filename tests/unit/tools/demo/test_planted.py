"""What is planted, and what is true: placed by seed, told by the labels alone, found in the account where they say."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.unit.tools.demo.conftest import Generated
from tools.demo.generate.catalog import catalog
from tools.demo.generate.days import DAY_MS, milliseconds, moment
from tools.demo.generate.incidents import announced, incidents
from tools.demo.generate.truth import truth
from tools.demo.generate.workload import draw, table
from tools.demo.labels import Label, labels, optimum
from tools.errors import BadArgument

FIRST = datetime(2026, 8, 20, tzinfo=UTC)
UNTIL = datetime(2026, 11, 18, 17, 20, tzinfo=UTC)
WASTE = "ad6e9ca050ff41cc9cbf095282cebf0c1c20c61a67a14f1f30b6bf9e84b04990"
"""The waste was set before any advisor existed: who changes it after that can no longer claim so."""


def test_the_waste_is_frozen() -> None:
    text = resources.files("tools.demo.generate").joinpath("waste.toml").read_bytes()
    assert hashlib.sha256(text).hexdigest() == WASTE


# --- where ---------------------------------------------------------------------------------------------------------

KINDS = {
    *("runaway_query", "resize_forgotten", "keep_alive_poller", "retry_storm", "backfill", "silence", "drift"),
    *("queueing", "cloud_services", "spill", "failing_queries"),
}


def test_most_kinds_come_several_times_in_90_days_and_none_crowds_the_account() -> None:
    every = [labels(seed, FIRST, UNTIL) for seed in range(12)]
    planted = [[label for label in found if label.kind in KINDS] for found in every]
    assert all(20 <= len(found) <= 60 for found in planted)
    counts = [Counter(label.kind for label in found) for found in planted]
    for kind in KINDS:
        seen = [count[kind] for count in counts]
        assert np.median(seen) >= 2, kind
        assert max(seen) <= 12, kind
    assert len({tuple((label.kind, label.start) for label in found) for found in every}) == 12


def test_what_is_planned_is_labelled_and_must_not_be_flagged() -> None:
    quiet = [label for label in labels(7, FIRST, UNTIL) if not label.expected_flag]
    assert {label.kind for label in quiet} == {"month_end", "holiday", "planned_migration"}
    assert {label.warehouse for label in quiet if label.kind == "planned_migration"} == {"LEGACY_WH", "REPORT_WH"}
    assert datetime(2026, 11, 11, 8, tzinfo=UTC) in {label.start for label in quiet if label.kind == "holiday"}


def test_incidents_do_not_depend_on_how_time_is_cut_and_never_meet_on_one_warehouse() -> None:
    demo, first, until = catalog(), milliseconds(FIRST), milliseconds(UNTIL)
    whole = incidents(demo, 3, first, first, until)
    parts = {
        each
        for day in range(90)
        for each in incidents(demo, 3, first, first + day * DAY_MS, first + (day + 1) * DAY_MS)
    }
    assert parts >= set(whole)
    for name in {each.warehouse for each in whole}:
        mine = sorted((each.start, each.end) for each in whole if each.warehouse == name)
        assert all(end <= start for (_, end), (start, _) in pairwise(mine))


def test_a_day_is_drawn_the_same_in_every_window() -> None:
    demo, first = catalog(), milliseconds(FIRST)
    begin, end = first + 20 * DAY_MS, first + 22 * DAY_MS
    whole = draw(demo, 5, first, begin, end, precursors=True)
    border = begin + 17 * 3_600_000 + 1_200_000
    halves = [draw(demo, 5, first, a, b, precursors=True) for a, b in ((begin, border), (border, end))]
    for name in whole.columns:
        assert np.array_equal(whole.columns[name], np.concatenate([half.columns[name] for half in halves])), name


def test_half_of_all_accounts_have_failures_that_announce_themselves() -> None:
    told = [announced(seed) for seed in range(40)]
    assert 10 <= sum(told) <= 30
    one = [label for label in labels(7, FIRST, UNTIL, precursors=True) if label.kind == "failing_queries"]
    assert one
    assert all(label.precursors for label in one)
    assert not any(label.precursors for label in labels(7, FIRST, UNTIL, precursors=False))


def test_precursors_rise_before_the_failures_and_not_in_the_other_account() -> None:
    demo, first = catalog(), milliseconds(FIRST)
    (found, *_) = [
        each for each in incidents(demo, 7, first, first, milliseconds(UNTIL)) if each.kind == "failing_queries"
    ]
    window = (found.start - 20 * 3_600_000, found.end)
    loud, silent = (draw(demo, 7, first, *window, precursors=told) for told in (True, False))
    known = table(demo)
    theirs = np.array([h.warehouse == found.warehouse and not h.human for h in demo.habits])[loud.ints("habit")]
    before = theirs & (loud.ints("at") < found.start)
    rise = loud.floats("work")[before] / silent.floats("work")[before]
    hours = (loud.ints("at")[before] - window[0]) / 3_600_000
    assert np.corrcoef(rise, hours)[0, 1] > 0.99
    assert rise.max() > 2
    assert loud.ints("retry")[before].sum() > silent.ints("retry").sum() == 0
    during = theirs & (loud.ints("at") >= found.start) & ~known.metadata[loud.ints("statement")]
    assert (loud.ints("error")[during] > 0).mean() > 0.7 * found.chance
    assert np.array_equal(loud.ints("error"), silent.ints("error"))


# --- in the account ------------------------------------------------------------------------------------------------


def _within(generated: Generated, label: Label, condition: str, column: str = "START_TIME") -> int:
    inside = f"WAREHOUSE_NAME = ? AND {column} >= ? AND {column} < ?"
    sql = f"SELECT count(*) FROM _RAW.QUERY_HISTORY WHERE {inside} AND {condition}"
    return int((generated.con.execute(sql, [label.warehouse, label.start, label.end]).fetchone() or (0,))[0])


def _of(generated: Generated, kind: str) -> list[Label]:
    found = labels(generated.seed, moment(generated.first), generated.about.now)
    return [label for label in found if label.kind == kind and label.end < generated.about.now - timedelta(hours=3)]


@pytest.mark.parametrize(
    ("kind", "condition", "least"),
    [
        ("retry_storm", "ERROR_CODE = '100072' AND QUERY_TAG LIKE '%SYNC_CRM%'", 60),
        ("keep_alive_poller", "USER_NAME = 'MONITOR_SVC'", 1500),
        ("backfill", "QUERY_TEXT LIKE '%FORCE = TRUE%'", 55),
        ("queueing", "QUEUED_OVERLOAD_TIME > 0", 50),
        ("cloud_services", "USER_NAME = 'CATALOG_SVC'", 1400),
    ],
)
def test_the_account_shows_what_the_labels_say(generated: Generated, kind: str, condition: str, least: int) -> None:
    for label in _of(generated, kind):
        assert _within(generated, label, condition) >= least, label


def test_silence_runaways_and_failures_are_where_the_labels_say(generated: Generated) -> None:
    for label in _of(generated, "silence"):
        assert _within(generated, label, "USER_TYPE = 'SERVICE'") == 0, label
    for label in _of(generated, "runaway_query"):
        hours = (label.end - label.start).total_seconds() / 3600
        assert _within(generated, label, f"EXECUTION_TIME > {3.56e6 * hours} AND ERROR_CODE = '000604'") == 1, label
    for label in _of(generated, "failing_queries"):
        failed, all_ = (
            _within(generated, label, c)
            for c in ("EXECUTION_STATUS = 'FAIL' AND USER_TYPE = 'SERVICE'", "USER_TYPE = 'SERVICE'")
        )
        assert failed > 0.2 * all_, label


def test_resizes_by_hand_stand_in_the_events(generated: Generated) -> None:
    for kind in ("resize_forgotten", "spill"):
        for label in _of(generated, kind):
            sql = (
                "SELECT count(*) FROM _RAW.WAREHOUSE_EVENTS_HISTORY WHERE WAREHOUSE_NAME = ? AND EVENT_NAME = "
                "'ALTER_WAREHOUSE' AND TIMESTAMP BETWEEN ? AND ?"
            )
            both = [label.warehouse, label.start, label.end]
            assert generated.con.execute(sql, both).fetchall() == [(2,)] or label.warehouse == "LOAD_WH", label


# --- what is true --------------------------------------------------------------------------------------------------


def test_truth_differs_by_warehouse_and_seed_within_what_is_real() -> None:
    known = [truth(seed, warehouse, 1.3) for seed in range(40) for warehouse in (1201, 1203)]
    assert {each.slots for each in known} == {5, 6, 7, 8}
    seconds = np.array([0.2, 1.0, 3.0, 10.0, 100.0])
    for each in known:
        larger = each.factor(seconds, 3)
        assert np.all(larger < 1)
        assert np.all(larger > 0.5)
        assert np.all(np.diff(larger) < 0)
        assert np.all(each.factor(seconds, 9) >= each.factor(seconds, each.best_rank))
    assert truth(1, 1203, 1.3) == truth(1, 1203, 1.3) != truth(2, 1203, 1.3)


def test_the_optimum_is_no_worse_than_what_is_set(generated: Generated) -> None:
    simulation = generated.folder / "simulation.json"
    found = optimum(simulation, 1205, days=5)
    assert found.warehouse == "DEV_WH"
    assert found.saved > 50
    assert found.best.auto_suspend is not None
    assert found.best.mean_ms <= 1.25 * found.actual.mean_ms
    strict = optimum(simulation, 1205, days=5, slower=0.0)
    assert strict.best == replace(strict.actual)
    with pytest.raises(BadArgument):
        optimum(simulation, 1210)
    assert isinstance(simulation, Path)
