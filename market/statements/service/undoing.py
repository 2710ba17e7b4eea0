"""One match is taken back by itself: by the mirror of its posting, with what it had paid or settled (money.md 8.3)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from market.kernel import locks
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.orders import service as orders
from market.payments import service as payments
from market.payouts import service as payouts
from market.producers import queries as producers
from market.statements.errors import MatchNotFound, MatchUndone, ReasonNeeded
from market.statements.models import MoneyAccount, StatementLine, StatementMatch, StatementSuggestion
from market.statements.service.applying import PART, posting_key
from market.statements.service.booking_rules import doubt_rule, rule_of
from market.statements.service.deciding import locked_line, note
from market.statements.service.importing import closed_through, posting_day
from market.statements.service.targets import sweep_id


def undo_match(session: Session, *, match_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Take one match back by the mirror of its posting; the others on the line stay, and the pair is not proposed again.

    An order that it paid waits for its payment again. Raises MatchNotFound, MatchUndone, and for a payment or refund the
    refusals of payments and orders when something of it moved on.
    """
    if len(reason.strip()) < 3:
        raise ReasonNeeded("Say in a few words why the match was wrong.", pointer="/reason")
    match = session.get(StatementMatch, match_id)
    if match is None:
        raise MatchNotFound("There is no such match here.")
    if (payout := match.evidence.get(PART)) is not None:  # what one payout was paid in is taken back as one
        match = session.scalars(_live_of_payout(UUID(payout))).one_or_none() or match
    line, account = locked_line(session, match.line_id)
    match = locks.lock_one(session, StatementMatch, match.id)
    if match.undone_at is not None:
        raise MatchUndone("This match was taken back already.")
    if match.target_kind == "payout_return":
        raise MatchUndone("Others build on this: the debt is open again. Book the correction by hand.")
    if match.target_kind == "payment":
        assert match.target_id is not None
        orders.take_back_payment(
            session, actor=actor, payment_id=match.target_id, line_subject=match.id, reason=reason.strip(), now=now
        )
    elif match.target_kind == "refund" and match.target_id is not None:
        payments.undo_bank_refund(session, refund_id=match.target_id)
    elif match.target_kind == "payout" and match.target_id is not None:
        payouts.unsettle(session, payout_id=match.target_id, now=now)
        for part in session.scalars(_parts_of_payout(match.target_id)).all():
            _take_back(session, account, part, locked_line(session, part.line_id)[0], actor, now, reason)
    rule_id = rule_of(match.evidence)
    if rule_id is not None:
        doubt_rule(session, rule_id)
    rejected = (
        match.target_id or rule_id or (sweep_id(match.evidence["bank_payout"]) if "bank_payout" in match.evidence else None)
    )
    if rejected is not None:
        _dismiss(session, match, actor, now, rejected)
    _take_back(session, account, match, line, actor, now, reason)


def _take_back(
    session: Session, account: MoneyAccount, match: StatementMatch, line: StatementLine, actor: Actor, now: datetime, reason: str
) -> None:
    match.undone_by, match.undone_at, match.undone_reason = actor.label, now, reason.strip()
    line.matched_minor -= match.line_minor
    line.state = "new"
    note(session, actor, "statements.undone", line, now, {"match": str(match.id), "reason": reason.strip()})
    _post_mirror(session, account, match, actor, now)


def _live_of_payout(payout_id: UUID) -> Select[StatementMatch]:
    mine = StatementMatch.target_kind == "payout", StatementMatch.target_id == payout_id
    return select(StatementMatch).where(*mine, StatementMatch.undone_at.is_(None))


def _parts_of_payout(payout_id: UUID) -> Select[StatementMatch]:
    return select(StatementMatch).where(
        StatementMatch.evidence[PART].astext == str(payout_id), StatementMatch.undone_at.is_(None)
    )


def _post_mirror(session: Session, account: MoneyAccount, match: StatementMatch, actor: Actor, now: datetime) -> None:
    book_id = ledger.book_of(session, account.coop_id)
    booked = books.transaction_id(session, book_id, posting_key(match.id))
    legs = tuple(leg.mirrored() for leg in books.legs_of(session, book_id, booked))
    today = day_in(now, producers.coop(session, account.coop_id).time_zone)
    on, note = posting_day(today, closed_through(session, account.coop_id))
    entry = Entry(
        book_id,
        "statement_match_undone",
        f"{posting_key(match.id)}:undo",
        on,
        actor.label,
        legs,
        reverses=booked,
        note=note,
    )
    ledger.post(session, [entry])


def _dismiss(session: Session, match: StatementMatch, actor: Actor, now: datetime, target_id: UUID) -> None:
    """Keep the pair from being proposed again; it may have been taken back before."""
    pair = {"line_id": match.line_id, "part": match.part, "target_kind": match.target_kind, "target_id": target_id}
    known = session.scalars(select(StatementSuggestion).filter_by(**pair)).one_or_none()
    if known is not None:
        known.dismissed_by, known.dismissed_at = known.dismissed_by or actor.label, known.dismissed_at or now
        return
    row = StatementSuggestion(
        coop_id=match.coop_id,
        **pair,
        line_minor=match.line_minor,
        fee_minor=match.fee_minor,
        kind=match.kind,
        rule=match.rule,
        evidence=match.evidence,
        account_code=match.account_code,
        rank=0,
        dismissed_by=actor.label,
        dismissed_at=now,
    )
    session.add(row)
