"""The report of sellers: what is missing is said, what is entered stands in the file, and amounts come from the books."""

import csv
import io
from datetime import date

import pytest

from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.producers.models import TaxIdentity
from market.producers.rules import Identity, missing_facts
from market.reports.queries import tasks
from market.reports.queries.lists import Viewer
from tests.conftest import NOW
from tests.console.conftest import Desk
from tests.factories.accounts import csrf_token, make_producer_account, sign_in
from tests.factories.payouts import owe
from tests.factories.producers import make_coop, make_payee_account, make_producer

ANA = {
    "kind": "person", "legal_name": "Ana Quispe Huanca", "street": "Calle 1", "town": "Puno", "country": "pe",
    "tax_number": "10467793549", "tax_country": "PE", "born_on": "1980-02-29",
}  # fmt: skip


@pytest.fixture
def ana(session, coop):
    producer = make_producer(session, coop=coop, name="Ana Quispe")
    owe(session, producer, 6480)
    book = ledger.book_of(session, coop.id)
    back = legs((f"payable:{producer.id}", "refund_payable", Money(480, "EUR")))
    ledger.post(session, [Entry(book, "refund", "refund:1:decided", date(2026, 11, 21), "system", back)])
    claimed = legs(
        (f"claim:{producer.id}", "refund_payable", Money(500, "EUR")), ("claim:cashier1", "fee_income", Money(9, "EUR"))
    )
    ledger.post(session, [Entry(book, "refund", "refund:2:decided", date(2026, 12, 21), "system", claimed)])
    for number, (debit, credit) in enumerate([("purchases:corrections", "payable"), ("payable", "purchases:corrections")]):
        ends = [code if ":" in code else f"{code}:{producer.id}" for code in (debit, credit)]
        moved = legs((ends[0], ends[1], Money(100, "EUR")), subject=producer.id)
        ledger.post(session, [Entry(book, "correction", f"correction:{number}", date(2026, 12, 22), "system", moved)])
    return producer


@pytest.fixture
def desk(client, session, coop, ana):
    return Desk(client, session, coop)


def report(desk, year=2026):
    text = desk.get(desk.preparer, f"/console/sellers?year={year}&format=csv").text
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_what_nobody_has_said_is_empty_and_named(desk):
    (row,) = report(desk)
    assert row["consideration_q4"] == "55.00"
    assert (row["consideration_q1"], row["activities_q4"], row["fees_q4"], row["taxes_withheld_q4"]) == (
        "0.00",
        "1",
        "0.00",
        "0.00",
    )
    assert (row["name"], row["date_of_birth"], row["account"], row["below_limits"]) == ("", "", "", "yes")
    assert row["missing"] == "legal_name; address; country; tax_number; born_on; account"
    page = desk.get(desk.preparer, "/console/sellers")
    assert "tax number, or the place of birth" in page.text
    assert "€55.00" in page.text
    assert report(desk, 2025) == []


def test_staff_enter_what_a_member_shows_on_paper(desk, session, ana):
    make_payee_account(session, producer=ana)
    assert desk.post(desk.preparer, f"/console/sellers/{ana.id}", **ANA).status_code == 303
    (row,) = report(desk)
    assert (row["missing"], row["name"], row["country"]) == ("", "Ana Quispe Huanca", "PE")
    assert (row["date_of_birth"], row["tax_number"]) == ("1980-02-29", "10467793549")
    assert row["account"].startswith("DE")
    assert "Nothing fits these filters" in desk.get(desk.preparer, "/console/sellers?missing=yes").text
    assert "complete" in desk.get(desk.preparer, f"/console/sellers?q=ana&missing=no&open={ana.id}").text
    assert "complete" in desk.get(desk.preparer, f"/console/sellers/{ana.id}").text


def test_what_cannot_be_right_is_said_beside_its_field(desk, ana):
    page = desk.post(desk.preparer, f"/console/sellers/{ana.id}", **ANA | {"country": "XX", "born_on": "2030-01-01"})
    assert page.status_code == 422
    assert "Name the country by its two-letter code" in page.text
    assert "lies in the past" in desk.post(desk.preparer, f"/console/sellers/{ana.id}", **ANA | {"born_on": "2030-01-01"}).text


def test_a_producer_enters_their_own_and_nobody_elses(client, session, coop, ana):
    account = make_producer_account(session, producer=ana)
    other = make_producer(session, coop=coop)
    session.commit()
    sign_in(client, session, account)
    form = {"csrf_token": csrf_token(client), **ANA, "kind": "organisation", "registration_number": "20-1"}
    assert client.post("/producer/identity", data=form).status_code == 303
    assert session.get(TaxIdentity, ana.id).legal_name == "Ana Quispe Huanca"
    assert session.get(TaxIdentity, other.id) is None
    assert "Registration number" in client.get("/producer/identity").text
    assert client.get(f"/console/sellers/{other.id}").status_code == 403


def test_programs_enter_and_read_the_same(client, session, ana, desk):
    address = f"/api/v1/producers/{ana.id}/tax-identity"
    sign_in(client, session, desk.preparer)
    assert client.get(address).json["missing"][0] == "legal_name"
    headers = {"X-CSRFToken": csrf_token(client)}
    said = client.put(address, json=ANA | {"country": "PE"}, headers=headers)
    assert (said.status_code, said.json["missing"], said.json["tax_number"]) == (200, ["account"], "10467793549")
    assert client.put(address, json=ANA | {"country": "XX"}, headers=headers).status_code == 422
    sign_in(client, session, make_producer_account(session, producer=make_producer(session, coop=make_coop(session))))
    assert client.get(address).status_code == 404


def test_sellers_without_their_details_are_a_task_until_all_is_known(desk, session, coop, ana):
    words = "Sellers without their details for the tax office"
    text = desk.get(desk.preparer, "/console").text
    assert words in text
    assert "/console/sellers?missing=yes&amp;year=2026" in text
    make_payee_account(session, producer=ana)
    whole = {"kind": "organisation", "legal_name": "Ana SAC", "street": "Calle 1", "town": "Puno", "country": "PE"}
    whole |= {"tax_number": "1", "tax_country": "PE", "registration_number": "2"}
    row = TaxIdentity(producer_id=ana.id, coop_id=coop.id, entered_by="test", entered_at=NOW, **whole)
    session.add(row)
    person = {"kind": "person", "tax_number": "", "tax_country": "", "birth_place": "Puno", "born_on": date(1980, 2, 29)}
    incomplete = [{name: ""} for name in ("legal_name", "town", "country", "tax_number", "tax_country", "registration_number")]
    incomplete += [person | {"birth_place": ""}, person | {"born_on": None}, {"street": ""}]
    viewer = Viewer(coop.id, "EUR", "UTC", None, NOW)
    for change in ({}, *incomplete, person, {"street": "", "postcode": "1"}):
        for name, value in (whole | {"postcode": "", "birth_place": "", "born_on": None} | change).items():
            setattr(row, name, value)
        session.flush()
        facts = Identity(**{name: getattr(row, name) for name in Identity.__slots__})
        counted = tasks.counts(session, viewer).get("seller_facts", 0)
        assert counted == bool(missing_facts(facts, has_account=True)), change
