"""Lines of the processor that nothing of ours explains, and payouts to the bank that came back: booked, each once."""

from datetime import timedelta

import pytest

from market.console.site import ACCOUNTS
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.payments import service
from market.payments.errors import LineRefused
from market.payments.models import ProcessorLine, ProcessorShare
from market.payments.ports import BalanceLine
from market.payments.service.balance import match_swept_back
from market.payments.service.explain import BOOKABLE
from tests.conftest import NOW
from tests.domain.payments.reading import balances
from tests.factories.accounts import csrf_token, make_admin, make_staff, sign_in
from tests.factories.producers import make_coop
from tests.factories.statements import CLERK


def came(line_id, kind, minor, *, fee=0, source="", bank_payout=None, at=NOW):
    gross, cost = Money(minor, "EUR"), Money(fee, "EUR")
    return BalanceLine(
        line_id=line_id, kind=kind, source=source, gross=gross, fee=cost, net=gross - cost, booked_at=at, payment_id=None,
        refund_id=None, payout_id=None, bank_payout=bank_payout,
    )  # fmt: skip


def took(session, coop, minor):
    """The co-op took this much by card, ten days ago."""
    row = ProcessorLine(
        id=f"txn_{new_id()}", subject=new_id(), kind="charge", source="ch", currency="EUR", gross_minor=minor, fee_minor=0,
        net_minor=minor, booked_at=NOW - timedelta(days=10), state="matched",
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(ProcessorShare(line_id=row.id, coop_id=coop.id, gross_minor=minor, fee_minor=0))
    session.flush()


def explain(session, line_id, coop=None, account="payment_cost", reason="invoice of October"):
    given = {"line_id": line_id, "coop_id": coop.id if coop else None, "account": account, "reason": reason}
    service.explain_line(session, actor=CLERK, now=NOW, **given)


def test_a_fee_of_nobody_waits_and_is_spread_by_what_was_taken(session):
    first, second = make_coop(session), make_coop(session)
    took(session, first, 20_000)
    took(session, second, 10_000)
    service.store_lines(session, [came("txn_fee", "stripe_fee", -1_000)])
    (waits,) = service.unknown_lines(session)
    assert (waits.id, waits.gross.minor) == ("txn_fee", -1_000)
    explain(session, "txn_fee")
    assert balances(session, first) == {"stripe:1": -667, "payment_cost": 667}
    assert balances(session, second) == {"stripe:1": -333, "payment_cost": 333}
    assert service.unknown_lines(session) == []
    with pytest.raises(LineRefused, match="already"):
        explain(session, "txn_fee")
    assert books.check(session) == []


def test_a_line_is_booked_to_the_co_op_that_it_is_for(session):
    coop = make_coop(session)
    service.store_lines(session, [came("txn_fee", "stripe_fee", -1_000), came("txn_gift", "other", 700, fee=30)])
    with pytest.raises(LineRefused, match="Name the co-op"):
        explain(session, "txn_fee")
    with pytest.raises(LineRefused, match="cannot be booked"):
        explain(session, "txn_fee", coop, "unidentified")
    explain(session, "txn_gift", coop, "unidentified")
    assert balances(session, coop) == {"stripe:1": 670, "unidentified": 700, "payment_cost": 30}


def take_back(session, line_id, reason="it was ours after all"):
    service.take_back_line(session, actor=CLERK, line_id=line_id, reason=reason, now=NOW)


def test_what_was_said_of_a_line_is_undone_alone_and_said_anew(session):
    first, second = make_coop(session), make_coop(session)
    took(session, first, 20_000)
    took(session, second, 10_000)
    service.store_lines(session, [came("txn_fee", "stripe_fee", -1_000), came("txn_other", "stripe_fee", -30)])
    explain(session, "txn_other", first)
    for coop in (None, second, None):
        explain(session, "txn_fee", coop)
        take_back(session, "txn_fee")
        assert balances(session, second) == {}
        assert balances(session, first) == {"stripe:1": -30, "payment_cost": 30}
        assert "it was ours" in next(one.problem for one in service.unknown_lines(session))
    with pytest.raises(LineRefused):
        take_back(session, "txn_fee")
    explain(session, "txn_fee", second, "tax_payable", "tax of October")
    assert balances(session, second) == {"stripe:1": -1_000, "tax_payable": -1_000}
    assert books.check(session) == []


def test_a_line_that_a_payout_took_along_stays_with_its_co_op(session):
    first, second = make_coop(session), make_coop(session)
    service.store_lines(
        session,
        [
            came("txn_gift", "other", 700, bank_payout="po_1"),
            came("txn_out", "payout", -700, source="po_1", bank_payout="po_1"),
        ],
    )
    explain(session, "txn_gift", first, "unidentified")
    assert service.match_bank_payouts(session, line_id="txn_out", members=["txn_gift"])
    take_back(session, "txn_gift")
    assert balances(session, first) == {"suspense:s": -700, "sweep_transit": 700}
    explain(session, "txn_gift", second, "own_transit")
    assert balances(session, first) == {"own_transit": -700, "sweep_transit": 700}
    assert balances(session, second) == {}


def test_a_payout_that_is_not_the_sum_of_its_lines_books_nothing_and_goes_to_a_person(session):
    coop = make_coop(session)
    took(session, coop, 20_000)
    service.store_lines(session, [came("txn_po", "payout", -19_999, source="po_1", bank_payout="po_1")])
    members = [row.id for row in session.query(ProcessorLine).filter_by(kind="charge")]
    assert not service.match_bank_payouts(session, line_id="txn_po", members=[*members, "txn_on_its_way"])
    assert service.unknown_lines(session) == []  # a line of it is not known yet: it waits
    assert not service.match_bank_payouts(session, line_id="txn_po", members=members)
    (line,) = service.unknown_lines(session)
    assert (line.id, balances(session, coop)) == ("txn_po", {})


@pytest.mark.parametrize("kind", ["payout_failure", "payout_cancel"])
def test_a_payout_to_the_bank_that_came_back_goes_to_the_books_that_it_left(session, kind):
    first, second = make_coop(session), make_coop(session)
    took(session, first, 20_000)
    took(session, second, 10_000)
    lines = [came("txn_po", "payout", -30_000, source="po_1", bank_payout="po_1"), came("txn_back", kind, 30_000, source="po_1")]
    service.store_lines(session, [*lines, came("txn_other", kind, 5, source="po_9")])
    assert match_swept_back(session) == 0
    members = [row.id for row in session.query(ProcessorLine).filter_by(kind="charge")]
    assert service.match_bank_payouts(session, line_id="txn_po", members=members)
    assert balances(session, first)["sweep_transit"] == 20_000
    assert [match_swept_back(session), match_swept_back(session)] == [1, 0]
    for coop in (first, second):
        assert {code: minor for code, minor in balances(session, coop).items() if minor} == {}
    assert [line.id for line in service.unknown_lines(session)] == ["txn_other"]


def test_the_administrator_explains_lines_on_a_page(client, session):
    coop = make_coop(session)
    service.store_lines(session, [came("txn_fee", "stripe_fee", -1_000)])
    session.commit()
    assert sign_in(client, session, make_staff(session, coop=coop)).get("/admin/site/processor").status_code == 403
    page = sign_in(client, session, make_admin(session)).get("/admin/site/processor")
    assert "txn_fee" in page.text
    form = {"csrf_token": csrf_token(client), "line": "txn_fee", "coop_id": str(coop.id), "account": "payment_cost"}
    wrong = client.post("/admin/site/processor", data=form | {"reason": "?"})
    assert (wrong.status_code, "how you know what it is" in wrong.text) == (422, True)
    assert client.post("/admin/site/processor", data=form | {"reason": "invoice of October"}).status_code == 303
    session.expire_all()
    assert "All lines are explained." in client.get("/admin/site/processor").text
    assert balances(session, coop) == {"stripe:1": -1000, "payment_cost": 1000}
    assert {code for code, _words in ACCOUNTS} == set(BOOKABLE)
