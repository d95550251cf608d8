"""What was planted is there, is labelled, and is nowhere else."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pyarrow.compute as pc
import pytest

from tests.unit.tools.demo.beside.made import FIRST, window
from tools.demo.generate.beside import frames, service_credits
from tools.demo.labels import Label
from tools.demo.labels.beside import beside_labels

SEEDS = (1, 7, 19)
DAYS = 60


def planted(seed: int, kind: str) -> Label:
    (found,) = [label for label in beside_labels(seed, FIRST, FIRST + timedelta(days=58)) if label.kind == kind]
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stretch_has_one_of_each_kind_well_inside_it(seed: int) -> None:
    until = FIRST + timedelta(days=14 + 45)
    found = beside_labels(seed, FIRST, until)
    assert sorted(label.kind for label in found) == ["clustering_storm", "login_failures", "storage_growth"]
    for label in found:
        assert FIRST + timedelta(days=18) <= label.start < until
        assert label.start < label.end
        assert label.expected_flag
        assert label.object
        assert label.note


def test_labels_grow_with_time_and_never_change() -> None:
    long = beside_labels(7, FIRST, FIRST + timedelta(days=400))
    for days in (5, 30, 61, 140, 333):
        until = FIRST + timedelta(days=days)
        assert beside_labels(7, FIRST, until) == [label for label in long if label.start < until]
    assert len(long) >= 3 * 8
    assert beside_labels(8, FIRST, FIRST + timedelta(days=400)) != long


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clustering_storm_stands_out_of_its_table_alone(seed: int) -> None:
    label = planted(seed, "clustering_storm")
    credits = service_credits(window(0, DAYS, seed=seed))
    clustering = credits[credits["service_type"] == "AUTO_CLUSTERING"]
    inside = (clustering["hour"] >= label.start) & (clustering["hour"] < label.end)
    hours = (label.end - label.start) / timedelta(hours=1)
    for name, table in clustering.groupby("name"):
        at = table["hour"].isin(clustering[inside]["hour"])
        during = table[at]["credits_compute"].sum() / hours
        otherwise = table[~at]["credits_compute"].sum() / (DAYS * 24 - hours)
        if name == "RAW_EVENTS":
            assert during > 6 * otherwise
        else:
            assert during < 3 * otherwise


@pytest.mark.parametrize("seed", SEEDS)
def test_failed_logins_burst_from_one_address_and_are_few_otherwise(seed: int) -> None:
    label = planted(seed, "login_failures")
    found = frames(window(0, DAYS, seed=seed))["LOGIN_HISTORY"].to_pandas()
    failed = found[found["IS_SUCCESS"] == "NO"]
    inside = (failed["EVENT_TIMESTAMP"] >= label.start) & (failed["EVENT_TIMESTAMP"] < label.end)
    theirs = failed["CLIENT_IP"] == label.object
    assert not (theirs & ~inside).any()
    assert theirs.sum() > 60
    assert failed[theirs]["USER_NAME"].nunique() > 10
    by_hour = failed[~theirs].groupby(failed["EVENT_TIMESTAMP"].dt.floor("h")).size()
    assert by_hour.max() < 12
    assert len(failed[~theirs]) / len(found) > 0.001


@pytest.mark.parametrize("seed", SEEDS)
def test_storage_jumps_by_a_forgotten_copy_and_grows_slowly_otherwise(seed: int) -> None:
    label = planted(seed, "storage_growth")
    until = (label.start - FIRST) / timedelta(days=1) + 3
    found = frames(window(0, until, seed=seed))
    account = found["STORAGE_USAGE"].to_pandas().set_index("USAGE_DATE")["STORAGE_BYTES"]
    change = account.diff().dropna()
    assert pd.Timestamp(change.idxmax()).date() == label.start.date()
    assert change.max() > 4e12
    assert change.drop(change.idxmax()).abs().max() < 1.2e12
    metrics = found["TABLE_STORAGE_METRICS"]
    database, schema, name = (label.object or "").split(".")
    copy = metrics.filter(pc.equal(metrics.column("TABLE_NAME"), name)).to_pylist()
    assert [(row["TABLE_CATALOG"], row["TABLE_SCHEMA"], row["DELETED"]) for row in copy] == [(database, schema, False)]
    assert copy[0]["ACTIVE_BYTES"] > 4e12
