"""Sentences that remember how they were made, so that they can be told in another language than English.

The domain writes English and knows no reader. A `Said` is that English text, and besides it the template and the facts;
`kernel.languages.tell` puts the same facts into the template of another language. Constant sentences need no wrapping:
their text is their own template.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from market.kernel.money import Money


class Number(str):
    """A number in English notation (`1,602.50`); a reader of another language gets the same digits in theirs."""

    __slots__ = ()


class Amount(str):
    """An amount of money as `3.9683 USD`, with the digits that the sentence needs."""

    __slots__ = ()


class Term(str):
    """A word of the house inside a sentence (`paid`, `bank transfer`): it has a message of its own."""

    __slots__ = ()


class Unit(str):
    """A unit of trade by its code (`kg`, `piece`); languages have words for those that are words."""

    __slots__ = ()


class Said(str):
    """An English sentence with its `template` and `facts`; `plural` and `number` where the number decides the form."""

    # No __slots__: a str subclass with a layout of its own cannot be told apart by type checkers, and few live long.
    template: str
    facts: Mapping[str, Any]
    plural: str
    number: int


class Sentences(Said):
    """Several sentences, one after the other; `facts["parts"]` are they, the template is what stands between."""


def N_(text: str) -> str:
    """Mark a text for the catalogues without translating it."""
    return text


def say(template: str, /, **facts: Any) -> Said:
    """Return `template` (an English sentence with `%(name)s` for each fact) filled in, remembering both.

    Facts are texts, numbers, Money, days, sentences, or sequences of these, which are told as a list.
    """
    said = Said(template % {name: _english(value) for name, value in facts.items()} if facts else template)
    said.template, said.facts, said.plural, said.number = template, facts, "", 0
    return said


def nsay(singular: str, plural: str, count: int, /, **facts: Any) -> Said:
    """Return the sentence that fits `count`, which stands in it as `%(num)s`."""
    facts = {"num": count} | facts
    said = Said((singular if count == 1 else plural) % {name: _english(value) for name, value in facts.items()})
    said.template, said.facts, said.plural, said.number = singular, facts, plural, count
    return said


def sentences(*parts: str, between: str = " ") -> Said:
    """Return sentences as one text; empty ones are left out."""
    kept = tuple(part for part in parts if part)
    said = Sentences(between.join(kept))
    said.template, said.facts, said.plural, said.number = between, {"parts": kept}, "", 0
    return said


def _english(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Money):
        return value.text
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence):
        return ", ".join(_english(part) for part in value)
    return str(value)
