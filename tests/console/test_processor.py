"""The card processor's account at the desk: its lines, payouts until the bank shows them, a report laid beside ours."""

import io

import pytest

from market.statements import service
from tests.cli.test_stripe_report import HEAD
from tests.console.conftest import Desk
from tests.domain.statements.test_sweeps import WHO, swept
from tests.factories.accounts import csrf_token, sign_in
from tests.factories.producers import make_coop
from tests.factories.statements import import_lines, line, make_account

PAGE = "/console/processor"


@pytest.fixture
def desk(client, session, coop):
    swept(session, coop, 9_825)
    swept(session, make_coop(session), 777, "po_others")
    return Desk(client, session, coop)


def test_a_payout_waits_until_the_banks_line_is_matched(desk, session, coop):
    page = desk.get(desk.preparer, f"{PAGE}?bank=waits")
    assert "txn_po_1AbCdEfGhIjKlMnOpQ" in page.text
    assert "txn_po_others" not in page.text
    assert "€98.25" in desk.get(desk.preparer, "/console/statements/").text
    account = make_account(session, coop=coop)
    import_lines(session, account, [line(9_825, ref="S1", text="STRIPE PAYOUT")])
    service.run_matching(session, money_account_id=account.id, **WHO)
    session.commit()
    assert "Nothing here" in desk.get(desk.preparer, f"{PAGE}?bank=waits").text
    assert "txn_po_1AbCdEfGhIjKlMnOpQ" in desk.get(desk.preparer, f"{PAGE}?bank=seen&kind=payout").text


def test_a_report_is_laid_beside_our_lines(desk, session):
    session.commit()
    sign_in(desk.client, session, desk.preparer)

    def send(text, **more):
        form = {"csrf_token": csrf_token(desk.client), "file": (io.BytesIO(text.encode()), "report.csv"), **more}
        return desk.client.post(f"{PAGE}/report", data=form)

    ours = "po_1,txn_po_1AbCdEfGhIjKlMnOpQ,eur,-98.25,0.00,-98.25,payout\n"
    others = "po_2,txn_po_others,eur,-7.77,0.00,-7.77,payout\n"
    answer = send(HEAD + ours + others + "po_1,txn_lost,eur,1.00,0.25,0.75,charge\n")
    assert answer.status_code == 200
    assert "1 line agrees. 1 does not." in answer.text
    assert "txn_lost" in answer.text
    assert "txn_po_others" not in answer.text
    lost = "".join(f"po_1,txn_{n},eur,1.00,0.25,0.75,charge\n" for n in range(201))
    many = send(HEAD + lost)
    assert "200 of 201 rows are shown" in many.text
    assert len(send(HEAD + lost, format="csv").text.splitlines()) == 202
    assert send("no,report\n").status_code == 422
    assert send(HEAD + "po_1,txn_x,eur,1.00,0.25,0.80,charge\n").status_code == 422
