"""A language model as the thinker of one turn: it chooses tools and words replies; code of ours does the rest.

The model sees masked words and compact facts (agent.models.prompting) and can name tools or write a template.
Whatever it names is validated here, gated by call_tools and proven by check_answer. Where no model answers, or the
budget is used up, the planner takes the rest of the turn, and the reply says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import prompts
from agent.models import prompting
from agent.models.errors import BudgetSpent
from agent.models.masking import Mask
from agent.models.reply import ModelReply
from agent.models.requests import Read, failed_for_good, read_requests
from agent.nodes.check_answer import refusals
from agent.offline.answers import answer_to
from agent.offline.planner import OfflineThinker
from agent.replies.citations import Evidence
from agent.replies.evidence import COMMANDS
from agent.state import CallResult, Clarify, Decision, Done, Refuse, Thinker, ToolCalls, TurnView
from tools.errors import Unreachable
from tools.quoting import code

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from agent.models.chain import Models

__all__ = ["Asks", "ModelCall", "ModelThinker", "thinker_for"]

_CANNOT = re.compile(r"^\W*CANNOT\W*:\s*", re.IGNORECASE)
_LAID_OUT = re.compile(r"\[\[\s*r(\d+)\.(?:notes|all|source)\s*\]\]")
_CITED = re.compile(r"\bf\d+\b")


class Asks(Protocol):
    """`agent.models.chain.ModelChain`."""

    def ask(self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]] | None = None) -> ModelReply:
        """
        Raises:
            ModelsUnavailable, BudgetSpent, Unreachable
        """
        ...


@dataclass(frozen=True)
class ModelCall:
    """One request for the trace: no word of what was sent or said."""

    purpose: Literal["decide", "mend", "write", "rewrite"]
    prompt: str
    """agent.models.prompting.digest."""
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    ms: int = 0
    fallback: bool = False
    """Another than the first model answered."""
    error: str | None = None
    """The code of the error where none answered."""


class _NoModel(Exception):
    """No model answers any more in this turn."""


class ModelThinker:
    """Implements `agent.state.Thinker` for one turn; made anew for each. `label` names the first model."""

    def __init__(self, chain: Asks, *, label: str, mask: Mask, offline: Thinker | None = None) -> None:
        self._chain = chain
        self._label = label
        self._mask = mask
        self._offline = offline or OfflineThinker()
        self._calls: list[ModelCall] = []
        self._answered = ""
        self._second = False
        self._fallen: Literal["", "budget", "silent"] = ""
        self._mended = False
        self._written = ""
        self._by_model = False

    @property
    def name(self) -> str:
        if self._fallen:
            why = "budget used up" if self._fallen == "budget" else f"{self._label} did not answer"
            return f"{self._offline.name} ({why})"
        if not self._answered:
            return self._offline.name
        return f"{self._answered} ({self._label} did not answer)" if self._second else self._answered

    @property
    def worded(self) -> bool:
        """Whether the template that it gave last has words of a model's in it, and not of the planner's or ours."""
        return self._by_model

    def thinking(self) -> list[dict[str, Any]]:
        return [asdict(call) for call in self._calls]

    def aside(self) -> str:
        if self._fallen:
            return prompts.text("fallback_budget" if self._fallen == "budget" else "fallback_answered")
        return prompts.text("fallback_second") if self._second else ""

    # --- deciding ------------------------------------------------------------------------------------------------

    def decide(self, turn: TurnView) -> Decision:
        self._by_model = False
        if self._fallen or _answers_the_planner(turn):
            return self._planned(turn)
        try:
            return self._decided(turn)
        except _NoModel:
            return self._planned(turn)

    def _decided(self, turn: TurnView) -> Decision:
        prompting.learn_names(self._mask, turn)
        messages = prompting.conversation(turn, self._mask)
        tools = prompting.offered(changes=turn.asked_for_change)
        reply = self._ask("decide", messages, tools)
        read = read_requests(reply.tool_calls, turn, self._mask)
        problems = _unusable(reply, read, turn)
        if problems and not self._mended:
            self._mended = True
            reply = self._ask("mend", [*messages, *prompting.mending(reply, problems, self._mask)], tools)
            read = read_requests(reply.tool_calls, turn, self._mask)
            problems = _unusable(reply, read, turn)
        if read.calls:
            return ToolCalls(calls=read.calls)
        if failed_for_good(turn.results):
            return self._planned(turn)  # asks back with the nearest names
        if turn.results:
            self._written = "" if reply.tool_calls else self._mask.reveal(reply.text).strip()
            return Done()
        if problems:
            return Clarify(template=prompts.text("gave_up"))
        return self._spoken(self._mask.reveal(reply.text).strip(), turn, messages)

    def _spoken(self, text: str, turn: TurnView, messages: Sequence[BaseMessage]) -> Decision:
        """Words without a call: a question back, a no, or an answer that needs no figures."""
        decision = _in_words(text, turn)
        if isinstance(decision, Clarify) and turn.asked_for_change:
            asked = self._planned(turn)
            if isinstance(asked, Clarify):
                return asked  # the planner knows how to go on from the answer
        problems = _unproven(decision, turn)
        if problems:
            reply = self._ask("rewrite", [*messages, *prompting.again(text, problems, self._mask)], None)
            decision = _in_words(self._mask.reveal(reply.text).strip(), turn)
        if _unproven(decision, turn):
            return self._planned(turn)
        self._by_model = True
        return decision

    def _planned(self, turn: TurnView) -> Decision:
        return self._offline.decide(_without_our_question(turn))

    # --- writing -------------------------------------------------------------------------------------------------

    def write(self, turn: TurnView) -> str:
        self._by_model = False
        if not self._fallen and _may_word(turn.results):
            try:
                self._written = self._worded(turn)
                if self._written and not _says_nothing(self._written, turn):
                    self._by_model = True
                    return _completed(self._written, turn.results)
            except _NoModel:
                pass
        return self._offline.write(turn)

    def _worded(self, turn: TurnView) -> str:
        if self._written and not turn.problems:
            return self._written  # said when it decided that it knows enough
        prompting.learn_names(self._mask, turn)
        messages = prompting.conversation(turn, self._mask)
        if turn.problems and self._written:
            asked = [*messages, *prompting.again(self._written, turn.problems, self._mask)]
            reply = self._ask("rewrite", asked, None)
        else:
            reply = self._ask("write", [*messages, *prompting.writing()], None)
        return _CANNOT.sub("", self._mask.reveal(reply.text).strip())

    # --- asking --------------------------------------------------------------------------------------------------

    def _ask(
        self,
        purpose: Literal["decide", "mend", "write", "rewrite"],
        messages: Sequence[BaseMessage],
        tools: Sequence[Mapping[str, Any]] | None,
    ) -> ModelReply:
        prompt = prompting.digest(messages)
        try:
            reply = _whole(self._chain.ask(messages, tools))
        except (Unreachable, BudgetSpent) as error:
            self._fallen = "budget" if isinstance(error, BudgetSpent) else "silent"
            self._calls.append(ModelCall(purpose, prompt, self._label, error=error.code))
            raise _NoModel from error
        self._answered, self._second = reply.model, reply.fallback
        self._calls.append(
            ModelCall(
                purpose,
                prompt,
                reply.model,
                reply.input_tokens,
                reply.output_tokens,
                reply.usd,
                round(reply.seconds * 1000),
                reply.fallback,
            )
        )
        return reply


def _whole(reply: ModelReply) -> ModelReply:
    """Without lone surrogates, which JSON can hold and neither a request nor a checkpoint can; words that were cut off,
    or withheld in the midst, are no reply.
    """
    text = "" if reply.stopped in ("length", "filter") else _storable(reply.text)
    calls = [replace(c, name=_storable(c.name), args=_storable_all(c.args)) for c in reply.tool_calls]
    return replace(reply, text=text, tool_calls=tuple(calls))


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _storable_all(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, dict):
        return {_storable(str(key)): _storable_all(item) for key, item in value.items()}
    return [_storable_all(item) for item in value] if isinstance(value, list) else value


def thinker_for(models: Models) -> ModelThinker:
    """A thinker for one turn, with a fresh budget and mask, by the settings; `models` has at least one model."""
    given = models.settings
    mask = Mask(users=given.mask_users, objects=given.mask_objects)
    return ModelThinker(models.chain(), label=given.models[0].label, mask=mask)


def _unusable(reply: ModelReply, read: Read, turn: TurnView) -> list[str]:
    """What is wrong with a reply as a whole; an empty one says nothing, a repeated call is a wish to stop."""
    if read.problems:
        return list(read.problems)
    nothing = not reply.tool_calls and not reply.text.strip()
    return ["The reply was empty."] if nothing and not turn.results else []


def _answers_the_planner(turn: TurnView) -> bool:
    """The planner's own questions are answered to the planner: it kept what the answer completes."""
    pending = turn.memory.get("pending") or {}
    return not turn.results and pending.get("by") != "model" and answer_to(turn.text, pending) is not None


def _without_our_question(turn: TurnView) -> TurnView:
    """For the planner: the answer to a question of the model's stands with the words that the question was about."""
    pending = turn.memory.get("pending") or {}
    if pending.get("by") != "model":
        return turn
    answered = answer_to(turn.text, pending)
    text = f"{pending.get('question', '')} {answered}" if answered is not None else turn.text
    return replace(turn, text=text.strip(), memory={**turn.memory, "pending": None})


# --- words without a call -------------------------------------------------------------------------------------------


def _in_words(text: str, turn: TurnView) -> Clarify | Refuse | Done:
    if _CANNOT.match(text):
        return Refuse(template=_CANNOT.sub("", text))
    if text.rstrip("*_) ").endswith("?"):
        return _question(text, turn)
    return Done(template=text)


def _question(text: str, turn: TurnView) -> Clarify:
    """Names of warehouses that the question offers become options; the answer to it may be one of them."""
    options: list[str] = []
    for name in sorted(turn.names.warehouses(), key=len, reverse=True):
        pattern = rf"(?<![\w\[])`?{re.escape(name)}`?(?![\w\]])"
        if len(name) > 1 and name in text and re.search(pattern, text):
            options.append(name)
            text = re.sub(pattern, f"[[o{len(options)}]]", text)
    pending: dict[str, Any] = {"kind": "name", "by": "model", "options": options, "question": turn.text}
    if turn.asked_for_change:
        pending["change"] = True
    return Clarify(template=text, options=tuple(options), pending=pending if options else {})


def _unproven(decision: Clarify | Refuse | Done, turn: TurnView, *, meaning: bool = True) -> list[str]:
    options = decision.options if isinstance(decision, Clarify) else ()
    texts = COMMANDS | {f"o{number}": code(name) for number, name in enumerate(options, start=1)}
    evidence = Evidence(texts=texts, names=frozenset(turn.names.warehouses()))
    return refusals(decision.template or "", evidence, ours=not meaning)


# --- a written reply ------------------------------------------------------------------------------------------------


def _may_word(results: Sequence[CallResult]) -> bool:
    """Plans are shown as they were stored, and absences as the tool says them: a model has no words for those."""
    if any(result.status == "needs_approval" for result in results):
        return False
    return any(result.status == "ok" for result in results)


def _says_nothing(template: str, turn: TurnView) -> bool:
    """There are figures or pages, and it could be sent without citing any: a repeated question, or hearsay."""
    found = any(result.status == "ok" and result.facts for result in turn.results)
    return found and "[[" not in template and not _unproven(Done(template=template), turn, meaning=False)


def _completed(template: str, results: Sequence[CallResult]) -> str:
    """What no reply may leave out: how its figures are to be read, and what could not be answered."""
    shown = {int(match[1]) for match in _LAID_OUT.finditer(template)}
    cited = set(_CITED.findall(template))
    last = max(n for n, result in enumerate(results, start=1) if result.status == "ok")
    added: list[str] = []
    for number, result in enumerate(results, start=1):
        spoken_of = f"[[r{number}." in template or bool(cited & {fact.id for fact in result.facts})
        if number in shown:
            continue
        if result.status == "ok" and (spoken_of or number == last):
            added.append(f"[[r{number}.notes]]")
        elif result.status != "ok" and not _made_good(number, results):
            added.append(f"[[r{number}.all]]")
    return "\n\n".join([template, *added])


def _made_good(number: int, results: Sequence[CallResult]) -> bool:
    """A call that could not be used, and the same tool answered later."""
    failed = results[number - 1]
    mendable = failed.error in ("bad_argument", "unknown_name")
    return mendable and any(r.name == failed.name and r.status == "ok" for r in results[number:])
