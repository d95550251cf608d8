"""The thinker without a model: every decision a rule, every rule a table test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import prompts
from agent.offline.advice import asks_for_advice, decide_advice, describes
from agent.offline.answers import answer_to
from agent.offline.changes import asked_again, decide_change
from agent.offline.composition import write_reply
from agent.offline.findings import decide_findings
from agent.offline.orders import clusters_in
from agent.offline.outlook import decide_outlook
from agent.offline.parts import order_aside, parts_of
from agent.offline.picking import speaks_of_a_place, which_of_them, with_place_named
from agent.offline.reading import asks_what_runs, decide_reading
from agent.offline.remarks import remark_on_last
from agent.offline.requests import clauses, is_order
from agent.offline.services import with_services
from agent.offline.slots import Slots, mended, read_slots, wants_least
from agent.offline.words import patterns
from agent.state import CallResult, Clarify, Decision, Done, Refuse, ToolCall, ToolCalls, TurnView
from tools.windows.parse import find_windows

__all__ = ["OfflineThinker"]


class OfflineThinker:
    """Implements `agent.state.Thinker`."""

    name = "offline"

    def decide(self, turn: TurnView) -> Decision:
        turn = replace(turn, text=with_services(turn.text, turn.names))
        if turn.results:
            return _after(turn)
        answered = _answered(turn)
        if answered is not None:
            return answered
        if not turn.asked_for_change:  # of what is to be changed the name is asked for
            turn = replace(turn, text=with_place_named(turn.text, turn.memory, turn.names))
        if turn.asked_for_change:
            change = _change(turn)
            if change is not None:
                return change
        elsewhere = self._in_other_money(turn)
        if elsewhere is not None:
            return elsewhere
        several = self._in_parts(turn)
        if several is not None:
            return several
        if asks_what_runs(turn.text):
            return _question(turn.text, turn) or _not_understood(turn)
        return (
            _talk(turn.text)
            or _sureness(turn)
            or _other_language(turn.text)
            or _findings(turn)
            or _own(turn)
            or _advice(turn)
            or _picked(turn)
            or _by_place(turn)
            or _outlook(turn)
            or _no(turn)
            or _question(turn.text, turn)
            or _not_understood(turn)
        )

    def _in_other_money(self, turn: TurnView) -> Decision | None:
        """Costs 'in euros' are told in dollars, and that they are; of an amount of euros nothing is known."""
        found = _OTHER_MONEY.search(turn.text)
        if found is None:
            return None
        if _OTHER_AMOUNT.search(turn.text):
            return Refuse(template=prompts.text("no_currency"), code="not_supported")
        decision = self.decide(replace(turn, text=_OTHER_MONEY.sub(" in dollars ", turn.text)))
        return _with_note(decision, _IN_DOLLARS) if isinstance(decision, ToolCalls) else decision

    def _in_parts(self, turn: TurnView) -> ToolCalls | None:
        """Several questions, each read by itself; a question without the order behind it, and that it was not taken."""
        warehouses = turn.names.warehouses()
        asked = "" if turn.asked_for_change else order_aside(turn.text, warehouses)
        if asked:
            decision = self.decide(replace(turn, text=asked))
            return _with_note(decision, _ORDER_ASIDE) if isinstance(decision, ToolCalls) else None
        calls: list[ToolCall] = []
        notes: list[str] = []
        parts, shared = parts_of(turn.text, warehouses, turn.now, turn.timezone)
        for part in parts:
            decision = self.decide(replace(turn, text=part))
            if not isinstance(decision, ToolCalls) or decision.read_as:
                return None
            calls += decision.calls
            notes += [decision.note] if decision.note else []
        calls = _of_the_same(calls) if shared else calls
        return ToolCalls(calls=tuple(calls), note=" ".join(notes)) if calls else None

    def write(self, turn: TurnView) -> str:
        least = wants_least(mended(turn.text, turn.names.warehouses()))
        return write_reply(turn.results, turn.timezone, cards=turn.cards, least=least)


_OTHER = r"(?:euros?|eur|gbp|pounds?|sterling|yen|chf|francs?)\b"
_OTHER_MONEY = re.compile(rf"\b(?:in |into )?{_OTHER}|[€£]", re.IGNORECASE)
_OTHER_AMOUNT = re.compile(rf"[€£] ?\d|\d ?(?:k|m|thousand|million)? ?(?:€|£|{_OTHER})", re.IGNORECASE)
_IN_DOLLARS = "Amounts are in US dollars: I know no exchange rate."
_ORDER_ASIDE = (
    "Only the question is answered, and nothing is proposed: to change something, ask for it in a message of its own."
)


def _of_the_same(calls: list[ToolCall]) -> list[ToolCall]:
    """'How many queries ran on X on Monday and how many failed?': what shares its time is of the same names."""
    given = [call.args["filters"] for call in calls if call.args.get("filters")]
    if len(given) != 1 or any(call.name != "query_usage" for call in calls):
        return calls
    return [call.model_copy(update={"args": {"filters": given[0], **call.args}}) for call in calls]


def _with_note(decision: ToolCalls, note: str) -> ToolCalls:
    return decision.model_copy(update={"note": " ".join(filter(None, (decision.note, note)))})


# --- the person's words ----------------------------------------------------------------------------------


def _talk(text: str) -> Done | None:
    for name, pattern in patterns("talk").items():
        if pattern.search(text):
            return Done(template=prompts.text(name))
    return None


def _sureness(turn: TurnView) -> Done | None:
    """'How sure are you?': what the last answer's figures are, and where it says how far they hold."""
    if not patterns("sure")["asks"].search(turn.text):
        return None
    tool = (turn.memory.get("last") or {}).get("name", "")
    return Done(template=prompts.text(_SURE.get(tool, "sure_measured")))


_SURE = {"run_forecast": "sure_forecast", "budget": "sure_forecast", "detect_anomalies": "sure_odd"}


def _other_language(text: str) -> Refuse | None:
    """'Wie viele Credits ...?': no name is asked back that is a word of another language."""
    found = {word.casefold() for word in patterns("languages")["other"].findall(text)}
    return Refuse(template=prompts.text("only_english"), code="not_understood") if len(found) > 1 else None


def _own(turn: TurnView) -> ToolCalls | None:
    """What Frostline itself costs."""
    if not patterns("own_cost")["asks"].search(_without_names(turn.text, turn.names.warehouses()).casefold()):
        return None
    windows = find_windows(turn.text, turn.now, turn.timezone)
    return ToolCalls(calls=(ToolCall(name="own_cost", args={"window": windows[0].phrase} if windows else {}),))


def _findings(turn: TurnView) -> ToolCalls | Clarify | Refuse | None:
    """What scans have found is read from the store."""
    return decide_findings(read_slots(turn.text, turn.names, turn.now, turn.timezone))


def _advice(turn: TurnView) -> ToolCalls | None:
    """What the knowledge base answers: general advice, and what people's own runbooks say."""
    warehouses = turn.names.warehouses()
    times = bool(find_windows(turn.text, turn.now, turn.timezone))
    if not asks_for_advice(turn.text, warehouses, windows=times):
        return None
    return decide_advice(turn.text, warehouses, turn.memory.get("advice") or ())


def _picked(turn: TurnView) -> ToolCalls | None:
    """Which of what the last answer listed, and what 'that' in a remark is."""
    slots = read_slots(turn.text, turn.names, turn.now, turn.timezone)
    return which_of_them(slots, turn.memory) or remark_on_last(slots, turn.memory.get("last"))


def _by_place(turn: TurnView) -> Clarify | None:
    """'The first one' where no names were listed, or none that this person may see."""
    return Clarify(template=_BY_PLACE) if speaks_of_a_place(turn.text) else None


def _outlook(turn: TurnView) -> ToolCalls | Clarify | None:
    """What is to come, whether a budget holds, and what was odd."""
    return decide_outlook(turn.text, turn.names, turn.memory, turn.now, turn.timezone)


def _no(turn: TurnView) -> Refuse | None:
    """An honest no to what this version does not do."""
    warehouses = turn.names.warehouses()
    for text in dict.fromkeys((turn.text, mended(turn.text, warehouses))):
        bare = _without_names(text, warehouses)
        for topic, pattern in patterns("refusals").items():
            if pattern.search(bare):
                return Refuse(template=prompts.text(f"no_{topic}"), code="not_supported")
    return None


def _without_names(text: str, warehouses: tuple[str, ...]) -> str:
    """A warehouse called TASKS_WH does not make a question one about tasks."""
    for name in warehouses:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "X", text, flags=re.IGNORECASE)
    return text


def _question(text: str, turn: TurnView) -> ToolCalls | Clarify | None:
    slots = read_slots(text, turn.names, turn.now, turn.timezone)
    return decide_reading(slots, turn.memory.get("last"), turn.now, turn.timezone)


def _not_understood(turn: TurnView) -> Decision:
    slots = read_slots(turn.text, turn.names, turn.now, turn.timezone)
    if slots.windows or slots.by or slots.mentions or re.search(r"\bwarehouses?\b|\bsnowflake\b", slots.rest):
        text = "What should I measure: credits, cost, queries, failures, queueing, bytes or idle time?"
        return Clarify(template=text, pending=_metric_pending(slots))
    if _OF_THE_ANSWER.search(slots.rest):
        return Clarify(template=_BY_PLACE)
    if describes(turn.text):
        return decide_advice(turn.text, turn.names.warehouses())
    return Refuse(template=prompts.text("not_understood"), code="not_understood")


_OF_THE_ANSWER = re.compile(
    r"\b(?:the )?(?:first|second|third|last|next|other|top|biggest|worst) (?:one|ones|of (?:them|these|those))\b|"
    r"\b(?:which|what|who|any) of (?:these|those|them)\b|\bwhich ones?\b|"
    r"\btell me more\b|\bmore (?:details?|about (?:it|that|this))\b"
)
_BY_PLACE = (
    "I cannot tell which part of my last answer that is. Name what is meant, e.g. a warehouse, and a figure or a time."
)


def _metric_pending(slots: Slots) -> dict[str, Any]:
    words = r"\b(?:credits?|costs?|spend|queries|failures?|queue\w*|bytes|spill\w*|idle|dollars?|billed)\b"
    return {"kind": "text", "pattern": words, "question": slots.text, "slot": "metric"}


# --- changes ---------------------------------------------------------------------------------------------


def _change(turn: TurnView) -> ToolCalls | Clarify | None:
    decision = decide_change(turn.text, turn.names.warehouses(), _spoken_of(turn.memory))
    if isinstance(decision, Clarify):
        return _looked_up(decision, turn.text) or decision
    if decision is None:
        return None
    asked = " ".join(clause for clause, supposed in clauses(turn.text) if not supposed and not is_order(clause))
    if not find_windows(asked, turn.now, turn.timezone):
        return decision
    question = _question(asked, turn)
    if isinstance(question, ToolCalls):
        return question.model_copy(update={"calls": (*question.calls, *decision.calls)})
    return decision


_ALL = re.compile(r"\b(?:all|everything|every|any|idle)\b", re.IGNORECASE)


def _looked_up(question: Clarify, text: str) -> ToolCalls | None:
    """What runs or idles now is read first where the question back can then offer it."""
    pending = question.pending
    wish = pending["wishes"][pending["wish"]] if pending.get("wishes") else {}
    if pending.get("slot") == "query_id":
        names = {"names": list(wish["near"])} if wish["near"] else {}
        return ToolCalls(calls=(ToolCall(name="list_warehouses", args={**names, "statements": True}),))
    if wish.get("action") == "suspend_idle" and not question.options and not wish["written"] and _ALL.search(text):
        return ToolCalls(calls=(ToolCall(name="list_warehouses", args={"odd": ["running_idle"]}),))
    return None


def _offered(turn: TurnView) -> Clarify | None:
    """The question about a change, with what was just read as its options."""
    result = turn.results[-1]
    question = decide_change(turn.text, turn.names.warehouses(), _spoken_of(turn.memory))
    if not isinstance(question, Clarify) or result.name != "list_warehouses" or result.status != "ok":
        return None
    data, pending = result.data or {}, question.pending
    if pending.get("slot") == "query_id":
        found = (data.get("statements") or [])[:_MOST_OFFERED]
        ids = tuple(row["query_id"] for row in found)
        lines = [f"- [[o{n}]], for [[{row['figures']['seconds']}]]" for n, row in enumerate(found, start=1)]
        text = "Which query? The longest stands first:\n" + "\n".join(lines)
        empty = "No query runs or waits there now. Give the id of the query that is meant."
        pending = {**pending, "kind": "query", "options": list(ids)}
        return Clarify(template=text if ids else empty, options=ids, pending=pending)
    names = tuple(row["name"] for row in data.get("rows") or [])[:_MOST_OFFERED]
    if not names:
        return Clarify(template="No warehouse is up without work now. Which warehouse is meant?", pending=pending)
    text = "Which of these? They are up and nothing runs on them now:"
    return Clarify(template=text, options=names, pending={**pending, "options": list(names)})


_MOST_OFFERED = 20


def _spoken_of(memory: Mapping[str, Any]) -> str | None:
    """The one warehouse that the last question was about."""
    args = (memory.get("last") or {}).get("args", {})
    names = args.get("names") or args.get("filters", {}).get("warehouse") or []
    return str(names[0]) if len(names) == 1 else None


# --- answers to our questions ----------------------------------------------------------------------------


def _answered(turn: TurnView) -> Decision | None:
    pending = turn.memory.get("pending")
    value = answer_to(turn.text, pending)
    if value is None or pending is None:
        return None
    if pending.get("wishes"):
        return _wish_completed(pending, value, turn)
    question = str(pending["question"])
    if pending.get("slot") == "metric":
        return _question(f"{value} {question}", turn)
    return _question(question.replace(str(pending["written"]), f'"{value}"', 1), turn)


def _wish_completed(pending: Mapping[str, Any], value: str | int, turn: TurnView) -> Decision:
    wishes = [{**wish, "args": dict(wish["args"])} for wish in pending["wishes"]]
    wish = wishes[int(pending["wish"])]
    if pending["slot"] == "clusters":
        wish["args"] |= clusters_in(f"clusters {value}")
    elif pending["slot"] == "query_id":
        found = re.search(str(pending["pattern"]), str(value), re.IGNORECASE)
        wish["args"]["query_id"] = found[0].lower() if found else ""
    else:
        wish["args"][pending["slot"]] = value
    return asked_again(wishes, turn.names.warehouses())


# --- after the calls -------------------------------------------------------------------------------------


def _after(turn: TurnView) -> Decision:
    """What a tool could not use is asked back; everything else is answered."""
    offered = _offered(turn) if turn.asked_for_change else None
    if offered is not None:
        return offered
    failed = next(((n, r) for n, r in enumerate(turn.results, start=1) if r.error), None)
    if failed is None or any(r.status == "needs_approval" for r in turn.results):
        return _nothing_said(turn) or Done()
    number, result = failed
    if result.error == "unknown_name":
        return _unknown(turn, result)
    if result.error == "bad_argument":
        hint = f" [[r{number}.hint]]" if result.hint else ""
        return Clarify(template=f"[[r{number}.message]]{hint}")
    return Done()


def _nothing_said(turn: TurnView) -> Refuse | None:
    """What was taken for the description of a symptom, and no practice speaks to it, was not understood."""
    only = turn.results[0]
    if len(turn.results) > 1 or only.name != "search_practices" or only.status != "no_data":
        return None
    if asks_for_advice(turn.text, turn.names.warehouses()):
        return None
    return Refuse(template=prompts.text("not_understood"), code="not_understood")


def _unknown(turn: TurnView, result: CallResult) -> Clarify:
    near = tuple(str(name) for name in result.detail.get("nearest", ()))
    named = str(result.detail.get("name", ""))
    text = "Nothing in the account is named [[named]]." + (" Do you mean:" if near else " Say which name is meant.")
    pending = {"kind": "name", "options": list(near), "question": turn.text, "written": named}
    return Clarify(template=text, options=near, named=named, pending=pending if named in turn.text else {})
