"""The card processor's statement: every line kept by its id, posted to the mirror, and matched by what caused it.

Its money lies in one account for all co-ops, so each book has a share in it and the shares of a line add up (E54). The
mirror is `stripe:1`, its suspense `suspense:s`; import and match are two postings, so that undoing one leaves the other.
Lines that nobody can explain are kept as `unknown` for a person and are not spread over books by a guess.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel.ids import new_id
from market.kernel.locks import lock
from market.kernel.money import Money
from market.kernel.uow import Units
from market.kernel.words import N_, say
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.payments import postings
from market.payments.models import Dispute, Payment, ProcessorLine, ProcessorShare, Refund
from market.payments.ports import BalanceLine, CardProcessor
from market.payments.postings import COUNTER
from market.payments.queries import parts, since_for_sync
from market.payments.rules import Share, shares
from market.payments.service.books import ACTOR, days_of
from market.payments.service.disputes import shares_of
from market.payments.service.paying_refunds import fail_refund, settle_refund

BY_PAYOUT = ("transfer", "transfer_refund")
BY_DISPUTE = ("adjustment",)
SWEPT_BACK = ("payout_failure", "payout_cancel")
BY_PAYMENT = ("charge", "payment")
BY_REFUND = ("refund", "payment_refund", "refund_failure", "payment_failure_refund")


def store_lines(session: Session, lines: Sequence[BalanceLine]) -> int:
    """Keep the lines that are new and return how many those were; asking again for the same days adds nothing."""
    if not lines:
        return 0
    rows = [
        {
            "id": line.line_id,
            "subject": new_id(),
            "kind": line.kind,
            "source": line.source,
            "currency": line.gross.currency,
            "gross_minor": line.gross.minor,
            "fee_minor": line.fee.minor,
            "net_minor": line.net.minor,
            "booked_at": line.booked_at,
            "payment_id": line.payment_id,
            "refund_id": line.refund_id,
            "payout_id": line.payout_id,
            "bank_payout": line.bank_payout,
            "state": "new" if line.kind in COUNTER else "unknown",
            "problem": None if line.kind in COUNTER else say("Lines of kind %(kind)s are explained by a person.", kind=line.kind),
        }
        for line in lines
    ]
    statement = insert(ProcessorLine).values(rows).on_conflict_do_nothing(index_elements=["id"]).returning(ProcessorLine.id)
    return len(session.scalars(statement).all())


def match_new_lines(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Post and match lines of payments, refunds and disputes; return how many were worked off (E03, E15, E23, E25, E26)."""
    rows = _claim(session, (*BY_PAYMENT, *BY_REFUND, *BY_DISPUTE), limit)
    entries: list[Entry] = []
    for row in rows:
        if row.kind in BY_DISPUTE:
            found = _by_dispute(session, row)
        else:
            found = _by_payment(session, row) if row.kind in BY_PAYMENT else _by_refund(session, row, now)
        if found:
            entries += matched(session, row, found)
        else:
            row.state, row.problem = "unknown", N_("No payment, refund or dispute of ours belongs to this line.")
    session.flush()
    ledger.post(session, entries, late=True)
    return len(rows)


def _claim(session: Session, kinds: Sequence[str], limit: int) -> Sequence[ProcessorLine]:
    statement = (
        select(ProcessorLine)
        .where(ProcessorLine.state == "new", ProcessorLine.kind.in_(kinds))
        .order_by(ProcessorLine.booked_at, ProcessorLine.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).all()


def _by_payment(session: Session, row: ProcessorLine) -> list[Share]:
    payment = session.get(Payment, UUID(row.payment_id)) if row.payment_id else None
    if payment is None or payment.currency != row.currency:
        return []
    weights: dict[UUID, int] = {}
    for part in parts(session, payment.id):
        weights[part.coop_id] = weights.get(part.coop_id, 0) + part.total.minor
    return shares(Money(row.gross_minor, row.currency), Money(row.fee_minor, row.currency), list(weights.items()))


def _by_dispute(session: Session, row: ProcessorLine) -> list[Share]:
    found = session.scalars(select(Dispute).where(Dispute.provider_ref == row.source)).one_or_none()
    if found is None or found.currency != row.currency:
        return []
    return shares_of(session, found, Money(row.gross_minor, row.currency), Money(row.fee_minor, row.currency))


def _by_refund(session: Session, row: ProcessorLine, now: datetime) -> list[Share]:
    """Our refund by its id, or one made elsewhere, which may lie in several books, by the processor's."""
    if row.refund_id:
        wanted = select(Refund.id).where(Refund.id == UUID(row.refund_id))
    else:
        wanted = select(Refund.id).where(
            (Refund.provider_ref == row.source) | Refund.provider_ref.startswith(row.source + "#", autoescape=True)
        )
    refunds = lock(session, Refund, session.scalars(wanted))
    if not refunds or any(refund.currency != row.currency for refund in refunds):
        return []
    weights: dict[UUID, int] = {}
    for refund in refunds:
        weights[refund.coop_id] = weights.get(refund.coop_id, 0) + refund.amount_minor
        if row.gross_minor < 0:
            settle_refund(session, refund, now)
        else:
            fail_refund(refund)
    return shares(Money(row.gross_minor, row.currency), Money(row.fee_minor, row.currency), list(weights.items()))


def matched(
    session: Session,
    row: ProcessorLine,
    found: Sequence[Share],
    *,
    meaning: Callable[[Share], tuple[Leg, ...]] | None = None,
    by: str = ACTOR,
    again: str = "",
    booked: bool = False,
) -> list[Entry]:
    """Write the shares of a line and return its postings, import and match, per book.

    `meaning` gives the legs of what a share is, where the line's kind does not say it; the fee is added to them. `again` is
    added to the keys of a line that was taken back before; with `booked` its shares stand, and only the match is made.
    """
    row.state, row.problem = "matched", None
    books = ledger.books_of(session, [share.coop_id for share in found])
    days = days_of(session, books, row.booked_at)
    entries = []
    for share in found:
        if not booked:
            values = {"gross_minor": share.gross.minor, "fee_minor": share.fee.minor}
            session.add(ProcessorShare(line_id=row.id, coop_id=share.coop_id, **values))
        book, on = books[share.coop_id], days[share.coop_id]
        moved = postings.line_booked(share.net, row.subject)
        if meaning is None:
            meant = postings.line_matched(row.kind, share.gross, share.fee, row.subject)
        else:
            meant = meaning(share) + postings.fee_matched(row.kind, share.fee, row.subject)
        if moved and not booked:
            entries.append(Entry(book, "processor.line", f"import:stripe:{row.id}{again}", on, by, moved))
        if meant:
            entries.append(Entry(book, "processor.match", f"match:stripe:{row.id}{again}", on, by, meant))
    return entries


@dataclass(frozen=True, slots=True)
class TransferLine:
    """A transfer to a payee on the processor's statement, or one `taken_back`: which payout it is, how much moved, and when."""

    line_id: str
    payout_id: UUID
    money: Money
    booked_at: datetime
    taken_back: bool


def transfer_lines_waiting(session: Session, *, limit: int = 200) -> list[TransferLine]:
    """Return transfers to payees, and those taken back, that stand on the statement and are not booked yet, oldest first."""
    statement = (
        select(ProcessorLine)
        .where(ProcessorLine.state == "new", ProcessorLine.kind.in_(BY_PAYOUT), ProcessorLine.payout_id.is_not(None))
        .order_by(ProcessorLine.booked_at)
        .limit(limit)
    )
    return [
        TransferLine(row.id, UUID(row.payout_id), Money(abs(row.gross_minor), row.currency), row.booked_at, row.gross_minor > 0)
        for row in session.scalars(statement)
        if row.payout_id
    ]


def book_transfer_line(session: Session, *, line_id: str, coop_id: UUID, legs: Sequence[Leg]) -> bool:
    """Post a transfer to a payee in the book of the co-op whose payout it is (E44, E22); False when that is done.

    `legs` are the match against `suspense:s`: what `payouts.service.settle` returned, or the claim that is settled.
    """
    row = _lock_line(session, line_id)
    if row is None:
        return False
    share = Share(coop_id, Money(row.gross_minor, row.currency), Money(row.fee_minor, row.currency))
    entries = matched(session, row, [share], meaning=(lambda _: tuple(legs)) if legs else None)
    session.flush()
    ledger.post(session, entries, late=True)
    return True


def puzzle_line(session: Session, *, line_id: str, problem: str) -> None:
    """Leave a line to a person, with the reason in words."""
    row = _lock_line(session, line_id)
    if row is not None:
        row.state, row.problem = "unknown", problem


def _lock_line(session: Session, line_id: str) -> ProcessorLine | None:
    rows = lock(session, ProcessorLine, [line_id])
    return rows[0] if rows and rows[0].state == "new" else None


def match_bank_payouts(session: Session, *, line_id: str, members: Sequence[str]) -> bool:
    """Post and match a payout of the processor to the bank: each book gets out what its lines brought (E04).

    Waits, and returns False, while a member is not matched; a payout that is not the sum of its lines goes to a person.
    """
    row = _lock_line(session, line_id)
    if row is None:
        return False
    lines = session.scalars(select(ProcessorLine).where(ProcessorLine.id.in_(members))).all()
    if len(lines) != len(set(members)) or any(line.state == "new" for line in lines):
        return False
    net: dict[UUID, int] = {}
    for share in session.scalars(select(ProcessorShare).where(ProcessorShare.line_id.in_(members))):
        net[share.coop_id] = net.get(share.coop_id, 0) + share.gross_minor - share.fee_minor
    if sum(net.values()) != -row.net_minor:
        row.state, row.problem = "unknown", N_("The payout is not the sum of lines that belong to co-ops.")
        return False
    nothing = Money.zero(row.currency)
    entries = matched(session, row, [Share(coop_id, Money(-minor, row.currency), nothing) for coop_id, minor in net.items()])
    session.flush()
    ledger.post(session, entries, late=True)
    return True


def match_swept_back(session: Session, *, limit: int = 50) -> int:
    """Book payouts to the bank that came back, each to the books out of which it went (the reverse of E04); return how many.

    One whose payout is not booked yet waits for it; one that does not fit goes to a person.
    """
    done = 0
    for row in _claim(session, SWEPT_BACK, limit):
        wanted = (ProcessorLine.kind == "payout", ProcessorLine.source == row.source)
        payout = session.scalars(select(ProcessorLine).where(*wanted)).one_or_none()
        if payout is not None and payout.state == "new":
            continue
        if payout is None or payout.state != "matched" or (payout.net_minor, payout.currency) != (-row.net_minor, row.currency):
            row.state, row.problem = "unknown", N_("This does not give back a payout to the bank that we know.")
            continue
        gone = session.scalars(select(ProcessorShare).where(ProcessorShare.line_id == payout.id)).all()
        found = [Share(one.coop_id, Money(-one.gross_minor, row.currency), Money(-one.fee_minor, row.currency)) for one in gone]
        entries = matched(session, row, found)
        session.flush()
        ledger.post(session, entries, late=True)
        done += 1
    return done


def sync_balance(units: Units, cards: CardProcessor, *, now: datetime) -> int:
    """Fetch the processor's statement and work it off, transfers to payees and payouts excepted; return how many were new.

    Raises ProcessorUnsure, ProcessorRefused when the processor does not answer: the next run begins where this one did.
    """
    with units() as session:
        since = since_for_sync(session, now=now)
    lines = cards.balance_lines(since)
    fresh = 0
    for start in range(0, len(lines), 500):
        with units() as session:
            fresh += store_lines(session, lines[start : start + 500])
    while True:
        with units() as session:
            if not match_new_lines(session, now=now):
                return fresh


def sync_bank_payouts(units: Units, cards: CardProcessor) -> int:
    """Work off the processor's payouts to our bank, once all lines in them are matched; return how many were."""
    with units() as session:
        waiting = [(row.id, row.bank_payout) for row in _claim(session, ("payout",), 50) if row.bank_payout]
    done = 0
    for line_id, bank_payout in waiting:
        members = cards.lines_of_payout(bank_payout)
        with units() as session:
            done += match_bank_payouts(session, line_id=line_id, members=members)
    with units() as session:
        return done + match_swept_back(session)
