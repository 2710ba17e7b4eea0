"""What a person decides about a line: accept, book, ask, dismiss, and take back (money.md 8.2, 8.3)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.money import Money
from market.kernel.words import say
from market.payouts import queries as payout_queries
from market.producers import queries as producers
from market.statements.errors import (
    LineExplained,
    LineNotFound,
    PaidInParts,
    ReasonNeeded,
    SecondPersonNeeded,
    SuggestionGone,
    WrongDirection,
)
from market.statements.match_models import StatementMatch, StatementSuggestion
from market.statements.models import MoneyAccount, StatementLine
from market.statements.service.accounts import account_of
from market.statements.service.applying import Wish, make_matches, rest_of
from market.statements.service.booking_rules import confirm_rule, doubt_rule, rule_of
from market.statements.service.referring import meant
from market.statements.service.targets import payee_of

GIVEN_UP = ("write_off", "bank_charges")
"""What the co-op bears itself; above its own limit only an approver books it (money.md 8.3). What a rule finds needs nobody."""

# What staff may book a line as, and in which direction: 1 money in, -1 money out, 0 both (E50 to E52, E49,
# E37, E47, and E12: no more deposits go back than came).
BOOKABLE = {
    "bank_charges": 0,
    "own_transit": 0,
    "write_off": 0,
    "sweep_transit": 1,
    "unidentified": 1,
    "tax_payable": -1,
    "transport_payable": -1,
    "premium_in_transit": -1,
    "fx": 0,
    "deposit_liability": 0,
}


def accept_suggestion(session: Session, *, suggestion_id: UUID, line_id: UUID, actor: Actor, now: datetime) -> UUID:
    """Make the match that a rule suggested for a line; return its id. A doubled payout becomes the payee's claim.

    Raises SuggestionGone when it was dismissed or replaced, SecondPersonNeeded as `book_line` does where nothing but the bank's
    own code says that the line is charges, and the refusals of make_matches.
    """
    suggestion = session.get(StatementSuggestion, suggestion_id)
    if suggestion is None or suggestion.line_id != line_id or suggestion.dismissed_at is not None:
        raise SuggestionGone("This suggestion is gone: somebody decided, or matching ran again. Look at the line anew.")
    line, account = locked_line(session, suggestion.line_id)
    wish = accepted(session, suggestion, actor)
    refuse_alone(session, line, account, [wish], actor)
    note(session, actor, "statements.accepted", line, now, {"rule": wish.rule, "match": str(wish.id)})
    make_matches(session, account, [wish], now=now)
    if rule_id := rule_of(wish.evidence):
        confirm_rule(session, rule_id)
    return wish.id


def match_reference(session: Session, *, line_id: UUID, reference: str, actor: Actor, now: datetime) -> UUID:
    """Match a line to what has the reference that a person read on it, or knows: payment, payout, refund, loan, premium.

    Returns the match's id. Raises ReasonNeeded for no reference of ours, and the refusals of what it names.
    """
    line, account = locked_line(session, line_id)
    if not rest_of(line):  # perhaps by the same press a moment ago: then it is this very line that has shown what it names
        nothing = Money.zero(account.currency)
        raise LineExplained(say("Of this line only %(rest)s is still unexplained.", rest=nothing), rest_minor=0)
    wish, whole = meant(session, line, account, reference, actor, pointer="/reference"), None
    if wish.target_kind == "payout" and wish.target_id is not None:
        whole = payout_queries.payout(session, wish.target_id).money
    if whole is not None and wish.line_minor < whole.minor:
        raise PaidInParts(
            say(
                "The payout is %(money)s and this line %(rest)s."
                " If the bank paid it in several lines, match them together below.",
                money=whole,
                rest=Money(wish.line_minor, account.currency),
            ),
            pointer="/reference",
        )
    note(session, actor, "statements.matched", line, now, {"reference": reference, "match": str(wish.id)})
    make_matches(session, account, [wish], now=now)
    return wish.id


def book_line(
    session: Session,
    *,
    line_id: UUID,
    account_code: str,
    reason: str,
    actor: Actor,
    now: datetime,
    amount_minor: int | None = None,
) -> UUID:
    """Book a line, or a part of it, to one of BOOKABLE with a reason; return the match's id.

    Raises ReasonNeeded, WrongDirection, SecondPersonNeeded for charges or a write-off above what the co-op
    lets one person book, by somebody who does not approve.
    """
    line, account = locked_line(session, line_id)
    minor = rest_of(line) if amount_minor is None else amount_minor
    wish = booked(session, line, account, account_code, reason, minor, actor)
    note(
        session,
        actor,
        "statements.booked",
        line,
        now,
        {"account": account_code, "amount": Money(minor, account.currency).text, "reason": reason.strip()},
    )
    make_matches(session, account, [wish], now=now)
    return wish.id


def booked(
    session: Session, line: StatementLine, account: MoneyAccount, account_code: str, reason: str, minor: int, actor: Actor
) -> Wish:
    """Return the match that books `minor` of a line to one of BOOKABLE, or raise what `book_line` says."""
    wish = bookable(line, account_code, reason, minor, actor)
    refuse_alone(session, line, account, [wish], actor)
    return wish


def refuse_alone(session: Session, line: StatementLine, account: MoneyAccount, wishes: Sequence[Wish], actor: Actor) -> None:
    """Raise SecondPersonNeeded where matches of a line give up more than one person may, and the person does not approve.

    What a rule of staff books was allowed when the rule was made, up to its largest amount.
    """
    given_up = sum(each.line_minor for each in wishes if each.account_code in GIVEN_UP and rule_of(each.evidence) is None)
    if not given_up or "approver" in actor.roles:
        return
    alone = producers.coop(session, account.coop_id).book_alone_minor
    if given_up + _given_up(session, line.id) > alone:
        limit = Money(alone, account.currency)
        raise SecondPersonNeeded(say("Above %(limit)s an approver books this. Ask a colleague who approves.", limit=limit))


def bookable(line: StatementLine, account_code: str, reason: str, minor: int, actor: Actor) -> Wish:
    """Return the match that books `minor` of a line, whoever may book so much.

    Raises WrongDirection, ReasonNeeded, LineExplained.
    """
    sign = BOOKABLE.get(account_code)
    if sign is None or sign * line.amount_minor < 0:
        raise WrongDirection("A line like this cannot be booked that way. Choose another account.", pointer="/account_code")
    if len(reason.strip()) < 3:
        raise ReasonNeeded("Say in a few words why, so that a colleague understands it next year.", pointer="/reason")
    if minor <= 0:
        raise LineExplained("Nothing of this line is left to be booked.", pointer="/amount")
    kind = {"bank_charges": "fee", "write_off": "write_off"}.get(account_code, "rest" if line.matched_minor else "full")
    return Wish(line.id, "account", None, minor, kind, "person", actor.label, account_code=account_code, reason=reason.strip())


def _given_up(session: Session, line_id: UUID) -> int:
    """What of a line the co-op bears already: a large sum in small parts is still a large sum."""
    live = (StatementMatch.line_id == line_id, StatementMatch.account_code.in_(GIVEN_UP), StatementMatch.undone_at.is_(None))
    return int(session.scalar(select(func.coalesce(func.sum(func.abs(StatementMatch.line_minor)), 0)).where(*live)) or 0)


def park_line(session: Session, *, line_id: UUID, question: str, actor: Actor, now: datetime) -> None:
    """Put a line aside with a question to a colleague; it stays on suspense. An empty question takes it back."""
    line, _ = locked_line(session, line_id)
    if line.state not in ("new", "suggested", "parked"):
        raise LineExplained("This line is explained already.")
    line.question = question.strip()[:500] or None
    line.state = "parked" if line.question else "new"
    note(session, actor, "statements.parked", line, now, {"question": line.question})


def dismiss_suggestion(session: Session, *, suggestion_id: UUID, actor: Actor, now: datetime) -> None:
    """Reject a suggestion for good: the pair is not proposed again."""
    suggestion = session.get(StatementSuggestion, suggestion_id)
    if suggestion is None:
        raise SuggestionGone("This suggestion is gone already.")
    line, _ = locked_line(session, suggestion.line_id)
    # Whoever held the line may have explained it, or have matched anew: then this is no suggestion any more.
    suggestion = session.get(StatementSuggestion, suggestion_id, populate_existing=True)
    if suggestion is None or suggestion.dismissed_at is not None:
        raise SuggestionGone("This suggestion is gone already.")
    if rule_id := rule_of(suggestion.evidence):
        doubt_rule(session, rule_id)
    suggestion.dismissed_by, suggestion.dismissed_at = actor.label, now
    session.flush()
    left = select(StatementSuggestion.id).where(
        StatementSuggestion.line_id == line.id, StatementSuggestion.dismissed_at.is_(None)
    )
    if line.state == "suggested" and session.execute(left.limit(1)).first() is None:
        line.state = "new"


def locked_line(session: Session, line_id: UUID) -> tuple[StatementLine, MoneyAccount]:
    """Lock a line and return it with its account. Raises LineNotFound."""
    rows = locks.lock(session, StatementLine, [line_id])
    if not rows:
        raise LineNotFound("There is no such statement line here.")
    return rows[0], account_of(session, rows[0].money_account_id)


def accepted(session: Session, suggestion: StatementSuggestion, actor: Actor) -> Wish:
    """Return the match that a suggestion proposes.

    A doubled payout becomes the payee's claim; money for a payment that has ended, or is paid, the buyer's credit (E09).
    """
    kind, target_id, code, reason = suggestion.target_kind, suggestion.target_id, None, None
    fee = suggestion.fee_minor
    if kind == "account":
        code, target_id = suggestion.account_code or "bank_charges", None
    elif suggestion.kind in ("duplicate", "alarm") and (kind, suggestion.kind) != ("payment", "duplicate"):
        if kind != "payout" or target_id is None:
            raise WrongDirection("Nothing is open there. Book the line as unidentified, or give the right reference.")
        kind, code, reason, fee = (
            "account",
            f"claim:{payee_of(session, target_id)}",
            say("payout %(target_id)s was paid again", target_id=target_id),
            0,
        )
        target_id = None
    return Wish(
        line_id=suggestion.line_id,
        part=suggestion.part,
        target_kind=kind,
        target_id=target_id,
        line_minor=suggestion.line_minor,
        fee_minor=fee,
        kind="full" if suggestion.kind in ("duplicate", "alarm") else suggestion.kind,
        rule=suggestion.rule,
        by=actor.label,
        account_code=code,
        evidence=suggestion.evidence,
        reason=reason,
    )


def note(session: Session, actor: Actor, action: str, line: StatementLine, now: datetime, new: dict[str, object]) -> None:
    """Write down who decided what about a line."""
    audit.record(session, actor=actor, action=action, subject_kind="statement_line", subject_id=line.id, coop_id=line.coop_id,
                 now=now, new=new)  # fmt: skip
