"""A finding as a Slack message and as windows: what it is, what it costs, the evidence, the form for quiet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.replies.figures import show_time
from agent.replies.finding_words import figures, headline, kind_words, quiet_words, state_words, when
from agent.store import FindingEvent
from bots.slack.render.blocks import Block, actions, bullets, button, context, labelled, literal, rich, section_of
from bots.slack.render.evidence import fact_blocks
from bots.slack.render.limits import REASON_LENGTH, RICH_TEXT, VIEW_TITLE
from bots.slack.render.modals import REASON_BLOCK, View, fitting, modal
from bots.slack.render.text import bare, plain, shortened, top_text
from bots.slack.types import Action, Message
from tools.finding import FindingRecord

__all__ = [
    "EVIDENCE_OF",
    "LENGTH_BLOCK",
    "QuietForm",
    "finding_message",
    "finding_view",
    "mark_of",
    "more_message",
    "quiet_form",
    "quiet_view",
]

EVIDENCE_OF = "finding:"
"""Before the finding's id in the value of its button "Show the evidence": answers have their trace's id there."""
LENGTH_BLOCK = "length"
Quiet = Literal["snooze", "dismiss"]
_SIGNS = {"info": ":information_source:", "warning": ":warning:", "critical": ":rotating_light:"}
_OVER = ":white_check_mark:"
_NOTIFICATION = 1_000
_HEAD = 500
_EVENTS = 30


def finding_message(record: FindingRecord, tz: str) -> Message:
    """One message, whatever becomes of the finding: the same is changed in place."""
    finding = record.finding
    head = shortened(headline(record), _HEAD)
    over = finding.state == "resolved"
    title = [
        {"type": "emoji", "name": (_OVER if over else _SIGNS[finding.severity]).strip(":")},
        literal(" "),
        literal(head, bold=True),
    ]
    lines = [
        labelled("What", figures(record) or kind_words(finding.kind)),
        labelled("When", when(finding, tz)),
        labelled("State", f"{state_words(record, tz)}, {finding.severity}"),
    ]
    if quiet := quiet_words(record, tz):
        lines.append(labelled("Quiet", quiet))
    if finding.draft is not None and not over:
        lines.append([*labelled("Could be asked for", ""), literal(finding.draft.ask, code=True)])
    blocks: list[Block] = [rich(section_of(title), bullets(_pieces(line) for line in lines))]
    blocks += context(_small(record, tz))
    blocks.append(actions(*_buttons(record)))
    state = "over: " if over else ""
    return Message(top_text(f"{state}{head} ({finding.severity})", _NOTIFICATION), tuple(blocks))


def _pieces(line: Sequence[Block]) -> list[Block]:
    """No element longer than Slack takes; what is cut stands in the evidence."""
    return [e | {"text": shortened(e["text"], RICH_TEXT)} if "text" in e else e for e in line]


def _small(record: FindingRecord, tz: str) -> str:
    finding = record.finding
    seen = f"Finding {finding.id}; seen by the scan as of {show_time(record.seen_at, tz)}."
    practice = f" Practice: {finding.practice}." if finding.practice else ""
    return seen + practice


def _buttons(record: FindingRecord) -> list[Block]:
    finding = record.finding
    shown = [button("Show the evidence", Action.EVIDENCE, f"{EVIDENCE_OF}{finding.id}")]
    if finding.state in ("new", "open"):
        shown.append(button("Snooze", Action.FINDING_SNOOZE, finding.id))
    if finding.state != "resolved":
        shown.append(button("Dismiss", Action.FINDING_DISMISS, finding.id))
    return shown


def mark_of(record: FindingRecord) -> str:
    """Changes when people should see another message: not with every minute that a statement runs on, nor with what
    becomes of a finding that somebody has dismissed.
    """
    finding = record.finding
    if record.dismissed:
        said = [record.by, record.reason, str(finding.ended_at)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
    impact = "" if finding.state == "resolved" else f"{finding.impact_credits_per_day:.2g}"
    state = "open" if finding.state == "new" else finding.state
    said = [
        state,
        finding.kind,
        finding.severity,
        impact,
        str(finding.ended_at),
        str(record.snoozed_until),
        record.reason,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def more_message(count: int) -> Message:
    """What one scan has found beyond what it posts."""
    text = f"… and {count:,} more. All of them: ask me “what is open?”, or frostline findings list."
    return Message(top_text(text, _NOTIFICATION), (rich(section_of([literal(text)])),))


# --- windows --------------------------------------------------------------------------------------------------------


def finding_view(record: FindingRecord, events: Sequence[FindingEvent], tz: str) -> View:
    """Where its figures come from, and what became of it."""
    finding = record.finding
    blocks: list[Block] = [
        rich(section_of([literal(shortened(headline(record), RICH_TEXT), bold=True)])),
        rich(
            bullets(
                _pieces(line)
                for line in (
                    labelled("Kind", f"{kind_words(finding.kind)}, {finding.severity}"),
                    labelled("State", state_words(record, tz)),
                    labelled("When", when(finding, tz)),
                    labelled("What", figures(record) or "–"),
                    labelled("To be seen from", show_time(finding.detected_at, tz)),
                    labelled("To be read in the account from", show_time(finding.visible_at, tz)),
                    labelled("Confidence", f"{100 * record.confidence:.0f} %"),
                    labelled("Finding", finding.id),
                )
            )
        ),
        *fact_blocks(list(finding.evidence), tz),
    ]
    if quiet := quiet_words(record, tz):
        blocks += context(quiet)
    lines = [f"{show_time(e.at, tz)} {e.event} by {e.actor}" + (f": {e.detail}" if e.detail else "") for e in events]
    if lines:
        blocks += context("What became of it\n" + "\n".join(bare(line) for line in lines[-_EVENTS:]))
    return modal("Evidence", fitting(blocks, f"The rest: frostline findings show {finding.id}"))


@dataclass(frozen=True)
class QuietForm:
    """Which finding the form is about, and which message it was opened from."""

    what: Quiet
    finding_id: str
    channel: str
    ts: str


def quiet_view(record: FindingRecord, what: Quiet, channel: str, ts: str) -> View:
    """Reason, and for a snooze how long; both are kept in the audit trail."""
    blocks = list(context(f"{headline(record)}."))
    if what == "snooze":
        length = {"type": "plain_text_input", "action_id": LENGTH_BLOCK, "initial_value": "1d", "max_length": 20}
        blocks.append(_input(LENGTH_BLOCK, "For how long? E.g. 4h, 2d", length))
    reason = {
        "type": "plain_text_input",
        "action_id": REASON_BLOCK,
        "multiline": True,
        "max_length": REASON_LENGTH,
        "placeholder": plain("Others will ask why it is quiet; kept in the audit trail", 150),
    }
    blocks.append(_input(REASON_BLOCK, "Why?", reason))
    return modal("Snooze" if what == "snooze" else "Dismiss", blocks, close="Back") | {
        "submit": plain("Snooze" if what == "snooze" else "Dismiss", VIEW_TITLE),
        "callback_id": Action.FINDING_FORM.value,
        "private_metadata": json.dumps({"what": what, "finding": record.id, "channel": channel, "ts": ts}),
    }


def _input(name: str, label: str, element: Mapping[str, Any]) -> Block:
    block = {"type": "input", "block_id": name, "optional": False, "label": plain(label, 2_000)}
    return {**block, "element": dict(element)}


def quiet_form(metadata: str) -> QuietForm | None:
    """None for anything that `quiet_view` did not write."""
    try:
        read = json.loads(metadata)
        what, finding, channel, ts = (read[name] for name in ("what", "finding", "channel", "ts"))
    except (ValueError, KeyError, TypeError):
        return None
    if what not in ("snooze", "dismiss") or not all(isinstance(v, str) for v in (finding, channel, ts)):
        return None
    return QuietForm(what, finding, channel, ts)
