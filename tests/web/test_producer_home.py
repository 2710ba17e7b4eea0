"""A producer's home says what is coming and what to do; a field officer does the same for a member, and the audit says so."""

from datetime import date

import pytest

from market.catalogue import service as catalogue
from market.kernel.actor import Actor, system
from market.kernel.audit import AuditEntry
from market.kernel.ids import new_id
from market.producers.models import Certificate
from market.producers.service import end_membership
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order
from tests.factories.payouts import make_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.provenance import make_lot


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def ana(session, coop):
    return make_producer(session, coop=coop, name="Ana")


@pytest.fixture
def home(client, session, ana):
    account = make_producer_account(session, producer=ana)

    def look() -> str:
        session.commit()
        sign_in(client, session, account)
        return " ".join(client.get("/producer").text.split())

    return look


def test_a_new_member_is_told_how_to_begin(home):
    page = home()
    assert "nothing now" in page
    assert "Record your first harvest or batch" in page
    assert "Say where you want to be paid" in page


def test_what_is_owed_and_the_next_payout(session, ana, home):
    owe(session, ana, 6480, due_on=date(2026, 11, 28))
    owe(session, ana, 1000, due_on=date(2026, 12, 15))
    page = home()
    assert "€74.80" in page
    assert "€64.80" in page
    assert "due on 28 Nov 2026" in page
    assert "no confirmed account yet" in page
    make_payee_account(session, producer=ana)
    assert "bank transfer" in home()


def test_a_prepared_payout_comes_first(session, coop, ana, home):
    make_payee_account(session, producer=ana)
    owe(session, ana, 6480)
    make_run(session, coop.id)
    assert "being prepared for 25 Nov 2026" in home()


def test_what_waits_for_their_hands(session, coop, ana, home):
    listing = make_listing(session, producer=ana, title="Caturra")
    paid_order(session, listing)
    make_lot(session, coop=coop, producer=ana, label="L-9", name="")
    days = {"valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 20), "entered_at": NOW, "status": "active"}
    session.add(
        Certificate(
            coop_id=coop.id, producer_id=ana.id, scheme="eu_organic", kind="organic", number="1", issuer="B",
            product_scope=[], **days,
        )
    )  # fmt: skip
    page = home()
    for words in ("1 order to pack", "Offer L-9", "1 certificate ends soon", "20 Dec 2026", "Paid by buyers, not yet confirmed"):
        assert words in page
    assert "left the shop" not in page
    withdrawn = {"listing_id": listing.id, "reason": "The floor has risen.", "now": NOW}
    catalogue.withdraw_listing(session, actor=system("prices"), **withdrawn)
    assert "1 listing left the shop" in home()


def test_one_sheet_says_what_to_fetch_and_where_it_goes(client, session, ana, home):
    listing = make_listing(session, producer=ana, title="Caturra")
    for quantity in (2, 3):
        paid_order(session, listing, quantity=quantity)
    home()
    sheet = " ".join(client.get("/producer/orders/list").text.split())
    assert "2 orders, oldest first" in sheet
    assert "5 kg" in sheet
    assert sheet.count("28001 Madrid") == 2


def test_a_field_officer_works_for_a_member_and_is_named_in_the_audit(client, session, coop, ana):
    listing = make_listing(session, producer=ana, title="Caturra")
    officer = make_staff(session, coop=coop)
    session.commit()
    sign_in(client, session, officer)
    assert all("Work for Ana" in client.get("/field", query_string={"q": words}).text for words in ("an", "NÁ"))
    token = csrf_token(client)
    assert client.post(f"/field/{ana.id}", data={"csrf_token": token}).headers["Location"] == "/producer"
    assert "You work for Ana." in client.get("/producer").text
    assert client.get("/console").status_code == 403
    withdraw, form = f"/producer/listings/{listing.id}/withdraw", {"csrf_token": token, "reason": "sold"}
    other = make_producer(session, coop=coop, name="Luz")
    for drawn in ({}, {"for_member": str(other.id)}):  # in another tab, before they worked for Ana
        refused = client.post(withdraw, data=form | drawn)
        assert (refused.status_code, "filled in for another member" in refused.text) == (409, True)
    assert f'name="for_member" value="{ana.id}"' in client.get("/producer/details").text
    client.post(withdraw, data=form | {"for_member": str(ana.id)})
    entry = session.query(AuditEntry).filter_by(action="listing.withdrawn").one()
    assert (entry.actor, entry.on_behalf_of) == (f"account:{officer.id}", ana.id)
    assert client.post("/field/end", data={"csrf_token": token}).headers["Location"] == "/field"
    assert client.get("/console").status_code == 200
    assert client.get("/producer").status_code == 403


def test_the_public_page_calls_nobody_a_member_who_has_left(client, session, coop, ana):
    session.commit()
    assert "A member of" in client.get(f"/producers/{ana.slug}").text
    officer = Actor(account_id=new_id(), coop_id=coop.id, roles=frozenset({"preparer"}))
    end_membership(session, actor=officer, producer_id=ana.id, left_on=NOW.date(), now=NOW)
    session.commit()
    assert "A member of" not in client.get(f"/producers/{ana.slug}").text


def test_nobody_works_for_a_member_of_another_coop_or_who_has_left(client, session, ana):
    sign_in(client, session, make_staff(session, coop=make_coop(session)))
    session.commit()
    token = csrf_token(client)
    assert client.post(f"/field/{ana.id}", data={"csrf_token": token}).status_code == 404
    with client.session_transaction() as cookie:
        cookie["stands_in_for"] = str(ana.id)
    assert client.get("/producer").status_code == 403
