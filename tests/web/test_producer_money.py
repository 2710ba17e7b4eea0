"""A payment with its text, the summary of a year, and the texts that staff send."""

import csv
import io
from datetime import date

import pytest

from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.payouts import queries, service
from tests.conftest import NOW
from tests.console.conftest import Desk
from tests.domain.payouts.test_endings import book_line
from tests.factories.accounts import make_producer_account, sign_in
from tests.factories.payouts import PREPARER, approved_run, only_payout, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def ana(session, coop):
    return make_producer(session, coop=coop, name="Ana Quispe", language="es", sms_phone="+51999888777")


@pytest.fixture
def paid(session, coop, ana):
    """A payment of 64.80 that the bank has shown on 27 November."""
    make_payee_account(session, producer=ana)
    owe(session, ana)
    run = approved_run(session, coop.id)
    service.write_files(session, run_id=run.id, now=NOW)
    (file,) = queries.files_of_run(session, run.id)
    service.mark_submitted(session, actor=PREPARER, file_id=file.id, now=NOW)
    session.expire_all()
    row = only_payout(session, run)
    legs = service.settle(
        session, payout_id=row.id, money=row.money, booked_on=date(2026, 11, 27), suspense="suspense:1", now=NOW
    )
    book_line(session, coop, legs)
    session.commit()
    return row


@pytest.fixture
def look(client, session, ana):
    account = make_producer_account(session, producer=ana)
    session.commit()
    return sign_in(client, session, account).get


def test_a_payment_says_what_it_was_for_and_fits_a_text_message(session, paid, look):
    page = look(f"/producer/money/{paid.id}")
    assert page.status_code == 200
    assert f"pagado 64,80 EUR el 2026-11-27, referencia {paid.reference}" in page.text.replace("Pagado", "pagado")
    assert f"/producer/money/{paid.id}/statement" in page.text
    paper = look(f"/producer/money/{paid.id}/statement").data
    given_back = service.GivenBack(paid.id, paid.money, "AC04")
    service.return_all(session, [given_back], suspense="suspense:1", now=NOW)
    session.commit()
    page = look(f"/producer/money/{paid.id}").text
    assert "This payment came back to your co-op" in page
    assert "agado 64,80 EUR" not in page  # the text message
    assert look(f"/producer/money/{paid.id}/statement").data != paper
    service.stay_paid(session, payout_id=paid.id, reason="it was another line", actor=PREPARER, now=NOW)
    session.commit()
    assert look(f"/producer/money/{paid.id}/statement").data == paper


def test_a_payment_of_somebody_else_is_not_there(client, session, coop, paid):
    other = make_producer_account(session, producer=make_producer(session, coop=coop))
    session.commit()
    assert sign_in(client, session, other).get(f"/producer/money/{paid.id}").status_code == 404


def test_a_year_by_quarters_as_page_pdf_and_csv(session, coop, ana, paid, look):
    more = owe(session, ana, 1000, due_on=date(2026, 12, 15))
    changed = (Leg(f"payable:{ana.id}", "fx", Money(400, "EUR")), Leg("fx", f"payable:{ana.id}", Money(1600, "PEN")))
    entry = Entry(ledger.book_of(session, coop.id), "fx_agreed", "fx:1", date(2026, 11, 2), "x", changed)
    refunded = (
        Leg(f"claim:{ana.id}", "refund_payable", Money(200, "EUR")),
        Leg(f"payable:{ana.id}", f"claim:{ana.id}", Money(200, "EUR")),
    )
    netted = Entry(entry.book_id, "payout_scheduled", "claim:1", date(2026, 11, 3), "x", refunded)
    again = (Leg(f"claim:{ana.id}", "suspense:1", Money(300, "EUR")),)
    ledger.post(session, [entry, netted, Entry(entry.book_id, "statement_match", "twice:1", date(2026, 11, 3), "x", again)])
    session.commit()
    assert more.money.minor == 1000
    page = look("/producer/money/years/2026")
    assert page.status_code == 200
    sheet = look("/producer/money/years/2026?format=csv")
    rows = list(csv.reader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert rows[1:] == [
        ["EUR", "Productos vendidos", "0.00", "0.00", "0.00", "74.80", "74.80"],
        ["EUR", "Reembolsos después del pago, retenidos", "0.00", "0.00", "0.00", "-2.00", "-2.00"],
        ["EUR", "Cambiado entre monedas", "0.00", "0.00", "0.00", "-4.00", "-4.00"],
        ["EUR", "Pagado de más, a devolver", "0.00", "0.00", "0.00", "3.00", "3.00"],
        ["EUR", "Pagado", "0.00", "0.00", "0.00", "67.80", "67.80"],
        ["PEN", "Cambiado entre monedas", "0.00", "0.00", "0.00", "16.00", "16.00"],
        ["PEN", "Pagado", "0.00", "0.00", "0.00", "0.00", "0.00"],
    ]
    assert look("/producer/money/years/2026?format=pdf").data.startswith(b"%PDF")
    assert look("/producer/money/years/1999").status_code == 404


def test_staff_copy_the_texts_or_take_them_as_a_file(client, session, coop, paid):
    desk = Desk(client, session, coop)
    page = desk.get(desk.preparer, "/console/payouts/texts?phone=yes")
    assert "sms:+51999888777?body=" in page.text
    rows = list(csv.reader(io.StringIO(desk.get(desk.preparer, "/console/payouts/texts?format=csv").text)))
    assert rows[1][2] == "Ana Quispe"
    assert rows[1][3] == "'+51999888777"
    assert "64,80 EUR" in rows[1][4]
    assert "Nothing here" in desk.get(desk.preparer, "/console/payouts/texts?to=2026-11-26").text
