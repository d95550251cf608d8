"""The grammar of citations: what renders, how it is written, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.replies.citations import CitationError, Evidence, render
from agent.replies.figures import show
from tools.quoting import code
from tools.result import Fact, Window

AS_OF = datetime(2026, 11, 23, 18, 20, tzinfo=UTC)
WINDOW = Window(start=datetime(2026, 11, 22, tzinfo=UTC), end=datetime(2026, 11, 23, tzinfo=UTC), tz="UTC")


def fact(number: int, value: Any, unit: str = "credits", entity: str | None = None) -> Fact:
    return Fact(
        id=f"f{number}",
        label="credits used",
        value=value,
        unit=unit,  # type: ignore[arg-type]
        entity=entity,
        window=WINDOW,
        source="V",
        as_of=AS_OF,
    )


FACTS = {
    f.id: f
    for f in (
        fact(1, 1234.5),
        fact(2, 617.25, entity="ETL_WH"),
        fact(3, 0.0),
        fact(4, 10.0, "USD"),
        fact(5, None),
        fact(6, "Large", "name", entity="a`b|c\n[[f1]]"),
        fact(7, "2026-11-23T15:20:00+00:00", "time"),
        fact(8, -3.0),
        fact(9, 3_723, "s"),
        fact(10, 1.5e12, "bytes"),
        fact(11, 96, "count"),
        fact(12, float("nan")),
        fact(13, 1234.4),
    )
}
EVIDENCE = Evidence(facts=FACTS, texts={"r1.convention": "Days are [[f1]] here.", "p1.id": "`x`"}, tz="UTC")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("[[f1]]", "1,234.50 credits"),
        ("[[f1.bare]]", "1,234.50"),
        ("[[ f2.entity ]]", "`ETL_WH`"),
        ("[[f2.window]]", "2026-11-22 UTC"),
        ("[[f2.as_of]]", "2026-11-23 18:20 UTC"),
        ("[[f2.label]] [[f2.source]]", "credits used V"),
        ("[[f3]]", "0.00 credits"),
        ("[[f4]]", "$10.00"),
        ("[[f5]]", "not known"),
        ("[[f6]]", "`Large`"),
        ("[[f7]]", "2026-11-23 15:20 UTC"),
        ("[[f8]]", "-3.00 credits"),
        ("[[f9]]", "1 h 2 min"),
        ("[[f10]]", "1.5 TB"),
        ("[[f11]]", "96"),
        ("[[pct(f2,f1)]]", "50.0 %"),
        ("[[pct( f2 , f3 )]]", "not comparable"),
        ("[[change(f2,f1)]]", "+100.0 %"),
        ("[[change(f1,f2)]]", "-50.0 %"),
        ("[[change(f3,f1)]]", "up from nothing"),
        ("[[change(f3,f3)]]", "no change"),
        ("[[change(f1,f13)]]", "0.0 %"),
        ("[[diff(f1,f2)]]", "617.25 credits"),
        ("[[diff(f2,f1)]]", "-617.25 credits"),
        ("[[sum(f1,f2,f8)]]", "1,848.75 credits"),
        ("[[ratio(f1,f2)]]", "× 2.00"),
        ("[[ratio(f1,f3)]]", "not comparable"),
        ("[[diff(f1,f5)]]", "not known"),
        ("[[sum(f1,f12)]]", "not known"),
        ("[[p1.id]] and [[r1.convention]]", "`x` and Days are [[f1]] here."),
    ],
)
def test_what_is_cited_is_written(template: str, text: str) -> None:
    assert render(template, EVIDENCE) == text


@pytest.mark.parametrize(
    "template",
    [
        "[[f99]]",
        "[[f1.secret]]",
        "[[f1",
        "f1]]",
        "[[]]",
        "[[r2.convention]]",
        "[[r1]]",
        "[[p1.owner]]",
        "[[diff(f1,f4)]]",
        "[[sum(f1,f11)]]",
        "[[pct(f1,f4)]]",
        "[[ratio(f6,f6)]]",
        "[[change(f7,f7)]]",
        "[[diff(f1)]]",
        "[[diff(f1,f2,f3)]]",
        "[[eval(f1,f2)]]",
        "[[sum()]]",
        "[[f1+f2]]",
        "[[pct(f1,100)]]",
        "[[diff(f1,sum(f1,f2))]]",
        "[[__import__('os')]]",
        "[[f1]] [[",
    ],
)
def test_what_cannot_be_cited_is_an_error(template: str) -> None:
    with pytest.raises(CitationError):
        render(template, EVIDENCE)


def test_a_name_from_the_account_cannot_leave_its_code_span_or_cite() -> None:
    assert render("[[f6.entity]]", EVIDENCE) == "`aˋb¦c?[[f1]]`"


@given(name=st.text(max_size=300))
def test_any_name_stays_on_one_line_inside_one_code_span(name: str) -> None:
    shown = code(name)
    assert shown.startswith("`")
    assert shown.endswith("`")
    assert shown.count("`") == 2
    assert len(shown.splitlines()) == 1
    assert "|" not in shown
    assert len(shown) <= 122


@given(value=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_written_figure_is_the_value_to_the_places_shown(value: float) -> None:
    text = show(value, "credits").removesuffix(" credits").replace(",", "")
    assert abs(float(text) - value) <= max(0.0050001, abs(value) * 1e-12)


@given(value=st.floats(min_value=1e-12, max_value=0.00499))
def test_a_small_cost_is_never_written_as_zero(value: float) -> None:
    assert float(show(value, "USD").removeprefix("$")) > 0


@given(template=st.text(alphabet="[]f123.,()pctdiff ab", max_size=40))
def test_any_template_renders_or_is_refused(template: str) -> None:
    try:
        text = render(template, EVIDENCE)
    except CitationError:
        return
    if "[[" not in template:
        assert text == template
