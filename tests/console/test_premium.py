"""Premium on account (E35): invoiced by two persons, held until the bank shows it, then in the fund; taken back before."""

import pytest
from sqlalchemy import select

from market.kernel.references import Kind, reference
from market.ledger import queries as books
from market.ledger import service as ledger
from market.orders import queries as orders
from market.statements import service as statements
from market.statements.errors import SuggestionGone, WrongDirection
from market.statements.match_models import StatementMatch
from market.statements.models import StatementLine
from market.treasury.models import PremiumInvoice
from tests.conftest import NOW
from tests.factories.statements import CLERK, import_lines, line, make_account

PREMIUM = "/console/treasury/premium"
ASKED = {"buyer": "Ethical Roasters", "contract": "2026-7 coffee", "amount": "7500.00", "due_on": "2027-03-31"}


@pytest.fixture
def standing(session, coop):
    return lambda: {row.code: row.money.minor for row in books.balances(session, ledger.book_of(session, coop.id)) if row.money}


def invoiced(desk, session):
    assert desk.post(desk.preparer, PREMIUM, **ASKED).status_code == 303
    made = session.scalars(select(PremiumInvoice)).one()
    assert desk.post(desk.preparer, f"{PREMIUM}/{made.id}", word="yes").status_code == 403
    assert desk.post(desk.approver, f"{PREMIUM}/{made.id}", word="yes").status_code == 303
    return made


def sound(session):
    return [*books.check(session), *orders.check(session)] == []


def test_premium_on_account_is_in_the_fund_when_the_bank_shows_it(desk, session, coop, standing):
    made = invoiced(desk, session)
    assert standing() == {"premium_receivable": 750_000, "held:premium": 750_000}
    assert sound(session)
    import_lines(session, make_account(session, coop=coop), [line(minor, ref=f"r{minor}") for minor in (500_000, 250_001)])
    more, part = session.scalars(select(StatementLine.id).order_by(StatementLine.amount_minor))
    typed = {"reference": reference(Kind.PREMIUM, made.number), "actor": CLERK, "now": NOW}
    statements.match_reference(session, line_id=part, **typed)
    assert standing() == {
        "bank:1": 250_001, "suspense:1": -250_001, "premium_bank": 500_000, "fund_available": 500_000,
        "premium_receivable": 250_000, "held:premium": 250_000,
    }  # fmt: skip
    with pytest.raises(WrongDirection, match=r"2,?500\.00"):
        statements.match_reference(session, line_id=more, **typed)
    assert sound(session)
    session.commit()
    assert "2,500.00" in desk.get(desk.approver, f"{PREMIUM}?open={made.id}").text
    assert desk.post(desk.approver, f"{PREMIUM}/{made.id}/back").status_code == 303
    assert session.get(PremiumInvoice, made.id, populate_existing=True).state == "booked"
    (match,) = session.scalars(select(StatementMatch))
    statements.undo_match(session, match_id=match.id, reason="another contract", actor=CLERK, now=NOW)
    assert standing()["premium_receivable"] == 750_000
    assert sound(session)


def test_an_invoice_of_premium_is_taken_back_before_anything_came(desk, session, coop, standing):
    made = invoiced(desk, session)
    assert desk.post(desk.approver, f"{PREMIUM}/{made.id}/back").status_code == 303
    assert standing() == {}
    import_lines(session, make_account(session, coop=coop), [line(750_000, ref="r")])
    (came,) = session.scalars(select(StatementLine.id))
    with pytest.raises(SuggestionGone):
        statements.match_reference(session, line_id=came, reference=reference(Kind.PREMIUM, made.number), actor=CLERK, now=NOW)
