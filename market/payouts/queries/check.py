"""The books against the rows: what the ledger alone cannot know about payables and payouts (money.md 1.6)."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from market.ledger import queries as books
from market.ledger.queries import Finding
from market.payables import queries as payables
from market.payouts.queries.runs import in_transit_totals


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
        findings += _differences(session, book_id, "open payables = payable:*", "payable:", owed)
        findings += _differences(session, book_id, "held payables = payable_on_hold:*", "payable_on_hold:", held)
        findings += _differences(session, book_id, "payouts on their way = in_transit:*", "in_transit:", moving)
    return findings


def _differences(session: Session, book_id: int, law: str, prefix: str, rows: Mapping[tuple[str, str], int]) -> list[Finding]:
    posted = {(one.code, one.money.currency): one.money.minor for one in books.balances(session, book_id, prefix=prefix)}
    return [
        Finding(
            law,
            f"book {book_id} {code} {currency}",
            f"rows say {rows.get((code, currency), 0)}, books {posted.get((code, currency), 0)}",
        )
        for code, currency in sorted(rows.keys() | posted.keys())
        if rows.get((code, currency), 0) != posted.get((code, currency), 0)
    ]
