"""Checking a price, many prices in one statement, keeping the checks, and refusing in words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import direct
from market.kernel.errors import Missing
from market.kernel.ids import new_id
from market.kernel.words import say, sentences
from market.pricing.errors import ClaimNotProven, PriceBelowFloor
from market.pricing.models import PriceCheck
from market.pricing.rules import (
    Certificate,
    Check,
    Goods,
    MarketPrice,
    Offer,
    Price,
    PriceVerdict,
    Reference,
    plain,
    replay,
)
from market.pricing.rules.units import unit_code
from market.pricing.service.shelf import open_shelf
from market.producers import queries as producers


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One offer to check. `certificates` None means: the claims were proven when the listing was published."""

    goods: Goods
    unit_price: Decimal
    unit: str
    currency: str
    quantity: Decimal
    claims: tuple[str, ...] = ()
    coop_id: UUID | None = None
    certificates: tuple[Certificate, ...] | None = None
    certified_on: date | None = None
    until: date | None = None
    includes_premium: bool = False


def check_prices(session: Session, lines: Sequence[PriceLine], on: date) -> list[PriceVerdict]:
    """Return a verdict for each line on the day `on`, in one statement for all of them.

    For the order path: call it inside the transaction that places the order (gate G2); nothing is written. A verdict's
    `blocking("G2")` names what refuses, and `refuse` raises it.
    """
    shelf, floors = open_shelf(session, (line.coop_id for line in lines if line.coop_id is not None))
    verdicts = []
    for line in lines:
        goods = shelf.goods(line.goods)
        unit = unit_code(line.unit)
        price = Price(line.unit_price, line.currency, unit, packaging=shelf.packagings.get(unit))
        offer = Offer(
            goods=goods,
            price=price,
            quantity=line.quantity,
            on=on,
            claims=tuple(line.claims),
            coop_id=line.coop_id,
            certificates=line.certificates,
            certified_on=line.certified_on,
            until=line.until,
            includes_premium=line.includes_premium,
        )
        verdicts.append(shelf.judge(offer, floors))
    return verdicts


def check_price(
    session: Session,
    *,
    goods: Goods,
    unit_price: Decimal,
    unit: str,
    currency: str,
    quantity: Decimal,
    on: date,
    claims: Sequence[str] = (),
    coop_id: UUID | None = None,
    producer_id: UUID | None = None,
    certificates: Sequence[Certificate] | None = None,
    certified_on: date | None = None,
    until: date | None = None,
    includes_premium: bool = False,
) -> PriceVerdict:
    """Return the verdict for one offer on the day `on`: floors as a set, claims it may carry, the price that passes.

    `unit_price` is the producer's, without premium, per `unit`. Claims are held against `certificates`, or against
    those on file of the co-op and producer; an offer of nobody (the public check) has none to show.
    """
    if certificates is None and coop_id is not None and claims:
        certificates = _on_file(session, coop_id, producer_id, {on, certified_on or on})
    line = PriceLine(
        goods=goods,
        unit_price=unit_price,
        unit=unit,
        currency=currency,
        quantity=quantity,
        claims=tuple(claims),
        coop_id=coop_id,
        certificates=None if certificates is None else tuple(certificates),
        certified_on=certified_on,
        until=until,
        includes_premium=includes_premium,
    )
    return check_prices(session, [line], on)[0]


def _on_file(session: Session, coop_id: UUID, producer_id: UUID | None, days: set[date]) -> list[Certificate]:
    found = {
        view.id: Certificate(view.scheme, view.kind, view.number, view.product_scope, view.valid_from, view.valid_to, view.status)
        for day in sorted(days)
        for view in producers.certificates_on(session, coop_id=coop_id, producer_id=producer_id, on=day)
    }
    return list(found.values())


def refuse(verdict: PriceVerdict, *, gate: str = "G1") -> None:
    """Raise PriceBelowFloor or ClaimNotProven when the verdict blocks at `gate`; the message is the arithmetic.

    Facts: rule, row (its title), row_id, amount_short, passing_price, unit, currency, and `checks` with all words.
    """
    blocking = verdict.blocking(gate)
    if not blocking:
        return
    price = verdict.goods_price
    facts: dict[str, object] = {
        "rule": blocking[0].rule,
        "checks": [{"rule": check.rule, "reason": check.reason, "words": check.words} for check in blocking],
    }
    below = [check for check in blocking if check.floor is not None]
    if not below:
        raise ClaimNotProven(blocking[0].words, pointer="/claims", **facts)
    hardest = max(below, key=lambda check: check.floor.passing or Decimal(0))
    facts["rule"] = hardest.rule
    facts["row"] = hardest.floor.label
    facts["row_id"] = str(hardest.floor.reference_id)
    if hardest.amount_short is not None:
        facts["amount_short"] = {"minor": hardest.amount_short.minor, "currency": hardest.amount_short.currency}
    if verdict.proposed_price is not None:
        facts["passing_price"] = plain(verdict.proposed_price)
    facts["unit"], facts["currency"] = price.unit, price.currency
    words = sentences(*(check.words for check in blocking))
    raise PriceBelowFloor(say("%(rule)s: %(words)s", rule=hardest.rule, words=words), pointer="/unit_price", **facts)


def store_checks(
    session: Session,
    *,
    verdicts: Sequence[tuple[UUID, PriceVerdict]],
    subject_kind: str,
    gate: str,
    now: datetime,
    on: date,
) -> list[UUID]:
    """Keep the checks of many subjects in one INSERT, each with inputs that run it again; returns their ids.

    `verdicts` are (subject id, verdict); `subject_kind` is `listing` or `order_line`; `on` is the day judged.
    """
    rows = [
        _stored(check, subject_kind, subject_id, gate, now, on) for subject_id, verdict in verdicts for check in verdict.checks
    ]
    return _keep(session, rows)


def storing(judged: Sequence[tuple[UUID, PriceVerdict, date]], *, now: datetime) -> tuple[dict[UUID, list[UUID]], direct.Piece]:
    """Return the ids of the checks of each order line (its id, verdict, day judged), and the piece that keeps them all."""
    rows = {
        line_id: [_stored(check, "order_line", line_id, "G2", now, on) for check in verdict.checks]
        for line_id, verdict, on in judged
    }
    every = [row for own in rows.values() for row in own]
    ids = {line_id: [UUID(str(row["id"])) for row in own] for line_id, own in rows.items()}
    return ids, direct.Piece(f"checked AS ({_KEEP})", {"checks": direct.as_json(every)})


_KEEP = "INSERT INTO price_check SELECT * FROM jsonb_populate_recordset(NULL::price_check, %(checks)s::jsonb)"


def _keep(session: Session, rows: list[dict[str, object]]) -> list[UUID]:
    if rows:
        direct.run(session, _KEEP, {"checks": direct.as_json(rows)})
    return [UUID(str(row["id"])) for row in rows]


def _stored(check: Check, subject_kind: str, subject_id: UUID, gate: str, now: datetime, on: date) -> dict[str, object]:
    given = check.arguments.values()
    references = [
        one for value in given for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Reference)
    ]
    short = check.amount_short
    return {
        "id": str(new_id()),
        "rule_id": check.rule,
        "rule_version": check.version,
        "subject_kind": subject_kind,
        "subject_id": str(subject_id),
        "gate": gate,
        "inputs": check.inputs,
        "price_reference_ids": [str(row_id) for row_id in dict.fromkeys(row.id for row in references)],
        "quote_ids": [str(value.quote_id) for value in given if isinstance(value, MarketPrice) and value.quote_id],
        "outcome": check.outcome.value,
        "reason_code": check.reason,
        "words": check.words,
        "amount_short_minor": None if short is None else short.minor,
        "currency": None if short is None else short.currency,
        "evaluated_at": now.isoformat(),
        "evaluated_for": on.isoformat(),
    }


def is_kept(session: Session, *, check_ids: Sequence[UUID], verdict: PriceVerdict) -> bool:
    """Say whether stored checks are those of a verdict: the same rules on the same inputs, whatever the day.

    A round over all offers keeps only news, or the table would grow by every offer every hour.
    """
    if not check_ids:
        return not verdict.checks
    rows = session.execute(select(PriceCheck.inputs, PriceCheck.outcome).where(PriceCheck.id.in_(list(check_ids)))).all()
    stored = sorted(_timeless(row.inputs, row.outcome) for row in rows)
    return stored == sorted(_timeless(check.inputs, check.outcome.value) for check in verdict.checks)


def _timeless(inputs: dict[str, Any], outcome: str) -> str:
    return json.dumps([outcome, {name: value for name, value in inputs.items() if name != "on"}], sort_keys=True)


def run_again(session: Session, *, check_id: UUID, now: datetime) -> tuple[Check, UUID]:
    """Run a stored check from its own inputs and keep the result as a new row (T35). Returns both."""
    row = session.get(PriceCheck, check_id)
    if row is None:
        raise Missing("There is no such price check.")
    check = replay(row.inputs)
    stored = _stored(check, row.subject_kind, row.subject_id, row.gate, now, row.evaluated_for)
    return check, _keep(session, [stored])[0]
