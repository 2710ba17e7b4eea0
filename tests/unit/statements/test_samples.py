"""Every sample file of other people's banks gives the facts that were counted by hand (money.md 7.1, 7.2).

The files lie beside the repository and are read in place; each has its own licence.
"""

import json
from collections import Counter
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from market.statements.rules.readers.delimited import CsvMapping
from market.statements.rules.readers.recognise import read_statements
from market.statements.rules.readers.source import Source
from market.statements.rules.readers.stripe import read_stripe
from market.statements.rules.shapes import Balance, Line, Statement, Unreadable
from market.statements.rules.sums import check_chain
from market.statements.rules.values import digits_of

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "statements"
TOLD = {"no_namespace"}
"""Findings that the folder does not count as warnings."""


def samples(*, stripe: bool = False) -> list[Any]:
    facts = SAMPLES / "expected.json"
    if not facts.exists():
        reason = "../shared/data/statements is absent: no sample files"
        return [pytest.param("absent", {}, marks=pytest.mark.skip(reason=reason))]
    files = json.loads(facts.read_text())["files"]
    return [
        pytest.param(name, expected, id=name) for name, expected in files.items() if (expected["format"] == "stripe") == stripe
    ]


def mapping_of(expected: dict[str, Any]) -> CsvMapping:
    given = dict(expected["mapping"])
    given["skip"] = {name: tuple(values) for name, values in given.get("skip", {}).items()}
    return CsvMapping(**given)


def read(name: str, expected: dict[str, Any]) -> tuple[list[Line], list[Statement]]:
    mappings = [mapping_of(expected)] if "mapping" in expected else []
    events = list(read_statements(BytesIO((SAMPLES / name).read_bytes()), default_currency="EUR", mappings=mappings))
    return [e for e in events if isinstance(e, Line)], [e for e in events if isinstance(e, Statement)]


def major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-digits_of(currency, ""))


def same_balance(ours: Balance | None, theirs: Any, currency: str) -> None:
    assert (ours is None) == (theirs is None)
    if ours is not None:
        amount = theirs[1] if isinstance(theirs, list) else theirs
        assert major(ours.minor, ours.currency) == Decimal(amount)
        assert ours.currency == ((theirs[0] if isinstance(theirs, list) else None) or currency)


def same_sums(statement: Statement, booked: dict[str, Any]) -> None:
    assert set(statement.booked) == set(booked)
    for currency, sums in booked.items():
        totals = statement.booked[currency]
        assert (totals.credits, totals.debits) == (sums["credit_count"], sums["debit_count"])
        assert major(totals.credits_minor, currency) == Decimal(sums["credit_sum"])
        assert major(totals.debits_minor, currency) == Decimal(sums["debit_sum"])


@pytest.mark.parametrize(("name", "expected"), samples())
def test_sample_gives_the_expected_facts(name: str, expected: dict[str, Any]) -> None:
    if expected["expect"] == "refuse":
        with pytest.raises(Unreadable) as refusal:
            read(name, expected)
        assert refusal.value.code.startswith("statements.")
        return
    lines, statements = read(name, expected)
    assert len(statements) == len(expected.get("statements", statements))
    warned = False
    closed: dict[str, Balance | None] = {}
    for statement, facts in zip(statements, expected.get("statements", [{}]), strict=True):
        own = [line for line in lines if line.statement == statement.index]
        assert len(own) == statement.lines == facts.get("entries", 1)
        if not facts:
            continue
        same_sums(statement, facts["booked"])
        if facts["kind"] != "CSV":
            assert statement.account == facts["account"].replace(" ", "")
        if facts.get("currency"):
            assert statement.currency == facts["currency"]
        if "sequence" in facts:
            assert statement.number.startswith(facts["sequence"])
        for status, count in facts.get("status", {}).items():
            said = {"booked": "BOOK", "pending": "PDNG"}.get(status)
            assert (statement.statuses.get(said, 0) if said else 0) == count or status == "other"
        if "reversals" in facts:
            assert sum(line.reversal for line in own) == facts["reversals"]
        if "ledger_balance" in facts:
            theirs = facts["ledger_balance"]
            same_balance(statement.closing, theirs and [statement.currency, theirs], statement.currency)
        else:
            same_balance(statement.opening, facts["opening"], statement.currency)
            same_balance(statement.closing, facts["closing"], statement.currency)
        assert (statement.difference_minor is None) == (facts["closes"] is None)
        if facts["closes"] is not None:
            assert major(statement.difference_minor or 0, statement.currency) == Decimal(facts.get("difference", "0"))
        warned = warned or bool(check_chain(statement, closed.get(statement.account)))
        closed[statement.account] = statement.closing
    warned = warned or any(each.code not in TOLD for statement in statements for each in statement.findings)
    assert warned == (expected["expect"] == "import with warning")
    if "lines" in expected:
        ordered = lines[::-1] if expected["mapping"].get("newest_first") else lines
        found = [[str(line.booked_on), major(line.amount_minor, line.currency), line.currency] for line in ordered]
        assert found == [[day, Decimal(amount), currency] for day, amount, currency in expected["lines"]]
    assert sum(statement.skipped for statement in statements) == expected.get("skipped", 0)


@pytest.mark.parametrize(("name", "expected"), samples(stripe=True))
def test_a_table_of_stripe_gives_the_expected_facts(name: str, expected: dict[str, Any]) -> None:
    facts = expected["facts"]
    rows = list(read_stripe(Source(BytesIO((SAMPLES / name).read_bytes()))))
    assert len(rows) == facts["rows"]
    for field, attribute in (("currency", "currency"), ("type", "kind"), ("status", "status"), ("reporting_category", "kind")):
        if field in facts:
            assert Counter(getattr(row, attribute).lower() for row in rows) == facts[field]
    for field, attribute in (("amount", "amount_minor"), ("fee", "fee_minor"), ("net", "net_minor"), ("gross", "amount_minor")):
        if field in facts:
            minors = [getattr(row, attribute) for row in rows]
            if facts["units"] == "major":
                assert major(sum(minors), rows[0].currency) == Decimal(facts[field])
            else:
                plus, minus = [minor for minor in minors if minor > 0], [-minor for minor in minors if minor < 0]
                found = {
                    "positive_count": len(plus),
                    "positive_sum": sum(plus),
                    "negative_count": len(minus),
                    "negative_sum": sum(minus),
                }
                assert found == facts[field]
    if "payout" in facts:
        assert {row.payout for row in rows} == {facts["payout"]}
