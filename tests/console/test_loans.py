"""Loans for harvests at the desk: taken on by two, matched when they come, repaid with interest by two, in the books."""

import re
from datetime import date
from decimal import Decimal

import pytest
from lxml import etree
from sqlalchemy import select

from market.kernel.money import Money
from market.kernel.references import Kind, reference
from market.ledger import queries as books
from market.ledger import service as ledger
from market.payouts import queries as payouts
from market.statements import service as statements
from market.statements.errors import MatchBuiltOn, WrongDirection
from market.statements.match_models import StatementMatch
from market.statements.models import StatementLine
from market.treasury import rules
from market.treasury.models import Loan, LoanRepayment
from tests.conftest import NOW
from tests.domain.payouts.test_endings import SCHEMA
from tests.factories.statements import CLERK, import_lines, line, make_account

LOANS = "/console/treasury/loans"
LOAN = {
    "kind": "buyer", "lender": "Ethical Roasters", "contract": "2026-7 coffee", "goods": "82500.00", "cap_percent": "60",
    "amount": "49500.00", "rate_percent": "4", "due_on": "2027-06-30", "terms": "Signed 20 November, folder 3",
}  # fmt: skip


@pytest.fixture
def balance(session, coop):
    return lambda code: books.balance(session, ledger.book_of(session, coop.id), code, "EUR").minor


def only(session, model):
    session.expire_all()
    return session.scalars(select(model)).one()


def taken_on(desk, session):
    assert desk.post(desk.preparer, LOANS, **LOAN).status_code == 303
    loan = only(session, Loan)
    assert desk.post(desk.approver, f"{LOANS}/{loan.id}", word="yes").status_code == 303
    return only(session, Loan)


def lines_of(session, account, *amounts):
    import_lines(session, account, [line(minor, ref=f"r{n}") for n, minor in enumerate(amounts)])
    return session.scalars(select(StatementLine.id).order_by(StatementLine.amount_minor.desc())).all()


def test_more_than_the_cap_of_the_goods_is_refused(desk, session):
    refused = desk.post(desk.preparer, LOANS, **LOAN | {"amount": "55000.00"})
    assert refused.status_code == 422
    assert re.search(r"At most [^ ]*49,?500.00.* can be lent on these goods", refused.text)
    assert 'value="Ethical Roasters"' in refused.text
    assert session.scalars(select(Loan)).all() == []


def test_a_loan_comes_and_goes_back_with_its_interest(desk, session, coop, balance):
    loan = taken_on(desk, session)
    typed = {"reference": reference(Kind.LOAN, loan.number), "actor": CLERK, "now": NOW}
    came, more, back = lines_of(session, make_account(session, coop=coop), 4_950_000, 100, -4_950_000)
    wrong = statements.match_reference(session, line_id=came, **typed)
    again = {"reason": "another lender", "actor": CLERK, "now": NOW}
    statements.undo_match(session, match_id=wrong, **again)
    assert (balance(f"prefinance_payable:{loan.id}"), balance("bank:1"), balance("suspense:1")) == (0, 100, -100)
    statements.match_reference(session, line_id=came, **typed)
    assert (balance(f"prefinance_payable:{loan.id}"), balance("bank:1"), balance("suspense:1")) == (4_950_000, 100, 4_949_900)
    with pytest.raises(WrongDirection, match=r"only 0\.00 EUR"):
        statements.match_reference(session, line_id=more, **typed)
    session.commit()
    refused = desk.post(desk.preparer, f"{LOANS}/{loan.id}/repayments", principal="49500.01", interest="0")
    assert "of the loan is owed." in refused.text
    refused = desk.post(desk.preparer, f"{LOANS}/{loan.id}/repayments", principal="49500.00", interest="500.00")
    assert "of interest has come due" in refused.text
    assert desk.post(desk.preparer, f"{LOANS}/{loan.id}/repayments", principal="49500.00", interest="0").status_code == 303
    paid = only(session, LoanRepayment)
    assert desk.post(desk.preparer, f"{LOANS}/repayments/{paid.id}", word="yes").status_code == 403
    assert desk.post(desk.approver, f"{LOANS}/repayments/{paid.id}", word="yes").status_code == 303
    transit = f"in_transit:loan:{loan.id}"
    assert (balance(f"prefinance_payable:{loan.id}"), balance(transit)) == (0, 4_950_000)
    assert "Take it back" in desk.get(desk.approver, f"{LOANS}?open={loan.id}").text
    statements.match_reference(session, line_id=back, **typed)
    assert balance(transit) == 0
    assert books.check(session) == [] == payouts.check(session)
    session.commit()
    assert desk.post(desk.approver, f"{LOANS}/{loan.id}/close").status_code == 303
    assert only(session, Loan).state == "closed"
    live = select(StatementMatch.id).where(StatementMatch.undone_at.is_(None))
    arrived, repaid = session.scalars(live.order_by(StatementMatch.id))
    with pytest.raises(MatchBuiltOn), session.begin_nested():
        statements.undo_match(session, match_id=arrived, **again)
    statements.undo_match(session, match_id=repaid, **again)
    assert (balance(transit), balance("suspense:1")) == (4_950_000, -100 + 4_950_000)
    with pytest.raises(WrongDirection, match=r"only 0\.00 EUR"):
        statements.match_reference(session, line_id=more, **typed)
    statements.match_reference(session, line_id=back, **typed)
    assert balance(transit) == 0
    assert books.check(session) == [] == payouts.check(session)


def test_a_repayment_that_the_bank_did_not_pay_is_taken_back(desk, session, coop, balance):
    loan = taken_on(desk, session)
    (came,) = lines_of(session, make_account(session, coop=coop), 4_950_000)
    statements.match_reference(session, line_id=came, reference=reference(Kind.LOAN, loan.number), actor=CLERK, now=NOW)
    session.commit()
    desk.post(desk.preparer, f"{LOANS}/{loan.id}/repayments", principal="1000.00", interest="0")
    paid = only(session, LoanRepayment)
    desk.post(desk.approver, f"{LOANS}/repayments/{paid.id}", word="yes")
    assert desk.post(desk.approver, f"{LOANS}/{loan.id}/close").status_code == 303
    assert only(session, Loan).state == "accepted"
    assert desk.post(desk.approver, f"{LOANS}/repayments/{paid.id}/back").status_code == 303
    assert only(session, LoanRepayment).state == "taken_back"
    assert (balance(f"prefinance_payable:{loan.id}"), balance(f"in_transit:loan:{loan.id}")) == (4_950_000, 0)
    assert books.check(session) == [] == payouts.check(session)


def test_a_repayment_is_a_bank_file_written_once(desk, session, coop):
    coop.iban, coop.bic, coop.account_holder = "DE89370400440532013000", "COBADEFFXXX", "Rio Azul"
    session.commit()
    refused = desk.post(desk.preparer, LOANS, **LOAN | {"iban": "DE88370400440532013000"})
    assert (refused.status_code, "check digits" in refused.text) == (422, True)
    assert desk.post(desk.preparer, LOANS, **LOAN | {"iban": "NL91 ABNA 0417 1643 00"}).status_code == 303
    loan = only(session, Loan)
    desk.post(desk.approver, f"{LOANS}/{loan.id}", word="yes")
    (came,) = lines_of(session, make_account(session, coop=coop), 4_950_000)
    typed = {"reference": reference(Kind.LOAN, loan.number), "actor": CLERK, "now": NOW}
    statements.match_reference(session, line_id=came, **typed)
    session.commit()
    desk.post(desk.preparer, f"{LOANS}/{loan.id}/repayments", principal="1000.00", interest="0")
    paid = only(session, LoanRepayment)
    file = f"{LOANS}/repayments/{paid.id}/file"
    assert desk.get(desk.preparer, file).status_code == 303, "nobody has booked it yet"
    desk.post(desk.approver, f"{LOANS}/repayments/{paid.id}", word="yes")
    first = desk.get(desk.preparer, file)
    SCHEMA.assertValid(etree.fromstring(first.data))
    assert b"<EndToEndId>%s</EndToEndId>" % typed["reference"].encode() in first.data
    assert b'<InstdAmt Ccy="EUR">1000.00</InstdAmt>' in first.data
    coop.account_holder = "Another name"
    session.commit()
    assert desk.get(desk.approver, file).data == first.data


def test_interest_is_simple_and_by_the_day():
    owed = [(date(2026, 1, 1), Money(1_000_000, "EUR")), (date(2026, 7, 1), Money(400_000, "EUR"))]
    # 10,000.00 for 181 days and 4,000.00 for 184 days, 4 % over 365 days: 198.356... and 80.657...
    assert rules.interest(owed, Decimal(4), date(2027, 1, 1)) == 27901
    assert rules.interest(owed, Decimal(4), date(2026, 1, 1)) == 0
    assert rules.interest([], Decimal(4), date(2027, 1, 1)) == 0
