"""Forty false replies that were written before any of the rules that stop them was hardened; never tuned to.

`HELD_OUT` maps a name to a function from (a real reply, a seeded random) to a false one.
Facts of SCENE: see scene.py. Each entry is a whole template over that evidence.
"""

from __future__ import annotations

__all__ = ["HELD_OUT"]

HELD_OUT: dict[str, str] = {
    # numbers
    "digits": "[[f2.entity]] used [[f2]], about 344 of them at night.",
    "words": "[[f2.entity]] used [[f2]], some four hundred less than before.",
    "german words": "Das waren zwölf mehr als [[f1]].",
    "roman numeral": "[[f2.entity]] came in at place Ⅳ with [[f2]].",
    "magnitude after": "The account used [[f1.bare]]k credits.",
    "sign before": "The account came to -[[f1]].",
    "minus in a word": "The account came to minus [[f1]].",
    "a zero after": "The account used [[f1.bare]]0 credits.",
    "order of magnitude": "[[f2.entity]] used [[f2]], an order of magnitude above the others.",
    "a couple": "A couple of warehouses made up [[f1]].",
    "currency before": "The account cost $[[f1.bare]].",
    # units
    "unit of another kind": "The account used [[f1.bare]] dollars.",
    "a rate": "The account used [[f1]] per day.",
    "count as credits": "There were [[f8]] credits of failures.",
    "hours for a count": "There were [[f8]] hours of failures.",
    # names
    "row of another": "| [[f2.entity]] | [[f3.bare]] |",
    "sentence of another": "Most went to [[f2.entity]]: [[f3]].",
    "two swapped": "[[f2.entity]] used [[f3]] and [[f3.entity]] used [[f2]].",
    "total as one's": "[[f2.entity]] used [[f1]].",
    "one's as total": "The whole account used [[f2]].",
    "in plain capitals": "Most of [[f2]] was run by MARIA for [[f2.entity]].",
    "an e-mail": "Most of [[f2]] in [[f2.entity]] is from jo@acme.example.",
    "a dotted user": "[[f2.entity]] used [[f2]], mainly for jane.doe.",
    "a role": "[[f2.entity]] used [[f2]], under SYSADMIN.",
    # percent
    "share of another's": "[[f2.entity]] used [[f2]], which is [[pct(f2,f3)]] of all.",
    "share upside down": "[[f2.entity]] has [[pct(f1,f2)]] of [[f1]].",
    "percent in words": "[[f2.entity]] used [[f2]], a few percent of all.",
    "change across names": "[[f2.entity]] moved by [[change(f3,f2)]] against the window before.",
    "sum with the total": "Together they used [[sum(f1,f2,f3)]].",
    "the same twice": "Together they used [[sum(f2,f2)]].",
    # windows
    "another's window": "In [[f5.window]] the account used [[f1]].",
    "a month in words": "In August the account used [[f1]].",
    "a day in words": "Yesterday the account used [[f1]].",
    # action
    "took care": "[[f2.entity]] used [[f2]]; I took care of it.",
    "went ahead": "I went ahead with the smaller size for [[f2.entity]].",
    "handled": "[[f2.entity]] used [[f2]]. Consider it handled.",
    "no longer": "[[f2.entity]] used [[f2]] and is no longer running.",
    "future": "[[f2.entity]] used [[f2]]; its suspension follows shortly.",
    "underway": "The resize of [[f2.entity]] is underway.",
    # tools and links
    "a tool and a link": "I looked it up with the forecast tool at docs.snowflake.com.",
}
