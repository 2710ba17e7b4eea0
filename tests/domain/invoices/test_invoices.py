"""Invoices after orders, credit notes after refunds: once each, frozen, with tax that adds up, on the pages."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.http import links
from market.http.card_page import LINK
from market.invoices import queries, service
from market.invoices.queries import check, invoices_of
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.orders import service as orders
from market.payments.service.books import days_of
from market.producers.models import Coop
from tests.conftest import NOW
from tests.factories.accounts import make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of, place
from tests.factories.producers import make_coop, make_producer
from workers import invoices as tasks

STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))


def taxed_order(session, *, coops: int = 1):
    listings = [
        make_listing(session, producer=make_producer(session, coop=make_coop(session, tax_pct=Decimal("7.7"), transport_minor_per_line=333)))
        for _ in range(coops)
    ]  # fmt: skip
    return paid_order(session, *listings, quantity=3)


def issued(session, placed) -> list:
    session.commit()
    for _ in range(2):
        tasks.issue(order_id=str(placed.order_id), topic="orders.paid")
    return invoices_of(session, placed.order_id)


def test_each_coop_invoices_its_part_once_with_the_tax_on_its_fees(session):
    placed = taxed_order(session, coops=2)
    papers = issued(session, placed)
    assert [paper.number for paper in papers] == ["INV-2026-000001"] * 2
    assert sum(paper.total.minor for paper in papers) == placed.total.minor
    paper = queries.paper(session, papers[0].id)
    taxed = {line.supply: (line.rate, line.net_minor, line.tax_minor) for line in paper.taxes}
    assert taxed["charges"][0] == "7.7"
    assert taxed["charges"][2] > 0
    assert sum(row[1] + row[2] for row in taxed.values()) == paper.total_minor
    assert queries.printed(session, papers[0].id).startswith(b"%PDF")
    assert check(session) == []


def test_an_invoice_of_new_years_eve_is_of_the_year_and_the_day_where_the_co_op_is(session):
    coop = make_coop(session, time_zone="Africa/Kigali")
    placed = paid_order(session, make_listing(session, producer=make_producer(session, coop=coop)))
    late = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)
    invoice_id = service.issue_invoice(session, order_id=placed.order_id, coop_id=coop.id, now=late)
    paper = queries.paper(session, invoice_id)
    assert (paper.number, paper.day) == ("INV-2027-000001", date(2027, 1, 1))
    assert days_of(session, [coop.id], late) == {coop.id: date(2027, 1, 1)}, "so are the books"
    (part,) = parts_of(session, placed.order_id)
    refund(session, part, 1)
    (note_id,) = service.issue_credit_notes(session, seller_order_id=part.id, now=late)
    note = queries.paper(session, note_id)
    assert (note.number, note.day) == ("CN-2027-000001", date(2027, 1, 1))


def refund(session, part, quantity):
    orders.refund_lines(session, actor=STAFF, seller_order_id=part.id, quantities={part.lines[0].id: Decimal(quantity)},
                        reason="Broken", bearer="coop", now=NOW)  # fmt: skip


def test_each_refund_is_credited_once_and_all_of_them_come_to_the_invoice(session):
    placed = taxed_order(session)
    (part,) = parts_of(session, placed.order_id)
    for quantity in (1, 2):
        refund(session, part, quantity)
        session.commit()
        for _ in range(2):
            tasks.credit(seller_order_id=str(part.id), topic="orders.refunded")
    invoice, *notes = invoices_of(session, placed.order_id)
    assert (invoice.kind, [note.number for note in notes]) == ("invoice", ["CN-2026-000001", "CN-2026-000002"])
    assert sum(note.total.minor for note in notes) == invoice.total.minor
    papers = [queries.paper(session, one.id) for one in (invoice, *notes)]
    assert papers[1].corrects == "INV-2026-000001"
    assert papers[0].tax_minor == papers[1].tax_minor + papers[2].tax_minor
    assert check(session) == []


def test_a_document_is_never_changed_nor_deleted(session):
    (paper,) = issued(session, taxed_order(session))
    for act in ("UPDATE invoice SET total_minor = total_minor", "DELETE FROM invoice_print", "DELETE FROM invoice"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(act))
    assert queries.invoice(session, paper.id, order_id=paper.order_id) == paper


def test_buyer_and_staff_download_the_same_bytes_and_strangers_none(client, session):
    placed = taxed_order(session)
    (paper,) = issued(session, placed)
    key = links.key_for(LINK, placed.order_id)
    path = f"/orders/{placed.order_id}/invoices/{paper.id}"
    assert paper.number in client.get(f"/orders/{placed.order_id}?key={key}").text
    given = client.get(f"{path}?key={key}")
    assert (given.status_code, given.content_type) == (200, "application/pdf")
    assert client.get(path).status_code == 404
    (part,) = parts_of(session, placed.order_id)
    sign_in(client, session, make_staff(session, coop=session.get_one(Coop, part.coop_id)))
    assert client.get(f"/console/orders/{part.id}/invoices/{paper.id}").data == given.data
    assert paper.number in client.get(f"/console/orders/{part.id}").text


def test_who_pays_by_transfer_prints_a_request_while_it_is_awaited(client, session):
    placed = place(session, method="transfer")
    session.commit()
    path = f"/orders/{placed.order_id}/request-to-pay?key={links.key_for(LINK, placed.order_id)}"
    assert client.get(path).data.startswith(b"%PDF")
    orders.cancel_order(session, actor=STAFF, order_id=placed.order_id, now=NOW)
    session.commit()
    assert client.get(path).status_code == 404
