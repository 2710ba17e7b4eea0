"""A balance that the former books handed over wrongly is put right by two persons with a reason (E01).

The row says what it should have been; the difference to what was handed over is posted against `opening`, which so ends at the
books handed over again. What was posted first stays.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.ids import derived_id, new_id
from market.kernel.money import Money
from market.kernel.sheets import csv_lines
from market.kernel.text import says_why
from market.kernel.words import say
from market.ledger import opening
from market.ledger import service as ledger
from market.ledger.errors import UnknownAccount
from market.ledger.opening import HEADS, OpeningRow
from market.ledger.rules import kind_of
from market.payables import service as payables
from market.payables.errors import TooLittleOwed
from market.producers import queries as producers
from market.treasury.errors import AmountRefused, EvidenceMissing, NotOpen
from market.treasury.models import OpeningBalance
from market.treasury.service.deciding import add, decide, withdraw
from market.treasury.service.opening import PREMIUM, balances_of, check_unopened, hand_over


def propose_opening_correction(
    session: Session, *, actor: Actor, coop_id: UUID, code: str, money: Money, reason: str, now: datetime
) -> UUID:
    """Propose what a balance should have been when it was handed over; return the id. `code` as in the file.

    The two sides of the premium fund are corrected as one. Raises UnknownAccount, OpeningRefused for what the sum of records is
    or whom nobody knows, AmountRefused when nothing changes, EvidenceMissing without a reason, NotOpen while there is
    nothing to correct or another correction waits.
    """
    if not says_why(reason):
        raise EvidenceMissing("Say in a sentence what was wrong and where the right balance stands.", pointer="/reason")
    kind_of(code)
    if code == "opening":
        raise UnknownAccount("This is the counterpart: it follows from the others.", pointer="/account")
    body = _body(sorted(PREMIUM) if code in PREMIUM else [code], money)
    wanted = balances_of(session, coop_id, body, corrects=True)
    producers.lock_coop(session, coop_id)
    handed = check_correctable(session, coop_id)
    changes = list(_changes(wanted, handed))
    if not any(change for _, change in changes):
        raise AmountRefused("This is what was handed over: nothing would change.", pointer="/amount")
    before = _before(handed, changes[0][0], money.currency)
    days = [handed[key][1] for key in ((each, money.currency) for each, _ in changes) if key in handed]
    row = OpeningBalance(
        id=new_id(), coop_id=coop_id, on_day=min(days or (day for _, day in handed.values())), source=reason.strip(),
        name=f"{code}: {before.text} → {money.text}", body=body, balances=len(changes), corrects=True, state="proposed",
        proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    facts = {"code": code, "amount": money.text, "before": before.text, "reason": row.source}
    return add(session, row, actor=actor, now=now, facts=facts)


def check_correctable(session: Session, coop_id: UUID) -> Mapping[tuple[str, str], tuple[Money, date]]:
    """Return what was handed over, as `ledger.opening.handed_over`. Raises NotOpen for nothing, or while a proposal waits."""
    handed = opening.handed_over(session, ledger.book_of(session, coop_id))
    if not handed:
        raise NotOpen("No balances were handed over yet: there is nothing to correct.")
    waits = select(OpeningBalance.id).where(OpeningBalance.coop_id == coop_id, OpeningBalance.state == "proposed")
    if session.scalar(waits):
        raise NotOpen("Another proposal waits. It has to be decided or withdrawn first.")
    return handed


def may_be_proposed(session: Session, coop_id: UUID) -> tuple[bool, bool]:
    """Return whether a file of balances may be proposed now, and whether a correction may."""
    return _passes(check_unopened, session, coop_id), _passes(check_correctable, session, coop_id)


def _passes(check: Callable[[Session, UUID], object], session: Session, coop_id: UUID) -> bool:
    try:
        check(session, coop_id)
    except NotOpen:
        return False
    return True


def decide_opening(session: Session, *, actor: Actor, opening_id: UUID, agreed: bool, now: datetime) -> None:
    """Open the books with the balances, or correct them, or decline. Posts.

    Raises SecondPerson, NotOpen, OpenedAlready, LimitExceeded, and AmountRefused for a member who was paid more than is right.
    """
    row = decide(session, OpeningBalance, opening_id, actor=actor, state="booked" if agreed else "declined", now=now)
    if not agreed:
        return
    book = ledger.book_of(session, row.coop_id)
    if row.corrects:
        _correct(session, row, book, seen_by=actor.label)
    else:
        hand_over(session, book, row.coop_id, row.body, on=row.on_day, by=row.proposed_by, seen_by=actor.label)


def withdraw_opening(session: Session, *, actor: Actor, opening_id: UUID, now: datetime) -> None:
    """Withdraw one's own proposal of balances or of a correction. Raises NoRecord, NotOpen, NotYours."""
    withdraw(session, OpeningBalance, opening_id, actor=actor, now=now)


def _correct(session: Session, row: OpeningBalance, book: int, *, seen_by: str) -> None:
    rows = []
    wanted = balances_of(session, row.coop_id, row.body, corrects=True)
    for code, change in _changes(wanted, opening.handed_over(session, book)):
        if not change:
            continue
        head, _colon, payee = code.partition(":")
        subject = derived_id(f"opening:{row.id}:{code}:{change.currency}") if head == "payable" else None
        if subject is not None:
            _owe(session, row, UUID(payee), change, subject)
        rows.append(OpeningRow(code, change, subject))
    key = f"opening_corrected:{row.id}"
    opening.correct_opening(session, book, key, rows, on=row.on_day, by=row.proposed_by, seen_by=seen_by)


def _owe(session: Session, row: OpeningBalance, payee: UUID, change: Money, subject: UUID) -> None:
    """Let a member be owed more, or less of what was handed over and is open."""
    if change.minor > 0:
        payables.raise_payable(
            session, coop_id=row.coop_id, payee_id=payee, money=change, kind="opening", due_on=row.on_day,
            source_kind="opening_balance", source_id=subject,
        )  # fmt: skip
        return
    less = -change
    try:
        payables.set_aside(session, coop_id=row.coop_id, payee_id=payee, money=less, state="netted", taker=row.id, kind="opening")
    except TooLittleOwed as refusal:
        raise AmountRefused(
            say(
                "Less than %(money)s of it is still open: it was paid already. Decline this, and propose instead what the member"
                " owes back, at claim: and the member's number.",
                money=less,
            )
        ) from refusal


def _changes(
    wanted: list[tuple[str, Money]], handed: Mapping[tuple[str, str], tuple[Money, date]]
) -> Iterator[tuple[str, Money]]:
    for code, money in wanted:
        yield code, money - _before(handed, code, money.currency)


def _before(handed: Mapping[tuple[str, str], tuple[Money, date]], code: str, currency: str) -> Money:
    return handed[code, currency][0] if (code, currency) in handed else Money.zero(currency)


def _body(codes: list[str], money: Money) -> str:
    return "".join(csv_lines(HEADS, ((code, money.currency, money.decimal) for code in codes)))
