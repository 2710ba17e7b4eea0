"""Opening balances and their corrections over the API: to the trial balance by two persons, and no further by one."""

from sqlalchemy import select

from market.accounts.models import AccountRole
from market.kernel.money import Money
from market.ledger.reports import trial_balance
from market.ledger.service import book_of
from market.payables import queries as payables
from market.producers.models import Member
from tests.api.test_payouts import call, coop  # noqa: F401
from tests.conftest import NOW
from tests.factories.producers import make_producer

PATH = "/opening-balances"


def eur(minor):
    return {"minor": minor, "currency": "EUR"}


def test_balances_are_handed_over_and_corrected_by_two_persons(call, session, coop):  # noqa: F811
    member = make_producer(session, coop=coop)
    number = session.scalar(select(Member.number).where(Member.producer_id == member.id))
    file = f"account,currency,amount\nbank:1,EUR,500.00\npayable:{number},EUR,120.50\n"
    asked = {"on": "2026-01-01", "source": "Ledger 2025, folder 3", "name": "b.csv", "file": file}
    wrong = call("preparer", "POST", PATH, asked | {"file": f"{file}held:goods,EUR,1.00\n"}, "handed-over-0")
    assert (wrong.status_code, wrong.json["code"], wrong.json["facts"]) == (422, "ledger.opening_refused", {"row": 4})
    odd = call("preparer", "POST", PATH, asked | {"source": "Ledger \ud800"}, "handed-over-0")
    assert (odd.status_code, odd.json["code"]) == (422, "http.unusable_value")
    made = call("preparer", "POST", PATH, asked, "handed-over-1")
    assert (made.status_code, call("preparer", "POST", PATH, asked, "handed-over-1").json) == (201, made.json)
    second = call("preparer", "POST", PATH, asked, "handed-over-2")
    assert (second.status_code, second.json["code"]) == (409, "treasury.not_open")
    assert "wait for a second person already" in second.json["detail"]
    path = f"{PATH}/{made.json['id']}"
    shown = call("approver", "GET", path).json
    assert [(line["account"], line["amount"], line["problem"]) for line in shown["lines"]] == [
        ("bank:1", eur(50_000), None), (f"payable:{member.id}", eur(12_050), None),
    ]  # fmt: skip
    preparer = session.scalars(select(AccountRole).filter_by(role="preparer")).one()
    grant = {"account_id": preparer.account_id, "coop_id": coop.id, "granted_by": "system", "granted_at": NOW}
    session.add(AccountRole(role="approver", **grant))  # who may do both does not do both
    session.flush()
    alone = call("preparer", "POST", f"{path}/decide", {"agreed": True})
    assert (alone.status_code, alone.json["code"]) == (403, "treasury.second_person")
    assert call("approver", "POST", f"{path}/decide", {"agreed": True}).status_code == 204
    assert trial(session, coop) == {"bank:1": 50_000, f"payable:{member.id}": 12_050, "opening": 37_950}
    assert payables.owed_to(session, member.id)[0].open == Money(12_050, "EUR")
    corrected = {"account": "bank:1", "amount": eur(49_500), "reason": "the folder says otherwise, page 4"}
    first = call("preparer", "POST", f"{PATH}/corrections", corrected, "corrected-1").json["id"]
    assert call("preparer", "POST", f"{PATH}/{first}/withdraw").status_code == 204
    gone = call("preparer", "POST", f"{PATH}/{first}/withdraw")
    assert (gone.status_code, gone.json["code"]) == (409, "treasury.not_open")
    again = call("preparer", "POST", f"{PATH}/corrections", corrected, "corrected-2").json["id"]
    assert call("approver", "POST", f"{PATH}/{again}/decide", {"agreed": True}).status_code == 204
    assert trial(session, coop)["bank:1"] == 49_500
    listed = call("approver", "GET", PATH).json["items"]
    assert [(row["corrects"], row["state"]) for row in listed] == [(True, "booked"), (True, "withdrawn"), (False, "booked")]


def trial(session, coop):  # noqa: F811
    rows = trial_balance(session, book_of(session, coop.id), since=NOW.date(), until=NOW.date())
    return {row.code: row.closing.minor for row in rows}
