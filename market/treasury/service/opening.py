"""Opening balances (E01): what the former books hand over, read row by row, proposed by one person and booked by another.

What a member is owed becomes something to pay; what only records of this site can explain (money on its way, advances, goods
not earned yet) is not taken over as a number: it would stand there without anything that ends it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import derived_id, new_id
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import opening
from market.ledger.opening import OpeningRefused, OpeningRow
from market.payables import service as payables
from market.producers import queries as producers
from market.treasury.errors import AmountRefused, EvidenceMissing, NotOpen
from market.treasury.models import OpeningBalance
from market.treasury.service.deciding import add

KEPT_BY_RECORDS = frozenset({
    "card_clearing", "stripe", "suspense", "sweep_transit", "own_transit", "cash_bag", "advance", "disputed", "fx", "held",
    "payable_on_hold", "in_transit", "premium_in_transit", "refund_payable", "buyer_credit", "unidentified", "fund_committed",
    "prefinance_payable", "retained_patronage", "lc", "lc_held",
})  # fmt: skip
"""Accounts whose balance is the sum of records: orders, payouts, advances, loans, lines of a statement."""
PREMIUM = {"premium_bank": 1, "fund_available": -1}


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """A row of a file as it would be taken over: the account by the code of the books, or why it cannot be."""

    number: int
    code: str
    amount: str
    money: Money | None
    problem: str | None


def opening_lines(session: Session, coop_id: UUID, text: str, *, corrects: bool = False) -> list[OpeningLine]:
    """Return every row of a file, or of what `corrects` balances, with what is wrong with it.

    Raises OpeningRefused when the file as a whole is no list.
    """
    members = producers.members_by_name(session, coop_id=coop_id)
    lines = [_line(row, members) for row in opening.scan(text, corrects=corrects)]
    gaps: Counter[str] = Counter()
    for line in lines:
        if line.money is not None and line.code in PREMIUM:
            gaps[line.money.currency] += PREMIUM[line.code] * line.money.minor
    return [_with_fund(line, gaps) for line in lines]


def _with_fund(line: OpeningLine, gaps: Counter[str]) -> OpeningLine:
    """Return a row of the premium fund as refused while its money and the fund differ (F-1)."""
    if line.problem is not None or line.money is None or line.code not in PREMIUM or not gaps[line.money.currency]:
        return line
    gap = Money(abs(gaps[line.money.currency]), line.money.currency)
    return replace(line, problem=say("The premium fund and its money at the bank differ by %(money)s.", money=gap))


def _line(row: opening.ScannedRow, members: Mapping[str, UUID]) -> OpeningLine:
    head, _colon, rest = row.code.partition(":")
    code, problem = row.code, row.problem
    if problem is None and head in KEPT_BY_RECORDS:
        problem = say(
            "'%(code)s' is the sum of records of this site, which a balance does not bring along. Enter those, or leave it out.",
            code=row.code,
        )
    elif problem is None and head in ("payable", "claim"):
        if rest in members:
            code = f"{head}:{members[rest]}"
        else:
            problem = say("No member is called '%(member)s'. Write %(head)s: and the member's number.", member=rest, head=head)
        if head == "payable" and row.money is not None and row.money.minor < 0:
            problem = say("Nobody is owed less than nothing. What a member owes stands at claim: and the number.")
    return OpeningLine(row.number, code, row.amount, row.money, problem)


def hand_over(session: Session, book_id: int, coop_id: UUID, text: str, *, on: date, by: str, seen_by: str) -> int:
    """Post the balances of a file and raise what members are owed; return how many. The same file again changes nothing.

    Raises OpeningRefused with its row, OpeningNeedsTwo, OpenedAlready.
    """
    rows = []
    for code, money in balances_of(session, coop_id, text):
        head, _colon, payee = code.partition(":")
        subject = derived_id(f"opening:{book_id}:{code}:{money.currency}") if head == "payable" else None
        rows.append(OpeningRow(code, money, subject))
        if subject is not None:
            payables.raise_payable(
                session,
                coop_id=coop_id,
                payee_id=UUID(payee),
                money=money,
                kind="opening",
                due_on=on,
                source_kind="opening_balance",
                source_id=subject,
            )
    opening.open_books(session, book_id, rows, on=on, by=by, seen_by=seen_by)
    return len(rows)


def balances_of(session: Session, coop_id: UUID, text: str, *, corrects: bool = False) -> list[tuple[str, Money]]:
    """Return account and amount of each row that brings one. Raises OpeningRefused for the first that cannot be taken over."""
    lines = opening_lines(session, coop_id, text, corrects=corrects)
    for line in lines:
        if line.problem is not None:
            raise OpeningRefused(line.problem, row=line.number)
    return [(line.code, line.money) for line in lines if line.money is not None and (line.money or corrects)]


def check_unopened(session: Session, coop_id: UUID) -> None:
    """Raise NotOpen when a file of balances was booked for the co-op, or waits."""
    rows = select(OpeningBalance.state).where(OpeningBalance.coop_id == coop_id, OpeningBalance.corrects.is_(False))
    states = set(session.scalars(rows))
    if "proposed" in states:
        raise NotOpen("Opening balances wait for a second person already. They have to be decided or withdrawn first.")
    if "booked" in states:
        raise NotOpen("The books have their opening balances. Correct single accounts instead.")


def propose_opening(
    session: Session, *, actor: Actor, coop_id: UUID, on: date, source: str, name: str, body: str, now: datetime
) -> UUID:
    """Propose to open the books with a file's balances, once for a co-op; return the id.

    Raises OpeningRefused, AmountRefused for a day to come, EvidenceMissing without its source, NotOpen for a second one.
    """
    if on > day_in(now, producers.coop(session, coop_id).time_zone):
        raise AmountRefused("The day of the handing over lies in the future.", pointer="/on")
    if len(source.strip()) < 3:
        raise EvidenceMissing("Say which books these balances come from, so that they can be looked up again.", pointer="/source")
    count = len(balances_of(session, coop_id, body))
    producers.lock_coop(session, coop_id)
    check_unopened(session, coop_id)
    row = OpeningBalance(
        id=new_id(), coop_id=coop_id, on_day=on, source=source.strip(), name=name, body=body, balances=count, state="proposed",
        proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    return add(session, row, actor=actor, now=now, facts={"on": on.isoformat(), "source": row.source, "balances": count})
