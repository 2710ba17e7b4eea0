"""Rules that staff make from a choice about a line: made, confirmed by use, ended, and taken back (money.md 8.1, rule 9)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.statements.errors import LineNotFound, ReasonNeeded, RuleEnded, RuleNotFound, WrongDirection
from market.statements.match_models import BookingRule, StatementMatch
from market.statements.models import MoneyAccount, StatementLine
from market.statements.rules import booking
from market.statements.rules.claims import Claim, Proposal

RULE = "staff_rule"
"""Name of this rule on suggestions and matches; the evidence names the row."""

RULED = {"bank_charges": 0, "own_transit": 0, "tax_payable": -1, "transport_payable": -1, "sweep_transit": 1}
"""What a rule may book to, and in which direction; 0 both. Write-offs and unknown money are decided one by one."""

MOST_TIMES = 3
"""Lines of more than so many times the first one's amount are not like it."""


def make_rule(
    session: Session,
    *,
    line_id: UUID,
    account_code: str,
    reason: str,
    actor: Actor,
    now: datetime,
    max_minor: int | None = None,
) -> BookingRule:
    """Make a rule from a line: same direction and counterparty, the same words where the bank names no counterparty.

    It suggests until people agreed three times, this choice included. Raises LineNotFound, WrongDirection, ReasonNeeded when
    the line has nothing to recognise others by.
    """
    line = session.get(StatementLine, line_id)
    if line is None:
        raise LineNotFound("There is no such statement line here.")
    sign = 1 if line.amount_minor > 0 else -1
    if account_code not in RULED or RULED[account_code] * sign < 0:
        raise WrongDirection("Lines like this cannot be booked that way by a rule.", pointer="/account_code")
    if len(reason.strip()) < 3:
        raise ReasonNeeded("Say in a few words why, so that a colleague understands it next year.", pointer="/reason")
    name = booking.plain(line.counterparty_name)
    words = () if line.counterparty_account else booking.words_of(line.text)[:6]
    if not (line.counterparty_account or name or words):
        raise ReasonNeeded("The bank says nothing by which other lines could be recognised.", pointer="/account_code")
    row = BookingRule(
        coop_id=line.coop_id,
        money_account_id=line.money_account_id,
        sign=sign,
        account_code=account_code,
        counterparty_account=line.counterparty_account,
        counterparty_name="" if line.counterparty_account else name,
        words=list(words),
        max_minor=max_minor or MOST_TIMES * abs(line.amount_minor),
        reason=reason.strip()[:300],
        confirmations=1,
        made_from=line.id,
        made_by=actor.label,
        made_at=now,
    )
    session.add(row)
    session.flush()
    _note(session, actor, "statements.rule_made", row, now, {"account": account_code, "line": str(line.id)})
    return row


def end_rule(session: Session, *, rule_id: UUID, reason: str, actor: Actor, now: datetime) -> BookingRule:
    """End a rule; what it booked stays, and `matches_of_rule` lists it to be taken back.

    Raises RuleNotFound, RuleEnded, ReasonNeeded.
    """
    row = _locked(session, rule_id)
    if len(reason.strip()) < 3:
        raise ReasonNeeded("Say in a few words why the rule ends.", pointer="/reason")
    if row.ended_at is not None:
        raise RuleEnded("This rule was ended already.")
    row.ended_by, row.ended_at, row.ended_reason = actor.label, now, reason.strip()[:300]
    _note(session, actor, "statements.rule_ended", row, now, {"reason": row.ended_reason})
    return row


def confirm_rule(session: Session, rule_id: UUID) -> None:
    """Count that a person accepted what a rule suggested."""
    session.execute(update(BookingRule).where(BookingRule.id == rule_id).values(confirmations=BookingRule.confirmations + 1))


def doubt_rule(session: Session, rule_id: UUID) -> None:
    """A person took back or rejected what a rule said: it only suggests until people agree three times again."""
    session.execute(update(BookingRule).where(BookingRule.id == rule_id).values(confirmations=0))


def matches_of_rule(session: Session, rule_id: UUID, *, limit: int = 200) -> Sequence[StatementMatch]:
    """Return the matches that a rule made or suggested, the newest first, undone ones included."""
    statement = (
        select(StatementMatch)
        .where(StatementMatch.rule == RULE, StatementMatch.evidence[RULE].astext == str(rule_id))
        .order_by(StatementMatch.id.desc())
        .limit(limit)
    )
    return session.execute(statement).scalars().all()


def rules_of(session: Session, account: MoneyAccount) -> list[booking.BookingRule]:
    """Return the living rules of an account in the shape in which they are applied."""
    rows = session.execute(
        select(BookingRule)
        .where(BookingRule.money_account_id == account.id, BookingRule.ended_at.is_(None))
        .order_by(BookingRule.made_at, BookingRule.id)
    ).scalars()
    return [
        booking.BookingRule(
            row.id, row.sign, row.account_code, row.max_minor, row.counterparty_account, row.counterparty_name,
            tuple(row.words), row.confirmations,
        )
        for row in rows
    ]  # fmt: skip


def propose_bookings(
    claims: Iterable[Claim],
    proposals: Sequence[Proposal],
    rules: Sequence[booking.BookingRule],
    dismissed: frozenset[tuple[UUID, UUID]],
) -> list[Proposal]:
    """Return proposals by staff's rules for whole lines that nothing else explains, not even as a suggestion.

    A line that names a reference, came back, or has another candidate is never booked by a rule.
    """
    if not rules:
        return []
    taken = {proposal.line_id for proposal in proposals if proposal.rule != "bank_code"}
    found = []
    for claim in claims:
        if claim.part or claim.references or claim.returned or claim.batches or claim.line_id in taken:
            continue
        rejected = frozenset(rule.id for rule in rules if (claim.line_id, rule.id) in dismissed)
        rule = booking.choose(rules, claim.amount_minor, claim.account, claim.name, claim.text, rejected)
        if rule is not None:
            kind = "fee" if rule.account_code == "bank_charges" else "full"
            found.append(
                Proposal(
                    claim.line_id, 0, "account", None if rule.automatic else rule.id, abs(claim.amount_minor), kind, RULE,
                    rule.automatic, {RULE: str(rule.id)}, account_code=rule.account_code,
                )
            )  # fmt: skip
    return found


def rule_of(evidence: dict[str, object]) -> UUID | None:
    """Return which rule a suggestion or match came from."""
    return UUID(str(evidence[RULE])) if RULE in evidence else None


def _locked(session: Session, rule_id: UUID) -> BookingRule:
    rows = locks.lock(session, BookingRule, [rule_id])
    if not rows:
        raise RuleNotFound("There is no such rule here.")
    return rows[0]


def _note(session: Session, actor: Actor, action: str, row: BookingRule, now: datetime, new: dict[str, object]) -> None:
    audit.record(session, actor=actor, action=action, subject_kind="booking_rule", subject_id=row.id, coop_id=row.coop_id,
                 now=now, new=new)  # fmt: skip
