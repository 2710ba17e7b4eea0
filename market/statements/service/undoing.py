"""One match is taken back by itself: by the mirror of its posting, with what it had paid or settled (money.md 8.3)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from market.kernel import locks
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.errors import LimitExceeded
from market.ledger.rules import Entry
from market.orders import service as orders
from market.payments import service as payments
from market.payouts import service as payouts
from market.producers import queries as producers
from market.statements.errors import MatchBuiltOn, MatchNotFound, MatchUndone, ReasonNeeded
from market.statements.match_models import StatementMatch, StatementSuggestion
from market.statements.models import MoneyAccount, StatementLine
from market.statements.service.applying import PART, posting_key
from market.statements.service.booking_rules import doubt_rule, rule_of
from market.statements.service.deciding import locked_line, note
from market.statements.service.targets import sweep_id


def undo_match(session: Session, *, match_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Take one match back by the mirror of its posting; the others on the line stay, and the pair is not proposed again.

    An order that it paid waits for its payment again, a payout that it brought back is paid as before. Raises MatchNotFound,
    MatchUndone, MatchBuiltOn, and the refusals of payments, orders and payouts when something of it moved on.
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
    if match.target_id is not None:
        _free_target(session, match, match.target_id, actor, reason.strip(), now)
    if match.target_kind == "payout" and match.target_id is not None:
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


def _free_target(session: Session, match: StatementMatch, target_id: UUID, actor: Actor, reason: str, now: datetime) -> None:
    """Let whoever owns what the line meant take that back, or refuse."""
    if match.target_kind == "payment":
        orders.take_back_payment(session, actor=actor, payment_id=target_id, line_subject=match.id, reason=reason, now=now)
    elif match.target_kind == "refund":
        payments.undo_bank_refund(session, refund_id=target_id)
    elif match.target_kind == "payout":
        payouts.unsettle(session, payout_id=target_id, now=now)
    elif match.target_kind == "payout_return":
        payouts.stay_paid(session, payout_id=target_id, reason=reason, actor=actor, now=now)


def _take_back(
    session: Session, account: MoneyAccount, match: StatementMatch, line: StatementLine, actor: Actor, now: datetime, reason: str
) -> None:
    match.undone_by, match.undone_at, match.undone_reason = actor.label, now, reason.strip()
    line.matched_minor -= match.line_minor
    line.state = "new"
    amount = Money(match.line_minor, account.currency).text
    note(session, actor, "statements.undone", line, now, {"match": str(match.id), "amount": amount, "reason": reason.strip()})
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
    key = f"{posting_key(match.id)}:undo"
    entry = Entry(book_id, "statement_match_undone", key, today, actor.label, legs, reverses=booked)
    try:
        ledger.post(session, [entry], late=True)
    except LimitExceeded as error:
        raise MatchBuiltOn(
            "The money of this match was used since: spent, paid back, or netted with what somebody is owed. Take that back"
            " first, or leave the match."
        ) from error


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
