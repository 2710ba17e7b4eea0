"""The books against the rows: what the ledger alone cannot know about payables and payouts (money.md 1.6)."""

from sqlalchemy.orm import Session

from market.ledger import queries as books
from market.ledger.queries import Finding
from market.payables import queries as payables
from market.payouts.queries.cash import open_bags
from market.payouts.queries.runs import in_transit_totals
from market.treasury import loan_queries


def check(session: Session) -> list[Finding]:
    """Return where rows and books disagree: open payables and `payable:*`, payouts on their way and `in_transit:*`."""
    findings: list[Finding] = []
    for book_id, coop_id in books.books(session):
        if coop_id is None:
            continue
        owed = {
            (f"payable:{payee}", currency): minor
            for (payee, currency), minor in payables.unscheduled_by_payee(session, coop_id).items()
        }
        held = {
            (f"payable_on_hold:{payee}", currency): minor
            for (payee, currency), minor in payables.held_by_payee(session, coop_id).items()
        }
        moving = {
            (f"in_transit:{rail}", currency): minor for (rail, currency), minor in in_transit_totals(session, coop_id).items()
        }
        moving |= loan_queries.on_their_way(session, coop_id)
        bags = open_bags(session, coop_id)
        findings += books.differences(session, book_id, law="cash bags = issued - receipts", prefix="cash_bag:", rows=bags)
        findings += books.differences(session, book_id, law="open payables = payable:*", prefix="payable:", rows=owed)
        findings += books.differences(
            session, book_id, law="held payables = payable_on_hold:*", prefix="payable_on_hold:", rows=held
        )
        findings += books.differences(
            session, book_id, law="payouts on their way = in_transit:*", prefix="in_transit:", rows=moving
        )
    return findings
