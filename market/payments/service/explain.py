"""Lines of the processor's statement that nothing of ours explains: a person says whose they are and what (E51, E52).

What the processor takes for itself is not tied to an order; the site's administrator names the co-op that it is for, or
spreads it over all by what they took by card in the month before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.locks import lock
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import queries as posted
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.payments import postings
from market.payments.errors import LineRefused
from market.payments.models import ProcessorLine, ProcessorShare
from market.payments.rules import Share, shares
from market.payments.service.balance import matched

BOOKABLE = {"payment_cost": 0, "dispute_cost": 0, "own_transit": 0, "tax_payable": 0, "write_off": 0, "unidentified": 1}
"""What a line may be, and in which direction: 1 money in, 0 both."""
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """A line in no book, and why nobody could be found for it."""

    id: str
    kind: str
    source: str
    gross: Money
    fee: Money
    booked_at: datetime
    problem: str


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """A line of which a person said what it is."""

    id: str
    kind: str
    gross: Money
    booked_at: datetime
    account: str


def explained_lines(session: Session, *, limit: int = 50) -> list[ExplainedLine]:
    """Return the lines of which a person said what they are, newest first: each can be taken back."""
    said = select(ProcessorLine).where(ProcessorLine.explained_as.is_not(None))
    rows = session.scalars(said.order_by(ProcessorLine.booked_at.desc(), ProcessorLine.id.desc()).limit(limit))
    return [
        ExplainedLine(row.id, row.kind, Money(row.gross_minor, row.currency), row.booked_at, row.explained_as or "")
        for row in rows
    ]


def unknown_lines(session: Session, *, limit: int = 200) -> list[UnknownLine]:
    """Return the lines that wait for a person, oldest first."""
    waiting = select(ProcessorLine).where(ProcessorLine.state == "unknown").order_by(ProcessorLine.booked_at, ProcessorLine.id)
    return [
        UnknownLine(
            row.id, row.kind, row.source, Money(row.gross_minor, row.currency), Money(row.fee_minor, row.currency),
            row.booked_at, row.problem or "",
        )
        for row in session.scalars(waiting.limit(limit))
    ]  # fmt: skip


def explain_line(
    session: Session, *, actor: Actor, line_id: str, coop_id: UUID | None, account: str, reason: str, now: datetime
) -> None:
    """Book a line that waits for a person: to one co-op, or (None) over all by what they took by card in the month before.

    A line that a payout to the bank took along stays with the co-ops whose it was. Raises LineRefused when it was explained
    meanwhile, cannot be booked like that, or nobody took anything. Posts.
    """
    row = next(iter(lock(session, ProcessorLine, [line_id])), None)
    if row is None or row.state != "unknown":
        raise LineRefused("Somebody has explained this line already.", pointer="/line")
    sign = BOOKABLE.get(account)
    if sign is None or sign * row.gross_minor < 0:
        raise LineRefused("A line like this cannot be booked that way.", pointer="/account")
    if len(reason.strip()) < 3:
        raise LineRefused("Say in a few words how you know what it is.", pointer="/reason")
    gross, fee = Money(row.gross_minor, row.currency), Money(row.fee_minor, row.currency)
    standing = _standing(session, row)
    found = standing or shares(gross, fee, [(coop_id, 1)] if coop_id else _volumes(session, row))
    row.explained += 1
    entries = matched(
        session,
        row,
        found,
        meaning=lambda share: postings.explained(account, share.gross, row.subject),
        by=actor.label,
        again=_again(row),
        booked=bool(standing),
    )
    row.explained_as = account
    # A payout to the bank may have waited for this line: its sum is looked at again.
    waiting = update(ProcessorLine).where(ProcessorLine.kind == "payout", ProcessorLine.state == "unknown")
    session.execute(waiting.values(state="new", problem=None))
    audit.record(
        session, actor=actor, action="payments.line_explained", subject_kind="processor_line", subject_id=row.id, now=now,
        new={"account": account, "amount": gross.text, "reason": reason.strip()},
    )  # fmt: skip
    session.flush()
    ledger.post(session, entries, late=True)


def take_back_line(session: Session, *, actor: Actor, line_id: str, reason: str, now: datetime) -> None:
    """Undo what a person said of a line, alone: it waits again. The history stays in the books and in the audit.

    Once a payout to the bank has taken the line along, the co-ops' shares in it stay, and only what it is comes back. Raises
    LineRefused for a line that nobody explained, and without a reason. Posts.
    """
    row = next(iter(lock(session, ProcessorLine, [line_id])), None)
    if row is None or row.explained_as is None:
        raise LineRefused("Only what a person said of a line can be taken back.", pointer="/line")
    if len(reason.strip()) < 3:
        raise LineRefused("Say in a few words how you know what it is.", pointer="/reason")
    took = select(ProcessorLine.id).where(
        ProcessorLine.kind == "payout", ProcessorLine.state == "matched", ProcessorLine.bank_payout == row.bank_payout
    )
    swept = row.bank_payout is not None and session.scalar(took.limit(1)) is not None
    shared = session.scalars(select(ProcessorShare).where(ProcessorShare.line_id == row.id)).all()
    books = ledger.books_of(session, [share.coop_id for share in shared])
    entries = []
    for share in shared:
        book = books[share.coop_id]
        for what in ("match",) if swept else ("match", "import"):
            key = f"{what}:stripe:{row.id}{_again(row)}"
            said = posted.booked(session, book, key)
            if said is not None:
                legs = tuple(leg.mirrored() for leg in posted.legs_of(session, book, said.id))
                undo = Entry(book, "processor.taken_back", f"{key}:undo", said.on, actor.label, legs, reverses=said.id)
                entries.append(undo)
        if not swept:
            session.delete(share)
    audit.record(
        session, actor=actor, action="payments.line_taken_back", subject_kind="processor_line", subject_id=row.id, now=now,
        old={"account": row.explained_as}, new={"reason": reason.strip()},
    )  # fmt: skip
    row.state, row.explained_as = "unknown", None
    row.problem = say("Taken back by %(by)s: %(reason)s", by=actor.name or actor.label, reason=reason.strip())
    session.flush()
    ledger.post(session, entries, late=True)


def _again(row: ProcessorLine) -> str:
    """Return what tells the keys of a repeated explanation from those before."""
    return "" if row.explained < 2 else f":{row.explained}"


def _standing(session: Session, row: ProcessorLine) -> list[Share]:
    """Return the shares of a line that was taken back after a payout to the bank had taken it along."""
    rows = session.scalars(select(ProcessorShare).where(ProcessorShare.line_id == row.id).order_by(ProcessorShare.coop_id))
    return [Share(one.coop_id, Money(one.gross_minor, row.currency), Money(one.fee_minor, row.currency)) for one in rows]


def _volumes(session: Session, row: ProcessorLine) -> list[tuple[UUID, int]]:
    total = func.sum(ProcessorShare.gross_minor)
    statement = (
        select(ProcessorShare.coop_id, total)
        .join(ProcessorLine, ProcessorLine.id == ProcessorShare.line_id)
        .where(
            ProcessorLine.kind.in_(("charge", "payment")),
            ProcessorLine.currency == row.currency,
            ProcessorLine.booked_at.between(row.booked_at - MONTH, row.booked_at),
        )
        .group_by(ProcessorShare.coop_id)
        .order_by(ProcessorShare.coop_id)
    )
    found = [(coop_id, int(minor)) for coop_id, minor in session.execute(statement)]
    if not found:
        raise LineRefused("No co-op took anything by card in the month before. Name the co-op.", pointer="/coop_id")
    return found
