"""A form about people or money that is sent twice, by a second click or a reload, counts once; drawn anew it counts again."""

import re
from datetime import date

import pytest
from sqlalchemy import text

from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payouts import queries as payouts
from market.payouts import service as payout_service
from tests.conftest import NOW
from tests.console.test_loans import LOAN, LOANS
from tests.console.test_statements import only_line
from tests.console.test_treasury import FUND, FX, ITEM, SPENDING
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of
from tests.factories.payouts import PREPARER, owe
from tests.factories.producers import make_payee_account, make_producer
from tests.factories.statements import import_lines, line, make_account

EARNINGS = "/console/earnings"


@pytest.fixture
def member(session, coop):
    return make_producer(session, coop=coop)


def key_of(page: str, path: str) -> str:
    """The key of the form that goes to `path`, or of the page's own."""
    form = re.search(rf'<form[^>]*action="{re.escape(path)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    form = form or re.search(r'<form method="post" class="form[^"]*"(?![^>]*action)[^>]*>(.*?)</form>', page, re.DOTALL)
    return re.search(r'name="key" value="([^"]+)"', form[1])[1]


@pytest.fixture
def sent(desk, session):
    """Draw a form and send it twice, draw it anew and send it again; return how many rows each of the three has added."""

    def send(page: str, path: str, table: str, **form) -> list[int]:
        added = []
        key = key_of(desk.get(desk.preparer, page).text, path)
        for each in (key, key, key_of(desk.get(desk.preparer, page).text, path)):
            before = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            answer = desk.post(desk.preparer, path, key=each, **form)
            assert answer.status_code == 303, answer.text
            added.append(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() - before)
        return added

    return send


def test_a_member_and_what_members_earn_and_owe(sent, session, member):
    taken_in = {"name": "Ruth", "joined_on": "2026-11-01", "language": "en"}
    assert sent("/console/members/new", "/console/members/new", "member", **taken_in) == [1, 0, 1]
    page, paid = f"/console/members/{member.id}", {"rail": "cash", "currency": "EUR", "holder": member.name, "country": "DE"}
    assert sent(page, f"{page}/payee-accounts", "payee_account", **paid) == [1, 0, 1]
    owe(session, member, 5000)
    common = {"producer_id": member.id, "amount": "10", "reason": "seedlings"}
    assert sent(f"{EARNINGS}/corrections", f"{EARNINGS}/corrections", "payable_correction", **common, direction="less") == [
        1,
        0,
        1,
    ]
    assert sent(f"{EARNINGS}/advances", f"{EARNINGS}/advances", "advance", **common, cap_percent="40", priority="1") == [1, 0, 1]
    hold = common | {"appeal": "Ask Rosa.", "ends_on": "2026-12-24"}
    assert sent(f"{EARNINGS}/holds", f"{EARNINGS}/holds", "payable_hold", **hold) == [1, 0, 1]


def test_the_fund_conversions_and_loans(sent, desk, session, coop, member):
    owe(session, member, 10_000)
    book, money = ledger.book_of(session, coop.id), Money(2000, "EUR")
    earned = legs(("held:premium", "fund_available", money), ("premium_bank", "bank:1", money))
    ledger.post(session, [Entry(book, "released", "release:1", date(2026, 11, 20), "system", earned)])
    assert sent(FUND, FUND, "premium_item", **ITEM) == [1, 0, 1]
    item = session.execute(text("SELECT id FROM premium_item LIMIT 1")).scalar_one()
    desk.post(desk.approver, f"{FUND}/{item}", word="yes")
    spending = SPENDING | {"amount": "1.00"}
    assert sent(f"{FUND}?open={item}", f"{FUND}/{item}/spendings", "premium_spending", **spending) == [1, 0, 1]
    change = {"producer_id": str(member.id), "amount": "10.00", "currency": "rwf", "rate": "1420", "rate_on": "2026-11-24"}
    assert sent(FX, FX, "fx_conversion", **change, source="Central bank, 24 November") == [1, 0, 1]
    assert sent(LOANS, LOANS, "loan", **LOAN) == [1, 0, 1]


def test_money_given_back_to_a_buyer(sent, session, member):
    part = parts_of(session, paid_order(session, make_listing(session, producer=member), quantity="3").order_id)[0]
    page = f"/console/orders/{part.id}"
    form = {f"line-{part.lines[0].id}": "1", "reason": "broken bag", "bearer": "coop", "sure": "yes"}
    assert sent(page, f"{page}/refund", "refund", **form) == [1, 0, 1]


def test_cash_in_bags_and_a_line_booked_in_parts(sent, desk, session, coop, member):
    make_payee_account(session, producer=member, rail="cash", iban=None, bic=None)
    owe(session, member)
    box = {"coop_id": coop.id, "money": Money(20_000, "EUR"), "on": NOW.date(), "slip": "W1"}
    payout_service.fill_cash_box(session, actor=PREPARER, now=NOW, **box)
    run = desk.approved()
    bag = {"officer": "Claudine", "amount": "20", "currency": "EUR", "on": "2026-11-25"}
    assert sent(f"{run}/cash", f"{run}/cash", "cash_bag", **bag) == [1, 0, 1]
    assert len(payouts.bags_of_run(session, run.rsplit("/", 1)[1])) == 2

    account = make_account(session, coop=coop)
    import_lines(session, account, [line(-1_000, ref="A")])
    row = only_line(session, account)
    page = f"/console/statements/lines/{row.id}"
    book = {"account_code": "bank_charges", "amount": "1.00", "reason": "fee"}
    assert sent(page, f"{page}/book", "statement_match", **book) == [1, 0, 1]
    assert only_line(session, account).rest.minor == -800
    assert books.check(session) == []
