"""Two scans at once, each a real process on one store: one works, the other says so; a dead one keeps nobody out."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.store import Store
from tests.engines import fresh_url

# The account is a stub whose look takes as long as the test says: only lease and store are tried here.
SCAN = """
import json, sys, time, uuid
from datetime import UTC, datetime, timedelta
import agent.scan.run as run
from agent.scan import ScanContext
from agent.scan.context import Look
from agent.store import Store
from tests.unit.agent.findings import SCOPE, sighting, at
class Clock:
    def now(self): return datetime.now(UTC)
class Reader:
    def now(self): return at(5)
url, lease, busy = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
def look(context, now, say):
    print(json.dumps({"looking": True}), flush=True)
    time.sleep(busy)
    return Look(sightings=[sighting(seen=5)], looked={SCOPE})
run._look = look
store = Store.open(url, account="ACME", clock=Clock())
context = ScanContext(reader=Reader(), findings=store.findings, leases=store.leases, clock=Clock(),
    new_id=lambda: uuid.uuid4().hex[:12], holder=uuid.uuid4().hex, lease=timedelta(seconds=lease))
print(json.dumps({"ready": True}), flush=True)
sys.stdin.readline()
report = run.scan_once(context)
print(json.dumps({"skipped": report.skipped, "events": [c.event for c in report.changes]}), flush=True)
store.close()
"""


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Scan:
    def __init__(self, url: str, *, lease_s: float, busy_s: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SCAN, url, str(lease_s), str(busy_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        said = json.loads(self.process.stdout.readline())
        assert isinstance(said, dict)
        return said

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> dict[str, Any]:
        out, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        last = json.loads(out.splitlines()[-1])
        assert isinstance(last, dict)
        return last


def test_of_three_scans_at_once_one_works_and_the_others_say_so(engine: str, tmp_path: Path) -> None:
    with fresh_url(engine, tmp_path) as url:
        Store.open(url, account="ACME", clock=WallClock()).close()
        # The lease is shorter than the work: it is renewed, or a second scan would get in.
        scans = [Scan(url, lease_s=0.6, busy_s=1.5) for _ in range(3)]
        for scan in scans:
            assert scan.hear() == {"ready": True}
        for scan in scans:
            scan.go()
        told = [scan.end() for scan in scans]
        assert sorted(bool(t["skipped"]) for t in told) == [False, True, True]
        assert all("Another scan is at it" in t["skipped"] for t in told if t["skipped"])
        assert [t["events"] for t in told if not t["skipped"]] == [["found"]]
        store = Store.open(url, account="ACME", clock=WallClock())
        assert len(store.findings.list()) == 1
        assert store.leases.holder("scan") is None
        store.close()


def test_a_killed_scan_keeps_nobody_out_for_longer_than_its_lease(engine: str, tmp_path: Path) -> None:
    with fresh_url(engine, tmp_path) as url:
        store = Store.open(url, account="ACME", clock=WallClock())
        dying, next_ = Scan(url, lease_s=5, busy_s=60), Scan(url, lease_s=5, busy_s=0)
        for scan in (dying, next_):
            assert scan.hear() == {"ready": True}
        dying.go()
        assert dying.hear() == {"looking": True}
        dying.process.kill()
        dying.process.communicate()
        held = store.leases.holder("scan")
        assert held is not None
        deadline = held[1] + timedelta(seconds=1)
        while store.leases.holder("scan") is not None and datetime.now(UTC) < deadline:
            time.sleep(0.05)
        next_.go()
        assert next_.end() == {"skipped": "", "events": ["found"]}
        store.close()
