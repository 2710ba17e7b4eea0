"""What a bank did to one payout beside paying it: paid it in several lines, or paid it twice (money.md 8.3)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import locks
from market.kernel.actor import Actor
from market.kernel.money import Money
from market.kernel.references import bare
from market.kernel.words import say
from market.payouts import queries as payout_queries
from market.payouts.queries import InTransit
from market.statements.errors import LineExplained, LineNotFound, PaidAgain, SuggestionGone, WrongDirection
from market.statements.models import MoneyAccount, StatementLine
from market.statements.service.applying import PART, Wish, make_matches, rest_of
from market.statements.service.deciding import locked_line, note
from market.statements.service.referring import on_its_way, shown_before


def pay_in_parts(
    session: Session, *, line_id: UUID, others: Sequence[UUID], reference: str, actor: Actor, now: datetime
) -> list[UUID]:
    """Match lines of one account with the one payout that the bank paid in them; return the matches' ids.

    The sums agree to the cent. Taking one of the matches back takes all of them back. Raises LineNotFound, WrongDirection,
    SuggestionGone, PaidAgain, LineExplained when the sums differ.
    """
    _line, account = locked_line(session, line_id)
    lines = locks.lock(session, StatementLine, sorted({line_id, *others}))
    if len(lines) != len({line_id, *others}) or any(each.money_account_id != account.id for each in lines):
        raise LineNotFound("There is no such statement line here.")
    if any(each.amount_minor > 0 for each in lines):
        raise WrongDirection("Only money that went out pays a payout.", pointer="/of_payout")
    row = _waited_for(session, account, reference)
    total = Money(sum(rest_of(each) for each in lines), account.currency)
    if total != row.money or len(lines) < 2:
        raise LineExplained(
            say(
                "Together the lines are %(total)s and the payout is %(money)s. Tick the lines that come to the same sum.",
                total=total,
                money=row.money,
            ),
            pointer="/of_payout",
        )
    *parts, last = sorted((each for each in lines if rest_of(each)), key=lambda each: (each.booked_on, each.id))
    reason, by = say("part of payout %(number)s", number=row.number), actor.label
    evidence = {"reference": "by_person"}
    wishes = [
        Wish(each.id, "account", None, rest_of(each), "partial", "person", by, account_code=f"in_transit:{row.rail}",
             evidence=evidence | {PART: str(row.payout_id)}, reason=reason)
        for each in parts
    ]  # fmt: skip
    wishes.append(Wish(last.id, "payout", row.payout_id, rest_of(last), "partial", "person", by, evidence=evidence))
    for each, wish in zip([*parts, last], wishes, strict=True):
        note(session, actor, "statements.matched", each, now, {"reference": row.reference, "match": str(wish.id)})
    return make_matches(session, account, wishes, now=now)


def paid_twice(session: Session, *, line_id: UUID, reference: str, actor: Actor, now: datetime) -> UUID:
    """Book a line that paid a payout again: the payee owes it back. Returns the match's id.

    Another line has shown it, or what it was for is owed again, because it failed, was cancelled or came back. Raises
    SuggestionGone for any other, WrongDirection for money that came in or for more than the payout.
    """
    line, account = locked_line(session, line_id)
    row = shown_before(session, account, reference) or _owed_again(session, account, reference)
    if row is None:
        raise SuggestionGone("No line has shown a payout with this reference yet.", pointer="/of_payout")
    minor = rest_of(line)
    if line.amount_minor > 0 or minor > row.money.minor:
        raise WrongDirection(
            say("The payout is %(money)s: this line is more, or money that came in.", money=row.money), pointer="/of_payout"
        )
    wish = Wish(
        line.id, "account", None, minor, "full", "person", actor.label, account_code=f"claim:{row.payee_id}",
        evidence={"reference": "by_person"}, reason=say("payout %(number)s was paid again", number=row.number),
    )  # fmt: skip
    facts: dict[str, object] = {
        "account": wish.account_code,
        "amount": Money(minor, account.currency).text,
        "reason": wish.reason,
    }
    note(session, actor, "statements.booked", line, now, facts)
    make_matches(session, account, [wish], now=now)
    return wish.id


def _owed_again(session: Session, account: MoneyAccount, reference: str) -> InTransit | None:
    """Return the payout of a reference that has ended without being paid; None when there is none."""
    ended = payout_queries.undone(session, coop_id=account.coop_id, references=[bare(reference)], rails=account.rails)
    return next((row for row in ended if row.money.currency == account.currency), None)


def _waited_for(session: Session, account: MoneyAccount, reference: str) -> InTransit:
    """Return the payout of a reference that no line has shown yet. Raises PaidAgain, SuggestionGone."""
    if (row := on_its_way(session, account, reference)) is not None:
        return row
    if shown_before(session, account, reference) is not None:
        raise PaidAgain("Another line has shown this payout already. If the bank paid it twice, say so.", pointer="/of_payout")
    raise SuggestionGone("No payout with this reference is on its way.", pointer="/of_payout")
