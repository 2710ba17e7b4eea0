"""The staff's search: whatever belongs to the co-op is found by number, reference, name or amount, explained or not."""

import re

import pytest
from sqlalchemy import select

from market.payments.queries import payment
from market.payouts.models import PayoutRun
from market.statements import service as statements
from market.statements.models import StatementLine
from tests.conftest import NOW
from tests.domain.statements.test_matching import sent_payout
from tests.factories.accounts import make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order
from tests.factories.payouts import APPROVER
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot
from tests.factories.statements import import_lines, line, make_account


@pytest.fixture
def staff(client, session, coop):
    return sign_in(client, session, make_staff(session, coop=coop, role="preparer"))


@pytest.fixture
def known(session, coop):
    """One of each, explained where it can be, and by what names it."""
    rosa = make_producer(session, coop=coop, name="Rosa Huamán")
    lot = make_lot(session, coop=coop, producer=rosa, name="Harvest of May", label="HU-77/3")
    placed = paid_order(session, *(make_listing(session, producer=rosa, title=title) for title in ("Caturra", "Panela")))
    payout, _payee = sent_payout(session, coop)
    account = make_account(session, coop=coop)
    other_side = {"name": "Grand Mill", "iban": "DE89370400440532013000", "reference": payout.reference}
    import_lines(session, account, [line(-7_777, ref="BK-2026-0099", **other_side)])
    row = session.scalars(select(StatementLine)).one()
    booked = {"account_code": "write_off", "reason": "nobody knows", "actor": APPROVER, "now": NOW}
    statements.book_line(session, line_id=row.id, **booked)
    run = session.get(PayoutRun, payout.run_id)
    return {"order": placed, "paid": payment(session, placed.payment_id), "payout": payout, "run": run.number, "lot": lot.slug}


def test_everything_of_the_co_op_is_found(staff, known):
    payout, paid = known["payout"], known["paid"]
    for text, kinds in {
        known["order"].number: {"Orders"},
        "ana@example.org": {"Orders"},
        paid.reference: {"Orders", "Payments"},
        known["order"].total.text: {"Orders", "Payments"},
        f"RUN-{known['run']:06d}": {"Payout runs"},
        payout.number: {"Payouts"},
        payout.reference: {"Payouts", "Statement lines"},
        "grand mill": {"Statement lines"},
        "DE89 3704 0044 0532 0130 00": {"Statement lines"},
        "BK-2026-0099": {"Statement lines"},
        "77.77": {"Statement lines"},
        "rosa hua": {"Members"},
        "preparer": {"People"},
        "panela": {"Listings"},
        "harvest of": {"Lots"},
        "hu-77/3": {"Lots"},
        known["lot"]: {"Lots"},
        "nothing like this": set(),
    }.items():
        assert kinds_of(staff, text) == kinds, text


def test_nothing_of_another_co_op_is(client, session, known):
    stranger = sign_in(client, session, make_staff(session, coop=make_coop(session), role="approver"))
    for text in (
        known["order"].number,
        known["paid"].reference,
        known["payout"].number,
        "grand mill",
        "rosa",
        "panela",
        "harvest",
    ):
        assert kinds_of(stranger, text) == set(), text


PLACES = {
    "/orders/": "Orders", "/payouts/one/": "Payouts", "/payouts/": "Payout runs", "/statements/lines/": "Statement lines",
    "/members/": "Members", "/people?": "People", "/listings/": "Listings", "/lots/": "Lots",
}  # fmt: skip


def kinds_of(browser, text):
    """What was found: the captions of the tables, or where the only hit is looked at."""
    answer = browser.get("/console/search", query_string={"q": text})
    if answer.status_code == 303:
        return {next(kind for place, kind in PLACES.items() if place in answer.location)}
    return set(re.findall(r"<caption[^>]*>(.*?)</caption>", answer.text))
