"""Records real replies for the tests of proof: what check_answer saw for the questions of the other tests.

    python -m tests.unit.agent.replies.record HOME

HOME: a FROSTLINE_HOME whose demo account is built (`frostline account reset`). Questions come from the phrasings of the
planner's tests and the eval cases, with the warehouses' names of the demo account. Writes replies.json.gz beside this
file: templates, and the evidence that each could cite.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from agent.nodes import check_answer as node
from agent.replies.citations import Evidence
from agent.runtime import Runtime
from agent.settings import load_settings

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
FILE = HERE / "replies.json.gz"


def questions(warehouses: list[str]) -> Iterator[list[str]]:
    """Conversations; the in-memory account's warehouses become the demo account's."""
    for name in ("phrasings", "orders"):
        for case in yaml.safe_load((HERE.parents[1] / "agent_chat" / f"{name}.yaml").read_text(encoding="utf-8")):
            text = case["text"]
            for number, known in enumerate(("BI_DEV_WH", "BI_WH", "ETL_WH")):
                text = text.replace(known, warehouses[number])
            yield [text]
    for path in sorted((ROOT / "evals" / "cases").glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]:
            yield [turn if isinstance(turn, str) else turn["text"] for turn in case["inputs"].get("turns", ())]


def record(home: Path) -> None:
    replies: list[dict[str, Any]] = []
    seen: list[tuple[Any, ...]] = []
    kept = node.refusals

    def watched(template: str, evidence: Evidence, *, names: bool = True, ours: bool = False) -> list[str]:
        seen.append((template, evidence))
        return kept(template, evidence, names=names, ours=ours)

    node.refusals = watched
    with Runtime.open(load_settings("demo")) as runtime:
        person = runtime.person("demo-admin")
        names = [warehouse.name for warehouse in runtime.reader.warehouses()]
        for number, turns in enumerate(questions(names)):
            for text in turns:
                del seen[:]
                turn = runtime.ask(text, thread=f"record-{number}", person=person)
                if seen and turn.facts:
                    replies.append({"question": text, **plain(*seen[0])})
    raw = json.dumps(replies, ensure_ascii=False, separators=(",", ":")).encode()
    FILE.write_bytes(gzip.compress(raw, mtime=0))
    print(f"{len(replies)} replies, {len(raw):,} bytes, {FILE.stat().st_size:,} packed")


def plain(template: str, evidence: Evidence) -> dict[str, Any]:
    return {
        "template": template,
        "facts": [fact.model_dump(mode="json") for fact in evidence.facts.values()],
        "texts": dict(evidence.texts),
        "names": sorted(evidence.names),
        "tz": evidence.tz,
        "said": sorted(evidence.said),
        "scope": evidence.scope,
    }


if __name__ == "__main__":
    record(Path(sys.argv[1]))
