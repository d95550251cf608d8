"""The eval suite's look at Slack: every turn of every case is drawn as Slack would show it, cards included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agent.state import Turn
from bots.slack.incoming import text_of
from bots.slack.render.answer import answer_messages, stream_chunks
from bots.slack.render.blocks import strings_in
from bots.slack.render.card import CardView, card_message
from bots.slack.render.check import chunk_problems, problems
from bots.slack.types import Me, Message
from evals.model import Drawn
from tools.domain import PlanRecord

if TYPE_CHECKING:
    from agent.runtime import Runtime

__all__ = ["BOT", "heard_in_slack", "slack_view"]

BOT = Me(team="TEVAL", team_name="evals", user="UFROSTLINE", bot="BFROSTLINE", app=None, enterprise=None, url="")
"""Cases mention it as `<@UFROSTLINE>`."""

_LIVE = re.compile(r"<[@#!][^<>]*>|<https?:[^<>]*>")
_ALLOWED = re.compile(r"<!date\^")


def heard_in_slack(raw: str) -> str:
    """Slack's text as the bot reads it."""
    return text_of(raw, BOT)


def slack_view(runtime: Runtime, turn: dict[str, Any]) -> Drawn:
    """Both ways in which an answer is sent, plain and streamed, and the cards of its plans."""
    answered = Turn.model_validate(turn)
    cards = [card_message(_card(runtime, ref)) for ref in dict.fromkeys(p.bundle or p.id for p in answered.plans)]
    plain, below, chunks = answer_messages(answered), answer_messages(answered, streamed=True), stream_chunks(answered)
    messages = [*plain, *cards]
    found = [said for message in messages for said in problems(message)]
    found += [said for message in below if message.blocks for said in problems(message)]
    found += chunk_problems(chunks)
    marked = [text for message in messages for text in _marked(message)] + [str(chunk["text"]) for chunk in chunks]
    live = [token for text in marked for token in _LIVE.findall(text) if not _ALLOWED.match(token)]
    shown = "\n".join(text for message in messages for text in (*strings_in(message.blocks), *_files(message)))
    return Drawn(problems=found, shown=shown, live=live)


def _card(runtime: Runtime, ref: str) -> CardView:
    record = runtime.store.resolve(ref)
    records = (record,) if isinstance(record, PlanRecord) else record.plans
    title = "" if isinstance(record, PlanRecord) else record.bundle.title
    return CardView(ref, record.digest, title, records, runtime.account.timezone)


def _marked(message: Message) -> list[str]:
    """The texts in which tokens act: everything else in a message is literal."""
    found = [message.text]
    todo: list[Any] = [*message.blocks]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if value.get("type") == "mrkdwn":
                found.append(str(value.get("text")))
            todo += value.values()
        elif isinstance(value, list | tuple):
            todo += value
    return found


def _files(message: Message) -> list[str]:
    return [file.content.decode(errors="replace") for file in message.files]
