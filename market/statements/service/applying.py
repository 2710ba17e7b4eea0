"""Make matches: lock the lines, let each capability say what its thing becomes, post suspense against that (money.md 8.2).

Whoever proposed it, a rule or a person, the same code checks and books. All matches of a call are booked by one `post`.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from market.kernel import direct
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.orm import Base
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.payments import service as payments
from market.payouts import service as payouts
from market.statements.errors import LineExplained, LineNotFound, WrongDirection
from market.statements.match_models import StatementMatch
from market.statements.models import MoneyAccount, StatementLine
from market.statements.rules import postings
from market.treasury import premium_queries as premiums
from market.treasury import rules as treasury

MATCH_KEY = "match:"
PART = "payout_part"
"""In the evidence of a match: the payout that its line paid a part of; the match of another line settles it."""
Legs = tuple[Leg, ...]
Line = StatementLine | Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Wish:
    """A match to be made. `line_minor` of the line is used up, `fee_minor` as StatementMatch says."""

    line_id: UUID
    target_kind: str
    target_id: UUID | None
    line_minor: int
    kind: str
    rule: str
    by: str
    part: int = 0
    fee_minor: int = 0
    account_code: str | None = None
    automatic: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    id: UUID = field(default_factory=new_id)


def make_matches(session: Session, account: MoneyAccount, wishes: Sequence[Wish], *, now: datetime) -> list[UUID]:
    """Make all `wishes` about lines of `account`, or none, and return the matches' ids in order. Posts, so call it last.

    Locks lines, then payments, payouts and payables. Raises LineNotFound, LineExplained, WrongDirection, and the refusals
    of the capabilities that own the targets.
    """
    lines = _locked(session, [wish.line_id for wish in wishes])
    _check(lines, account, wishes)
    legs = _legs(session, account, lines, wishes, now)
    book_id = ledger.book_of(session, account.coop_id)
    entries = [
        Entry(book_id, "statement_match", posting_key(wish.id), lines[wish.line_id].booked_on, wish.by, legs[wish.id])
        for wish in wishes
    ]
    insert_rows(session, StatementMatch, [_row(account, wish, now) for wish in wishes])
    _use_up(session, wishes)
    ledger.post(session, entries, late=True)  # a line left open by a close is explained later
    session.expire_all()
    return [wish.id for wish in wishes]


def posting_key(match_id: UUID) -> str:
    """Return the key under which a match is posted."""
    return f"{MATCH_KEY}{match_id}"


def _locked(session: Session, line_ids: Sequence[UUID]) -> dict[UUID, Line]:
    """Lock lines in the order of their ids; only the columns that matching needs, because there are thousands."""
    columns = ("id", "money_account_id", "booked_on", "amount_minor", "matched_minor", "return_reason")
    wanted = StatementLine.id == direct.any_of(set(line_ids))
    statement = select(*(getattr(StatementLine, name) for name in columns)).where(wanted).order_by(StatementLine.id)
    return {row.id: row for row in session.execute(statement.with_for_update())}


def rest_of(line: Line) -> int:
    """Return how much of a line no match explains yet, as a positive number."""
    return int(abs(line.amount_minor) - line.matched_minor)


def _check(lines: dict[UUID, Line], account: MoneyAccount, wishes: Sequence[Wish]) -> None:
    wanted: dict[UUID, int] = defaultdict(int)
    for wish in wishes:
        line = lines.get(wish.line_id)
        if line is None or line.money_account_id != account.id:
            raise LineNotFound("There is no such statement line here.")
        wanted[wish.line_id] += wish.line_minor
        incoming = wish.target_kind in ("payment", "payout_return")
        if (incoming and line.amount_minor < 0) or (wish.target_kind in ("payout", "refund") and line.amount_minor > 0):
            raise WrongDirection("Money that came in cannot be a payout, and money that went out cannot be a payment.")
    for line_id, minor in wanted.items():
        if minor > rest_of(lines[line_id]) or not minor:  # somebody has explained all of it meanwhile
            rest = Money(rest_of(lines[line_id]), account.currency)
            raise LineExplained(say("Of this line only %(rest)s is still unexplained.", rest=rest), rest_minor=rest.minor)


def _legs(
    session: Session, account: MoneyAccount, lines: dict[UUID, Line], wishes: Sequence[Wish], now: datetime
) -> dict[UUID, Legs]:
    """Return for each wish what its transaction moves; payments first, then payouts, which is the order of locks."""
    found: dict[UUID, Legs] = {}
    for wish in sorted((each for each in wishes if each.target_kind == "payment"), key=lambda each: str(each.target_id)):
        assert wish.target_id is not None
        found[wish.id] = _paid_in(session, account, lines[wish.line_id], wish, now)
    for wish in sorted((each for each in wishes if each.target_kind == "refund"), key=lambda each: str(each.target_id)):
        found[wish.id] = _refunded(session, account, wish, now)
    found |= _settled(session, account, lines, wishes, now)
    found |= _returned(session, account, lines, [each for each in wishes if each.target_kind == "payout_return"], now)
    for wish in wishes:
        if wish.target_kind == "account":
            if wish.account_code == "premium_in_transit":
                found[wish.id] = _of_fund(session, account, wish)
            elif wish.account_code == premiums.RECEIVABLE:
                found[wish.id] = _to_fund(session, account, wish)
            else:
                found[wish.id] = (_to_account(account, lines[wish.line_id], wish),)
    return found


def _paid_in(session: Session, account: MoneyAccount, line: Line, wish: Wish, now: datetime) -> Legs:
    assert wish.target_id is not None
    received = payments.record_transfer(
        session,
        payment_id=wish.target_id,
        line_subject=wish.id,  # one line may pay two orders; each match is counted once
        amount=Money(wish.line_minor, account.currency),
        booked_on=line.booked_on,
        suspense=account.suspense,
        now=now,
    )
    if received.coop_id != account.coop_id:
        raise LineNotFound("That payment belongs to another co-op.")
    return received.legs


def _refunded(session: Session, account: MoneyAccount, wish: Wish, now: datetime) -> Legs:
    assert wish.target_id is not None
    money = Money(wish.line_minor - wish.fee_minor, account.currency)
    legs = payments.record_bank_refund(session, refund_id=wish.target_id, amount=money, suspense=account.suspense, now=now)
    return (*legs, *_fee(account, wish))


def _fee(account: MoneyAccount, wish: Wish) -> Legs:
    return postings.fee_kept(account.suspense, Money(wish.fee_minor, account.currency), wish.line_id)


def _settled(
    session: Session, account: MoneyAccount, lines: dict[UUID, Line], wishes: Sequence[Wish], now: datetime
) -> dict[UUID, Legs]:
    by_payout = {wish.target_id: wish for wish in wishes if wish.target_kind == "payout" and wish.target_id is not None}
    if not by_payout:
        return {}
    elsewhere: dict[UUID, int] = defaultdict(int)
    for wish in wishes:
        if PART in wish.evidence:
            elsewhere[UUID(wish.evidence[PART])] += wish.line_minor
    settlements = [
        payouts.Settlement(
            payout_id,
            Money(wish.line_minor - wish.fee_minor + elsewhere[payout_id], account.currency),
            lines[wish.line_id].booked_on,
            account.suspense,
        )
        for payout_id, wish in by_payout.items()
    ]
    found: dict[UUID, Legs] = defaultdict(tuple)
    for leg in payouts.settle_all(session, settlements, now=now):
        assert leg.subject is not None  # settle_all names the payout on each leg
        own = replace(leg, money=leg.money - Money(elsewhere[leg.subject], account.currency))
        found[by_payout[leg.subject].id] += (own,)
    for wish in by_payout.values():
        found[wish.id] += _fee(account, wish)
    return found


def _returned(
    session: Session, account: MoneyAccount, lines: dict[UUID, Line], wishes: Iterable[Wish], now: datetime
) -> dict[UUID, Legs]:
    by_payout = {wish.target_id: wish for wish in wishes if wish.target_id is not None}
    if not by_payout:
        return {}
    given_back = [
        payouts.GivenBack(
            payout_id,
            Money(wish.line_minor, account.currency),
            str(wish.evidence.get("reason") or lines[wish.line_id].return_reason or "returned"),
        )
        for payout_id, wish in by_payout.items()
    ]
    moved = payouts.return_all(session, given_back, suspense=account.suspense, now=now)
    return {wish.id: moved[payout_id] for payout_id, wish in by_payout.items()}


def _of_fund(session: Session, account: MoneyAccount, wish: Wish) -> Legs:
    """Return what a line moves that paid for an item of the premium fund (E37): the fund's share of the bank goes with it."""
    money = Money(wish.line_minor, account.currency)
    on_its_way = books.balance(session, ledger.book_of(session, account.coop_id), "premium_in_transit", account.currency)
    if on_its_way.minor < money.minor:
        raise WrongDirection(say("Only %(money)s of the premium fund is on its way.", money=on_its_way), pointer="/account_code")
    return treasury.item_paid(account.suspense, account.mirror, money, wish.line_id)


def _to_fund(session: Session, account: MoneyAccount, wish: Wish) -> Legs:
    """Return what a line moves that paid premium on account (E35): the fund has it, and its share of the bank."""
    money, invoice = Money(wish.line_minor, account.currency), premiums.invoice(session, UUID(str(wish.evidence["invoice"])))
    if invoice.due < money:
        refused = say("Of this premium only %(money)s is expected on a line.", money=invoice.due)
        raise WrongDirection(refused, pointer="/reference")
    return treasury.premium_received(account.suspense, account.mirror, money, invoice.id)


def _to_account(account: MoneyAccount, line: Line, wish: Wish) -> Leg:
    assert wish.account_code is not None
    money, about = Money(wish.line_minor, account.currency), UUID(wish.evidence[PART]) if PART in wish.evidence else line.id
    return postings.explained(account.suspense, wish.account_code, money if line.amount_minor > 0 else -money, about)


def _row(account: MoneyAccount, wish: Wish, now: datetime) -> dict[str, Any]:
    return {
        "id": wish.id,
        "coop_id": account.coop_id,
        "line_id": wish.line_id,
        "part": wish.part,
        "target_kind": wish.target_kind,
        "target_id": wish.target_id,
        "account_code": wish.account_code,
        "line_minor": wish.line_minor,
        "fee_minor": wish.fee_minor,
        "kind": wish.kind,
        "rule": wish.rule,
        "automatic": wish.automatic,
        "evidence": wish.evidence,
        "reason": wish.reason,
        "matched_by": wish.by,
        "matched_at": now,
    }


def insert_rows(session: Session, model: type[Base], rows: Sequence[dict[str, Any]], *, skip_existing: bool = False) -> None:
    """Insert many rows as one JSON value: one parameter instead of thousands."""
    if not rows:
        return
    table, columns = model.__tablename__, ", ".join(rows[0])
    source = f"SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, CAST(:rows AS jsonb))"  # noqa: S608 - our own names
    statement = text(f"INSERT INTO {table} ({columns}) {source}" + (" ON CONFLICT DO NOTHING" if skip_existing else ""))
    for start in range(0, len(rows), 10_000):
        session.execute(statement, {"rows": json.dumps(rows[start : start + 10_000], default=str)})


def _use_up(session: Session, wishes: Sequence[Wish]) -> None:
    """Count the matches on their lines; what is explained leaves the queue, and its suggestions with it.

    Of a line that is explained in part, those go that were taken: its rest is another question.
    """
    used: dict[UUID, int] = defaultdict(int)
    for wish in wishes:
        used[wish.line_id] += wish.line_minor
    session.flush()
    explained = session.execute(
        text(
            "UPDATE statement_line l SET matched_minor = l.matched_minor + u.minor,"
            " state = CASE WHEN l.matched_minor + u.minor = abs(l.amount_minor) THEN 'matched' ELSE l.state END"
            " FROM unnest(CAST(:ids AS uuid[]), CAST(:minors AS bigint[])) u (id, minor) WHERE l.id = u.id"
            " RETURNING CASE WHEN l.state = 'matched' THEN l.id END"
        ),
        {"ids": direct.array(used), "minors": direct.array(used.values())},
    ).scalars()
    session.execute(
        text("DELETE FROM statement_suggestion WHERE line_id = ANY (:ids) AND dismissed_at IS NULL"),
        {"ids": [line_id for line_id in explained if line_id is not None]},
    )
    taken = [wish for wish in wishes if wish.target_id is not None]
    session.execute(
        text(
            "DELETE FROM statement_suggestion s"
            " USING unnest(CAST(:lines AS uuid[]), CAST(:targets AS uuid[])) t (line_id, target_id)"
            " WHERE s.line_id = t.line_id AND s.target_id = t.target_id AND s.dismissed_at IS NULL"
        ),
        {
            "lines": direct.array(wish.line_id for wish in taken),
            "targets": direct.array(wish.target_id for wish in taken if wish.target_id),
        },
    )
