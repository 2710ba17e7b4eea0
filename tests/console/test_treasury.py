"""The premium fund and conversions at the desk: proposed by one, decided by another, ended by the bank's lines, in the books."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from market.accounts.models import AccountRole
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payables import queries as payables
from market.statements import service as statements
from market.statements.errors import WrongDirection
from market.statements.models import StatementLine
from market.treasury.models import FxConversion, PremiumItem, PremiumSpending
from tests.conftest import NOW
from tests.console.conftest import Desk
from tests.factories.accounts import make_staff
from tests.factories.payouts import owe
from tests.factories.producers import make_producer
from tests.factories.statements import CLERK, import_lines, line, make_account

FUND, FX = "/console/treasury/fund", "/console/treasury/conversions"
ITEM = {"name": "School roof", "amount": "6.00", "minutes": "Assembly of 20 November, item 4"}
SPENDING = {"amount": "5.00", "payee": "Roofers Ltd", "evidence": "Invoice 2026-17, folder 3"}


@pytest.fixture
def desk(client, session, coop):
    book = ledger.book_of(session, coop.id)
    money = Money(800, "EUR")
    earned = legs(("held:premium", "fund_available", money), ("premium_bank", "bank:1", money))
    ledger.post(session, [Entry(book, "released", "release:1", date(2026, 11, 20), "system", earned)])
    return Desk(client, session, coop)


@pytest.fixture
def balance(session, coop):
    return lambda code, currency="EUR": books.balance(session, ledger.book_of(session, coop.id), code, currency).minor


def only(session, model):
    session.expire_all()
    return session.scalars(select(model)).one()


def test_premium_is_decided_paid_with_its_paper_and_ended_by_the_bank(desk, session, coop, balance):
    assert desk.post(desk.preparer, FUND, **ITEM).status_code == 303
    item = only(session, PremiumItem)
    page = f"{FUND}?open={item.id}"
    assert "Another person has to decide" in desk.get(desk.preparer, page).text
    assert desk.post(desk.preparer, f"{FUND}/{item.id}", word="yes").status_code == 403
    assert desk.post(desk.approver, f"{FUND}/{item.id}", word="yes").status_code == 303
    assert (balance("fund_available"), balance(f"fund_committed:{item.id}")) == (200, 600)
    refused = desk.post(desk.preparer, f"{FUND}/{item.id}/spendings", **SPENDING | {"amount": "6.01"})
    assert refused.status_code == 422
    assert "Only 6.00 EUR is left for this." in refused.text.replace("€6.00", "6.00 EUR")
    assert desk.post(desk.preparer, f"{FUND}/{item.id}/spendings", **SPENDING).status_code == 303
    spending = only(session, PremiumSpending)
    assert "Invoice 2026-17" in desk.get(desk.approver, page).text
    assert desk.post(desk.approver, f"/console/treasury/spendings/{spending.id}", word="yes").status_code == 303
    account = make_account(session, coop=coop)
    import_lines(session, account, [line(-500, ref="a"), line(-1, ref="b")])
    paid, other = session.scalars(select(StatementLine).order_by(StatementLine.amount_minor)).all()
    who = {"account_code": "premium_in_transit", "reason": "roof", "actor": CLERK, "now": NOW}
    made = statements.book_line(session, line_id=paid.id, **who)
    statements.undo_match(session, match_id=made, reason="another roof", actor=CLERK, now=NOW)
    assert (balance("premium_in_transit"), balance("premium_bank")) == (500, 800)
    statements.book_line(session, line_id=paid.id, **who)
    with pytest.raises(WrongDirection, match=r"Only 0\.00 EUR"):
        statements.book_line(session, line_id=other.id, **who)
    assert (balance("premium_in_transit"), balance("premium_bank")) == (0, 300)
    session.commit()
    assert desk.post(desk.approver, f"{FUND}/{item.id}/close").status_code == 303
    assert (balance("fund_available"), balance(f"fund_committed:{item.id}")) == (300, 0)
    assert books.check(session) == []


def test_all_that_the_fund_holds_can_be_planned_and_all_of_that_be_spent(desk, session, balance):
    assert desk.post(desk.preparer, FUND, **ITEM | {"amount": "8.00"}).status_code == 303
    item = only(session, PremiumItem)
    desk.post(desk.approver, f"{FUND}/{item.id}", word="yes")
    assert desk.post(desk.preparer, f"{FUND}/{item.id}/spendings", **SPENDING | {"amount": "8.00"}).status_code == 303
    desk.post(desk.approver, f"/console/treasury/spendings/{only(session, PremiumSpending).id}", word="yes")
    assert (balance(f"fund_committed:{item.id}"), balance("premium_in_transit")) == (0, 800)


def test_more_than_the_fund_holds_and_no_minutes_are_refused(desk, session):
    page = desk.post(desk.preparer, FUND, **ITEM | {"amount": "8.01"})
    assert page.status_code == 422
    assert "is left for this" in page.text
    assert desk.post(desk.preparer, FUND, **ITEM | {"minutes": "x"}).status_code == 422
    assert session.scalars(select(PremiumItem)).all() == []


def test_a_debt_changes_its_currency_at_a_rate_that_can_be_looked_up(desk, session, coop, balance):
    ana = make_producer(session, coop=coop, name="Ana Quispe")
    owe(session, ana, 10_000)
    form = {"producer_id": str(ana.id), "amount": "100.00", "currency": "rwf", "rate": "1420", "rate_on": "2026-11-24"}
    for wrong in ({}, {"source": "?"}, {"source": "Central bank", "rate_on": "2026-11-26"}):  # no source, or not known yet
        assert desk.post(desk.preparer, FX, **form | wrong).status_code == 422
    assert desk.post(desk.preparer, FX, **form, source="Central bank, 24 November").status_code == 303
    found = only(session, FxConversion)
    assert desk.post(desk.approver, f"{FX}/{found.id}", word="yes").status_code == 303
    assert [(row.open.minor, row.open.currency) for row in payables.owed_to(session, ana.id)] == [(142_000, "RWF")]
    assert (balance("fx"), balance("fx", "RWF")) == (-10_000, 142_000)
    noted = session.execute(text("SELECT note FROM ledger_transaction WHERE kind = 'fx_agreed'")).scalar_one()
    assert (Decimal(noted["rate"]), noted["rate_on"], noted["source"]) == (1420, "2026-11-24", "Central bank, 24 November")
    book = ledger.book_of(session, coop.id)
    lines = legs(("fx", "suspense:1", Money(10_035, "EUR")), ("suspense:2", "fx", Money(142_000, "RWF")))
    ledger.post(session, [Entry(book, "match", "match:fx", date(2026, 11, 25), "system", lines)])
    session.commit()
    assert "Between currencies" in desk.get(desk.approver, f"{FX}?open={found.id}").text
    assert desk.post(desk.approver, f"{FX}/{found.id}/settle", given="100.35").status_code == 303
    assert (balance("fx"), balance("fx", "RWF"), balance("fx_result")) == (0, 0, -35)
    assert "settled" in desk.get(desk.approver, FX).text
    assert desk.get(desk.preparer, f"{FX}?format=csv").status_code == 200


def test_who_proposes_does_not_decide(desk, session, coop):
    both = make_staff(session, coop=coop, role="preparer")
    session.add(AccountRole(account_id=both.id, coop_id=coop.id, role="approver", granted_by="system", granted_at=NOW))
    session.commit()
    assert desk.post(both, FUND, **ITEM).status_code == 303
    item = only(session, PremiumItem)
    desk.post(both, f"{FUND}/{item.id}", word="yes")
    assert only(session, PremiumItem).state == "proposed"
