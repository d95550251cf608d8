"""Ways to make a true reply false. Each takes a real reply and a seeded random; None where it does not apply."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from agent.replies.citations import render
from tests.unit.agent.replies.corpus import Reply

__all__ = ["APPENDED", "MUTATIONS", "SCENES"]

APPENDED: tuple[str, ...] = (
    # figures that nobody cited
    *("In all 42 credits.", "That is about three hundred credits.", "Roughly half of it is idle.", "It doubled."),
    *(
        "Up threefold.",
        "A dozen failed.",
        "Costs were ½ of that.",
        "Total: ٤٢.",
        "Total: 四百.",
        "Total: ①.",
        "Total: Ⅻ.",
    ),
    *(
        "It grew by a tenth.",
        "Only one of them is busy, by one credit.",
        "About vierhundert Credits.",
        "Soit deux cents.",
    ),
    *("More than 1e3.", "Nearly 1.200,50.", "A handful of users.", "Twenty-five percent.", "Двести кредитов."),
    # names
    *("NIGHTLY_LOAD_WH is the reason.", "The role ACCOUNTADMIN did it.", "The database PROD is the reason."),
    *("It was pat.lee.", "It was pat@example.com.", "`BI` did it.", "Ask @pat or see #cost."),
    # action
    *("I have resized the warehouse.", "I've suspended it.", "We just resumed it.", "It has been suspended.", "Done."),
    *(
        "It is now suspended.",
        "I took care of it.",
        "I went ahead and stopped it.",
        "Successfully applied.",
        "All set.",
    ),
    *("The change has gone live.", "I will suspend it.", "I'm going to resize it.", "It will be suspended shortly."),
    *("As requested, it got smaller.", "It no longer runs.", "Resizing now.", "The suspension took effect."),
    *("You approved it.", "Auto-suspend was lowered.", "It's been taken down.", "The resize is in progress."),
    # tools, links, commands
    *(
        "I ran run_forecast.",
        "See https://example.com.",
        "See [here](docs).",
        "Type frostline plans approve.",
        "Use /cost.",
    ),
    # dates
    *("That was in August.", "It peaked on Tuesday.", "That is the figure of next quarter."),
    # citations of nothing, or of an earlier turn
    *("Before it was [[f99999]].", "[[p9.id]] waits.", "[[median(f1)]] is usual.", "[[f1.owner]] knows."),
)


def _first(reply: Reply, pattern: str, random: Random) -> re.Match[str] | None:
    found = list(re.finditer(pattern, reply.template))
    return random.choice(found) if found else None


def _put(reply: Reply, match: re.Match[str], text: str) -> str:
    return reply.template[: match.start()] + text + reply.template[match.end() :]


def _written_out(reply: Reply, random: Random) -> str | None:
    """A citation replaced by its value in digits: a figure that nothing proves."""
    match = _first(reply, r"\[\[f\d+(?:\.bare)?\]\]", random)
    if match is None or not re.search(r"\d", render(match[0], reply.evidence)):
        return None
    return _put(reply, match, render(match[0], reply.evidence).strip("`"))


def _another_row(reply: Reply, random: Random) -> str | None:
    """In a row or sentence that names one, the figure of another."""
    rows = [
        line for line in reply.template.split("\n") if re.match(r"\| \[\[(f\d+)\.entity\]\] \| \[\[\1\.bare\]\]", line)
    ]
    if len(rows) < 2:
        return None
    one, other = random.sample(rows, 2)
    ids = [re.search(r"f\d+", row) for row in (one, other)]
    if ids[0] is None or ids[1] is None:
        return None
    entities = [reply.evidence.facts[found[0]].entity for found in ids if found]
    if entities[0] == entities[1]:
        return None
    return reply.template.replace(one, one.replace(f"[[{ids[0][0]}.bare]]", f"[[{ids[1][0]}.bare]]"), 1)


def _total_for_one(reply: Reply, random: Random) -> str | None:
    match = _first(reply, r"(?<=\*\*)\[\[(f\d+)\.entity\]\]: \[\[\1\]\]", random)
    totals = [f for f in reply.evidence.facts.values() if f.entity is None and match and f.unit != "time"]
    if match is None or not totals or totals[0].label != reply.evidence.facts[match[1]].label:
        return None
    return _put(reply, match, f"[[{match[1]}.entity]]: [[{totals[0].id}]]")


def _share_of_another(reply: Reply, random: Random) -> str | None:
    match = _first(reply, r"\[\[pct\((f\d+),f\d+\)\]\]", random)
    if match is None:
        return None
    own = reply.evidence.facts[match[1]]
    others = [f for f in reply.evidence.facts.values() if f.unit == own.unit and f.entity not in (None, own.entity)]
    if not others or own.entity is None:
        return None
    return _put(reply, match, f"[[pct({own.id},{random.choice(others).id})]]")


def _share_upside_down(reply: Reply, random: Random) -> str | None:
    match = _first(reply, r"\[\[pct\((f\d+),(f\d+)\)\]\]", random)
    if match is None or reply.evidence.facts[match[1]].entity is None:
        return None
    return _put(reply, match, f"[[pct({match[2]},{match[1]})]]")


def _glue(before: str, after: str) -> Callable[[Reply, Random], str | None]:
    def glued(reply: Reply, random: Random) -> str | None:
        match = _first(reply, r"(?<!–)\[\[(f\d+)(?:\.bare)?\]\](?!–)", random)
        if match is None or reply.evidence.facts[match[1]].unit not in ("credits", "USD", "count", "%"):
            return None
        return _put(reply, match, f"{before}{match[0]}{after}")

    return glued


def _other_dates(reply: Reply, random: Random) -> str | None:
    """The dates of another window beside a figure."""
    match = _first(reply, r"\[\[r1\.window\]\]", random)
    own = reply.evidence.texts.get("r1.window", "")
    others = [
        f for f in reply.evidence.facts.values() if f.window and render(f"[[{f.id}.window]]", reply.evidence) != own
    ]
    if match is None or not others or "[[f1]]" not in reply.template.split("\n")[0]:
        return None
    return _put(reply, match, f"[[{others[0].id}.window]]")


def _backwards(reply: Reply, random: Random) -> str | None:
    match = _first(reply, r"\[\[change\((f\d+),(f\d+)\)\]\]", random)
    if match is None or reply.evidence.facts[match[1]].window == reply.evidence.facts[match[2]].window:
        return None
    return _put(reply, match, f"[[change({match[2]},{match[1]})]]")


MUTATIONS: dict[str, Callable[[Reply, Random], str | None]] = {
    "written out": _written_out,
    "the figure of another row": _another_row,
    "the total as one's": _total_for_one,
    "a share of another": _share_of_another,
    "a share upside down": _share_upside_down,
    "dates of another window": _other_dates,
    "a change backwards": _backwards,
    "a sign": _glue("-", ""),
    "minus": _glue("minus ", ""),
    "a currency": _glue("€", ""),
    "a thousand times": _glue("", "k"),
    "a digit more": _glue("", "0"),
    "places that are not shown": _glue("", "37"),
    "a rate": _glue("", " per day"),
    "another unit": _glue("", " hours"),
    "ten times": _glue("10 × ", ""),
}

SCENES: dict[str, str] = {
    "swapped in a sentence": "[[f3.entity]] used [[f2]].",
    "swapped by anaphora": "The biggest is [[f2.entity]].\nIt used [[f3]].",
    "swapped in a list": "- [[f2.entity]]: [[f3]]\n- [[f3.entity]]: [[f2]]",
    "swapped and parallel": "[[f2.entity]] and [[f3.entity]] used [[f3]] and [[f2]].",
    "an option's name": "[[o1]] used [[f2]].",
    "the user in another case": "Maria ran most of it on [[f2.entity]]: [[f2]].",
    "a warehouse of two words": "Most of [[f1]] is Data Science.",
    "a word as a name": "Finance used [[f1]].",
    "one for all": "In all [[f2.entity]] and the others used [[f2]], the whole account.",
    "no owner": "It came to [[f3]].",
    "sum over windows": "Together [[sum(f2,f7)]].",
    "difference of nothing": "[[f2.entity]] and [[f7.entity]] differ by [[diff(f2,f7)]].",
    "percent of percent": "[[f2.entity]]: [[pct(f2,f6)]] of [[f6]].",
    "units mixed": "[[sum(f1,f10)]] in all.",
    "seconds as credits": "[[f9.entity]] waited [[f9.bare]] credits.",
    "euros": "It cost [[f10.bare]] euros.",
    "label of another": "The [[f8.label]] came to [[f1]].",
    "a stale window in words": "Yesterday the account used [[f1]].",
}
"""Over scene.SCENE, which has what few real replies have."""
