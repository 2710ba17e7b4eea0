"""What both pages of a line say beside it: its own page and the matching desk."""

from typing import Any

from sqlalchemy.orm import Session

from market.accounts import queries as people
from market.http.auth import current_actor, current_coop
from market.kernel.money import Money
from market.producers import queries as producers
from market.reports.queries import desks
from market.statements import queries, service

PARTS = range(1, 5)
"""The parts that the form of a split has."""


def facts(session: Session, line: queries.LineView) -> dict[str, Any]:
    """Return what can be done with a line, who waits for whom about it, and what others have to do with it."""
    open_line = line.state in queries.STATES["open"]
    return {
        "line": line,
        "choices": bookable(line.money),
        "parts": PARTS,
        "alone": book_alone(session),
        "history": desks.history(session, "statement_line", line.id),
        "proposer": proposer_of(session, line),
        "me": current_actor(),
        "beside_it": queries.open_beside(session, line) if open_line and line.money.minor < 0 else [],
        "ruled": queries.rule_made_from(session, line.id) if open_line else None,
    }


def book_alone(session: Session) -> Money:
    """Return up to what one person of the co-op books alone."""
    coop = producers.coop(session, current_coop())
    return Money(coop.book_alone_minor, coop.currency)


def bookable(money: Money) -> list[str]:
    """Return what an amount may be booked as; for money that came in, what only such money can be stands first."""
    fits = [(code, sign) for code, sign in service.BOOKABLE.items() if sign * money.minor >= 0]
    return [code for code, _sign in (sorted(fits, key=lambda each: each[1] == 0) if money.minor > 0 else fits)]


def proposer_of(session: Session, line: queries.LineView) -> str:
    """Return who proposed a booking of the line, by name."""
    if line.proposal is None:
        return ""
    label = line.proposal.proposed_by
    return people.names_of_staff(session, [label], coop_id=current_coop()).get(label, label)
