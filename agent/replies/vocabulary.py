"""The words of which a reply may be made: a model that says more is asked again, then the composed reply is sent.

A list of forbidden words is never whole: a person's first name, a claim in another language or a figure in words that
nobody thought of would pass it. So the words between citations are those of this list, of the labels of this turn's
facts and of its windows. What those that claim something have to be borne out by is checked elsewhere
(agent.replies.qualifiers, agent.replies.ordering, agent.replies.lexicon).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.replies.citations import Evidence
from agent.replies.lexicon import OUR_CAPITALS
from tools.warehouse.views import ALL_VIEWS

__all__ = ["strange"]

_LISTED = """
a about above account accounts accuracy accurate across add adjustment after again against ahead all along also
although am among amount an and anomalies anomalous anomaly another answer answers any anybody anyone anything apart
are around as ask asked asking assistant at attributed attribution auto available average averages back backtest be
been before began begin begins behind being below between bigger biggest billed billing both breakdown bring budget
budgets bulk bundle but by bytes came can cannot case caveat chance change changes cheaper cheapest check checked
choose citation claim climbed clock cloud cluster clusters come comes compare compared comparison compose composed
compute confidence consume consumed consumer consumers consumes consumption contribution contributions convention
correct cost costs could count counted counts cover coverage covered covers credit credits current currently daily
data database databases date dates day days decline declined decrease decreased describe described detail details did
differ difference differences digest do does dollar dollars dominant dominated down drop dropped duration each
earliest effect either else empty end ended ends entity entry equal error errors estimate estimated estimates even
every everything exact example examples exceed exceeded exceeds except excess execution expect expectation expected
expense expenses expensive explain extra fact facts fail failed failing fails failure failures fell fewer fewest
figure figures filter filters finance find finding findings first flat follow followed following foot for forecast
forecasts found from frostline frostline's full further get gets give given gives go goes going greater greatest grew
group groups growth guess had has have heaviest held hello help here high higher highest history hold holds hour
hourly hours how however i id idea idle if in include included includes including increase increased incurred
information instead interval intervals into is it item items its itself join joined jumped just keep kept kind kinds
know known language large largely larger largest last lasted lasts late later latest lead leader leading leads least
left less let level like likely limit limits list listed load loaded long longest look looked looks low lower lowest
made main mainly make makes maximum may me mean means meant measure measured measures metered metering metric might
minimum minute minutes model models monitor monitors month monthly months more most mostly much must my naive name
named names near nearest need needs neither never next no nor not note noted notes nothing now number numbers occurred
odd of off on one ones ongoing only onto open or order ordered ordinary origins other others otherwise our out over
overall overview own owner page pages peak peaked per percent percentage period periods place plain planner please
policy possible practice practices predicted prefer prepare previous previously price primarily primary prior
probability project projected projection prompt propose quarter queries query question questions queue queued queueing
ran range ranges rate rather read really recorded reduce refer remaining remote reply report reported request requests
resource rest result results rise risen role roles rolled rose row rows run running runs said same say says scaling
scan scanned schema seasonal second seconds see seems seen sentence series serverless service services set severity
shall share shares should show showing shown shows since single size sized sizes slot slots small smaller smallest
snowflake so some something sort sorted source sources specific spend spending spent spike spiked spikes spill spilled
spills stable stand standard stands start started starting starts state statement statements states status steady step
steps still stops storage such suggest suggests sum summary surpass surpassed suspend suspends table tag tags take
takes task tasks tell term terms text than thank thanks that the their them then there these they thing things this
those though through throughout time title titles to together token tokens too top topic total totals toward towards
track type types unchanged under understand until unusual up upcoming upon upper us usage usd use used user users uses
using utc value values version via view views visible wait waited waiting waits want wanted wape warehouse warehouses
was way ways we week weekly weeks welcome well went were what whatever when where whether which while who whoever
whole whose why will window windows wish with within without wonder word words work workload workloads worth would
written year yearly years yes yet you your
"""
"""Of grammar, of questions and answers, of cost and usage; and words whose claims are checked."""
_CONTRACTED = frozenset(
    (
        *("can't", "couldn't", "didn't", "doesn't", "don't", "hasn't", "haven't", "here's", "i'd", "i'll", "i'm"),
        *("i've", "isn't", "it's", "let's", "that's", "there's", "they're", "wasn't", "we've", "weren't", "what's"),
        *("won't", "wouldn't", "you'd", "you're", "you've", "aren't", "you'll", "we're", "account's", "week's"),
    )
)
_WORDS = frozenset(_LISTED.split()) | _CONTRACTED | {word.lower() for word in OUR_CAPITALS}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_OURS = re.compile(rf"\b(?:{'|'.join(sorted(ALL_VIEWS, key=len, reverse=True))}|ACCOUNT_USAGE)\b")
_SIGNS = frozenset(" \n\t.,:;!?()*_|-–—'’\"“”/%&+…")
_ENTITY = re.compile(r"&#?\w+;?")
_ABLE = re.compile(
    r"\A\W*(?:(?:sorry|unfortunately)\W+)?(?:but )?i (?:cannot|can't|can not|do not|don't|am (?:not able|unable) to)\b",
    re.IGNORECASE,
)
_ALONE = re.compile(r"(?<=[.!?;])\s+|\n+")


def strange(text: str, evidence: Evidence) -> Iterator[str]:
    """Words and signs of a literal that are not of the list. What Frostline cannot do may be said in any words, where
    no figure of this turn stands beside it.
    """
    known = _WORDS | {word for source in _own(evidence) for word in _words(source)}
    for sentence in _ALONE.split(_OURS.sub(" ", text)):
        if not evidence.facts and _ABLE.match(sentence):
            continue
        for word in _words(sentence):
            if word not in known:
                yield f"a word that cannot be checked: {word[:40]}"
    sign = next((c for c in text if not c.isalnum() and c not in _SIGNS), None)
    if sign is not None or _ENTITY.search(text):
        yield f"a sign that cannot be checked: {sign or '&'}"


def _own(evidence: Evidence) -> Iterator[str]:
    yield from {fact.label for fact in evidence.facts.values()}
    yield from evidence.said


def _words(text: str) -> Iterator[str]:
    """Lower case, without a final 's."""
    for match in _WORD.finditer(text):
        word = match[0].casefold().replace("’", "'")
        if word in _CONTRACTED:
            yield word
            continue
        for part in word.removesuffix("'s").split("'"):
            after_quote = part == "s" and match.start() > 0 and text[match.start() - 1] in "'’"
            if part and not after_quote:
                yield part
