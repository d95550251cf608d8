"""`frostline chat`: a conversation at the terminal, and the program's own prompt that approves by digest.

What is typed is a question for the conversation, except the few commands of the prompt itself (`help` lists
them). Only `approve` with a digest approves; "yes" is conversation and approves nothing.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from bots.cli.ask import show_charts, show_turn
from bots.cli.opening import opened
from bots.cli.output import Output
from bots.cli.plans import show_found, show_outcome, show_record
from tools.domain import PlanState
from tools.errors import FrostlineError

if TYPE_CHECKING:
    from agent.runtime import Runtime

__all__ = ["converse", "run_chat"]

_HELP = """Ask in plain English, e.g. "credits by warehouse last week", "list warehouses", "resize X to small".
  plans             open plans
  show ID           one plan in full
  approve DIGEST    approve the plan whose digest begins so (8 characters or more); it is applied at once
  decline DIGEST    decline it
  undo ID           propose the change that takes an applied plan back
  exit              leave (Ctrl-D too)"""


def run_chat(out: Output, profile: str | None, thread: str | None, person: str | None) -> None:
    with out.edge(), opened(out, profile) as runtime:
        out.note('Ask a question, or type "help". Nothing is changed without `approve DIGEST`.')
        converse(out, runtime, thread, person)


def converse(out: Output, runtime: Runtime, thread: str | None = None, person: str | None = None) -> None:
    """Read and answer until the input ends. Errors are shown and the conversation goes on."""
    thread = thread or f"terminal:{runtime.new_id()}"
    for line in _lines(runtime):
        word, _, rest = line.partition(" ")
        if word.lower() in ("exit", "quit"):
            return
        try:
            if not _command(out, runtime, word.lower(), rest.strip(), person):
                with out.working("Looking"):
                    turn = runtime.ask(line, thread=thread, person=runtime.person(person))
                show_turn(out, turn.model_dump(mode="json"))
                show_charts(out, turn)
        except FrostlineError as error:
            out.error(error.as_json())


def _lines(runtime: Runtime) -> Iterator[str]:
    """Lines with history on a terminal, plain lines elsewhere."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")  # bytes that are no UTF-8 must not end the conversation
        yield from (line.strip() for line in sys.stdin if line.strip())
        return
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory

    file = runtime.settings.state_dir / "chat_history"
    file.touch(mode=0o600)
    session: PromptSession[str] = PromptSession(history=FileHistory(str(file)))
    while True:
        try:
            line = session.prompt("frostline> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if line:
            yield line


def _command(out: Output, runtime: Runtime, word: str, rest: str, person: str | None) -> bool:
    """Whether the line was one of the prompt's own commands, which it then has carried out."""
    if word == "help" and not rest:
        out.say(_HELP)
    elif word == "plans" and not rest:
        _open_plans(out, runtime)
    elif word == "show" and _is_ref(rest):
        show_found(out, runtime.store.resolve(rest))
    elif word in ("approve", "decline") and _is_digest(rest):
        _decide(out, runtime, "approve" if word == "approve" else "decline", rest, person)
    elif word == "undo" and _is_ref(rest):
        record = runtime.undo(rest, runtime.person(person), "")
        show_record(out, record)
        out.note(f"Approve with: approve {record.digest[:8]}")
    else:
        return False
    return True


def _is_ref(text: str) -> bool:
    return bool(text) and " " not in text


def _is_digest(text: str) -> bool:
    return 8 <= len(text) <= 64 and all(c in "0123456789abcdef" for c in text.lower())


def _open_plans(out: Output, runtime: Runtime) -> None:
    runtime.store.expire_due()
    records = runtime.store.list([PlanState.PROPOSED, PlanState.APPROVED, PlanState.CLAIMED, PlanState.UNKNOWN])
    if not records:
        out.say("No open plans.")
        return
    rows = [(r.plan.id, r.state.value, r.digest[:8], r.plan.statement) for r in records]
    out.table(("plan", "state", "digest", "statement"), rows)


def _decide(
    out: Output, runtime: Runtime, decision: Literal["approve", "decline"], digest: str, person: str | None
) -> None:
    actor = runtime.person(person, deciding=True)
    if runtime.settings.is_demo:
        out.note(f"(as {actor.name}: in the demo you play both people)")
    outcome = runtime.decide(digest.lower(), digest, actor, decision)
    show_outcome(out, outcome)
