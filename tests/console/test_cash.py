"""The pages of cash bags and cheques."""

from market.kernel.money import Money
from market.payouts import queries, service
from tests.conftest import NOW
from tests.console.test_forms_twice import key_of
from tests.factories.payouts import PREPARER, owe
from tests.factories.producers import make_payee_account, make_producer

RECEIPT = {
    "number": "R-7",
    "paid_on": "2026-11-25",
    "amount": "64.80",
    "cashier": "Claudine",
    "taken_by": "Jean",
    "signed": "signature",
}


def approved(desk, session, coop, rail):
    producer = make_producer(session, coop=coop, name="Jean")
    make_payee_account(session, producer=producer, rail=rail, iban=None, bic=None)
    owe(session, producer)
    page = desk.approved()
    return page, queries.payouts_of_run(session, page.rsplit("/", 1)[1]).items[0]


def test_a_bag_goes_out_pays_and_comes_back(desk, session, coop):
    service.fill_cash_box(session, actor=PREPARER, coop_id=coop.id, money=Money(20_000, "EUR"), on=NOW.date(), slip="W1", now=NOW)
    run, payout = approved(desk, session, coop, "cash")
    page = f"{run}/cash"
    assert "Cash bags and the list to sign" in desk.get(desk.preparer, run).text
    bag = {"officer": "Claudine", "amount": "100", "currency": "EUR", "on": "2026-11-25"}
    refused = desk.post(desk.preparer, page, **bag | {"amount": "300"})
    assert refused.status_code == 422
    assert 'value="Claudine"' in refused.text
    written = {"amount": "1.00,00"}
    assert "such as 1250.00 or 1250,00" in desk.post(desk.preparer, page, **bag | written).text
    assert desk.post(desk.preparer, page, **bag | {"amount": "100,00"}).status_code == 303
    run_id = run.rsplit("/", 1)[1]
    (row,) = queries.bags_of_run(session, run_id)
    one = f"/console/payouts/one/{payout.id}"
    assert f'<option value="{row.id}" selected' in desk.get(desk.preparer, one).text, "the only bag is offered first"
    assert desk.post(desk.preparer, f"{one}/receipt", bag="nonsense", **RECEIPT).status_code == 422
    twice = RECEIPT | {"bag": str(row.id), "key": key_of(desk.get(desk.preparer, one).text, f"{one}/receipt")}
    assert [desk.post(desk.preparer, f"{one}/receipt", **twice).status_code for _ in range(2)] == [303, 303]
    assert "R-7" in desk.get(desk.preparer, page).text
    assert desk.post(desk.preparer, f"{one}/receipt/back", reason="wrong member").status_code == 403
    assert "This cannot" not in desk.post(desk.approver, f"{one}/receipt/back", reason="").text
    assert "The debt to the member is open again" in desk.post(desk.approver, f"{one}/receipt/back", reason="wrong member").text
    assert queries.payout(session, payout.id).state == "settled"
    close = {"returned": "30", "currency": "EUR", "on": "2026-11-25", "explanation": "spent on fuel"}
    counted = desk.post(desk.preparer, f"{page}/{row.id}/close", **close).text
    assert "Is the bag counted?" in counted
    assert "€5.20" in counted, "what is missing is said before it is final"
    close |= {"sure": "yes"}
    assert desk.post(desk.preparer, f"{page}/{row.id}/close", **close).status_code == 422, "something is missing"
    assert desk.post(desk.approver, f"{page}/{row.id}/close", **close).status_code == 303
    text = desk.get(desk.preparer, page).text
    assert "spent on fuel" in text
    assert "€5.20" in text


def test_a_cheque_is_written_down_listed_and_voided_by_another(desk, session, coop):
    _, payout = approved(desk, session, coop, "cheque")
    one = f"/console/payouts/one/{payout.id}"
    assert desk.post(desk.preparer, f"{one}/cheque", number="?", on="2026-11-25").status_code == 422
    assert desk.post(desk.preparer, f"{one}/cheque", number="123", on="2026-11-25").status_code == 303
    assert "123" in desk.get(desk.preparer, "/console/cheques").text
    assert desk.post(desk.preparer, f"{one}/cheque/void", reason="lost").status_code == 403
    assert "Void this cheque" in desk.get(desk.approver, one).text
    assert "it is paid twice" in desk.post(desk.approver, f"{one}/cheque/void", reason="lost, the bank knows").text
    assert desk.post(desk.approver, f"{one}/cheque/void", reason="lost, the bank knows", sure="yes").status_code == 303
    assert "voided" in desk.get(desk.preparer, "/console/cheques").text
