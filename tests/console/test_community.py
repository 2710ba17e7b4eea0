"""A community currency at the desk and on the member's page: off, opened by two, held within limits, left with a debt."""

import pytest
from sqlalchemy import select

from market.ledger import queries as books
from market.ledger import service as ledger
from market.producers.models import Producer
from market.treasury import community_queries as queries
from market.treasury.community_models import CommunityHolder, CommunityLeaving, CommunityScheme, CommunityTransfer
from market.treasury.errors import BeyondLimit, NotOpen
from market.treasury.service import community as service
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.payouts import APPROVER, PREPARER
from tests.factories.producers import make_coop, make_producer

PAGE = "/console/treasury/community"
SCHEME = {"legal_check": "Folder 7, opinion of A. Lawyer", "authorise_above": "100"}


@pytest.fixture
def members(session, coop):
    return [make_producer(session, coop=coop, name=name).id for name in ("Ana", "Luis")]


@pytest.fixture
def unit(session, coop):
    """What each holder has, by name; and that the sum is zero and the books are sound."""

    def read() -> dict[str, int]:
        session.expire_all()
        found = books.balances(session, ledger.book_of(session, coop.id), prefix="lc:")
        assert sum(row.money.minor for row in found) == 0, "M-1"
        assert books.check(session) == []
        return {one.name: one.balance.minor for one in queries.holders(session, coop.id, states=("open", "left"))}

    return read


def opened(desk, session, members):
    """The scheme, and an account of each member that may fall by 50 and grow to 80."""
    assert desk.post(desk.preparer, PAGE, producer_id=str(members[0]), limit_down="50", growth_cap="80").status_code == 422
    assert desk.post(desk.preparer, f"{PAGE}/scheme", **SCHEME | {"legal_check": "none"}).status_code == 422
    assert desk.post(desk.preparer, f"{PAGE}/scheme", **SCHEME).status_code == 303
    scheme = session.scalars(select(CommunityScheme.id)).one()
    desk.post(desk.approver, f"{PAGE}/scheme/{scheme}", word="yes")
    for member in members:
        assert desk.post(desk.preparer, PAGE, producer_id=str(member), limit_down="50", growth_cap="80").status_code == 303
        mine = session.scalars(select(CommunityHolder.id).where(CommunityHolder.producer_id == member)).one()
        desk.post(desk.approver, f"{PAGE}/{mine}", word="yes")
    return [queries.holder_of(session, member).id for member in members]


def test_members_pay_each_other_within_limits_that_the_books_defend(desk, session, members, unit):
    ana, luis = opened(desk, session, members)
    give = {"payee": str(luis), "amount": "45", "words": "Two days of harvest"}
    assert desk.post(desk.preparer, f"{PAGE}/{ana}/pay", **give).status_code == 303
    assert unit() == {"Ana": -4500, "Luis": 4500}
    assert queries.holder(session, luis).limit_down.minor == 8000, "50 and 45, at most 80"
    refused = desk.post(desk.preparer, f"{PAGE}/{ana}/pay", **give | {"amount": "5.01"})
    assert (refused.status_code, "more than the payer may still spend" in refused.text) == (422, True)
    back = {"payee": str(ana), "amount": "45", "words": "A day of pruning"}
    assert desk.post(desk.preparer, f"{PAGE}/{luis}/pay", **back).status_code == 303
    assert unit() == {"Ana": 0, "Luis": 0}
    assert queries.holder(session, ana).limit_down.minor == 5000, "what only goes round raises nothing"


def test_above_the_limit_a_second_person_authorises(desk, session, members, unit):
    ana, luis = opened(desk, session, members)
    session.get_one(CommunityScheme, session.scalars(select(CommunityScheme.id)).one()).authorise_above_minor = 1000
    session.commit()
    desk.post(desk.preparer, f"{PAGE}/{ana}/pay", payee=str(luis), amount="20", words="A goat")
    assert unit() == {"Ana": 0, "Luis": 0}
    waiting = session.scalars(select(CommunityTransfer.id)).one()
    assert "A goat" in desk.get(desk.approver, PAGE).text
    assert desk.post(desk.preparer, f"{PAGE}/transfers/{waiting}", word="yes").status_code == 403
    for _ in range(2):
        desk.post(desk.approver, f"{PAGE}/transfers/{waiting}", word="yes")
    assert unit() == {"Ana": -2000, "Luis": 2000}
    desk.post(desk.preparer, f"{PAGE}/{ana}/pay", payee=str(luis), amount="10", words="Exactly the limit")
    assert unit() == {"Ana": -3000, "Luis": 3000}
    desk.post(desk.preparer, f"{PAGE}/{ana}/pay", payee=str(luis), amount="11", words="A sheep")
    much = desk.post(desk.preparer, f"{PAGE}/{ana}/pay", payee=str(luis), amount="1250", words="A house")
    assert (much.status_code, "more than the payer may still spend" in much.text) == (422, True)
    own = session.scalars(select(CommunityTransfer).where(CommunityTransfer.state == "pending")).one()
    own.asked_by = session.get_one(CommunityTransfer, waiting).authorised_by  # who authorises now
    session.commit()
    refused = desk.post(desk.approver, f"{PAGE}/transfers/{own.id}", word="yes")
    assert (refused.status_code, unit()) == (303, {"Ana": -3000, "Luis": 3000}), "refused in words, on the page"
    assert session.get_one(CommunityTransfer, own.id).state == "pending"


def test_a_member_pays_on_a_page_of_their_own_and_leaves_with_a_debt_that_all_share(desk, session, coop, members, unit):
    ana, luis = opened(desk, session, members)
    me = make_producer_account(session, producer=session.get_one(Producer, members[0]))
    session.commit()
    assert "Community currency" in desk.get(me, "/producer/money").text
    assert desk.post(me, "/producer/community", payee=str(luis), amount="nothing", words="").status_code == 422
    assert desk.post(me, "/producer/community", payee=str(luis), amount="30", words="Seedlings").status_code == 303
    page = desk.get(me, "/producer/community").text
    assert "Seedlings" in page
    assert unit() == {"Ana": -3000, "Luis": 3000}
    stays = desk.post(desk.preparer, f"{PAGE}/{luis}/leave", minutes="12 December")
    assert (stays.status_code, "is spent first" in stays.text) == (422, True)
    assert desk.post(desk.preparer, f"{PAGE}/{ana}/leave", minutes="12 December").status_code == 303
    leaving = session.scalars(select(CommunityLeaving.id)).one()
    desk.post(desk.approver, f"{PAGE}/leavings/{leaving}", word="yes")
    assert unit() == {"Ana": 0, "Luis": 3000}
    shared = books.balance(session, ledger.book_of(session, coop.id), "lc:shared_loss", "XCC")
    assert shared.minor == -3000
    late = desk.post(desk.preparer, f"{PAGE}/{luis}/pay", payee=str(ana), amount="1", words="too late")
    assert late.status_code == 422


def xcc(amount):
    return {"minor": amount, "currency": "XCC"}


def test_programs_open_it_hold_it_pay_and_leave_with_the_scopes_of_their_own(client, session, coop, members, unit):
    people = {role: make_staff(session, coop=coop, role=role) for role in ("preparer", "approver")}
    people["ana"] = make_producer_account(session, producer=session.get_one(Producer, members[0]))
    session.commit()

    def call(role, method, path, body=None, key=None):
        sign_in(client, session, people[role])
        headers = {"X-CSRFToken": csrf_token(client)} | ({"Idempotency-Key": key} if key else {})
        return client.open(f"/api/v1{path}", method=method, json=body, headers=headers)

    def by_two(path, body, key, words):
        made = call("preparer", "POST", path, body, key)
        assert made.status_code == 201, made.json
        assert call("preparer", "POST", path, body, key).json == made.json, "the same key makes nothing new"
        word = f"/{words}/{made.json['id']}/decide"
        assert call("preparer", "POST", word, {"agreed": True}).status_code == 403
        assert call("approver", "POST", word, {"agreed": True}).status_code == 204
        return made.json["id"]

    assert call("ana", "GET", "/community-account").json == {"account": None, "partners": []}
    scheme = {"legal_check": "Folder 7, opinion of A. Lawyer", "authorise_above": xcc(2000)}
    by_two("/community-currency", scheme, "open-the-unit", "community-currency")
    ana, luis = (
        by_two(
            "/community-holders",
            {"producer_id": str(member), "limit_down": xcc(5000), "growth_cap": xcc(8000)},
            f"holder-{member}",
            "community-holders",
        )
        for member in members
    )
    pay = {"payee_id": luis, "amount": xcc(1500), "words": "Seedlings"}
    for _ in range(2):
        assert call("ana", "POST", "/community-transfers", pay, "ana-pays-luis").status_code == 201
    assert unit() == {"Ana": -1500, "Luis": 1500}
    foreign = call("ana", "POST", "/community-transfers", pay | {"payer_id": luis, "payee_id": ana}, "not-my-account")
    assert (foreign.status_code, foreign.json["code"]) == (409, "treasury.not_open")
    assert call("ana", "POST", "/community-transfers", pay | {"amount": xcc(1999)}, "within-1").status_code == 201
    beyond = call("ana", "POST", "/community-transfers", pay | {"amount": xcc(1999)}, "beyond-1")
    assert (beyond.status_code, beyond.json["code"]) == (409, "treasury.beyond_limit")
    by_two(
        "/community-transfers",
        {"payer_id": luis, "payee_id": ana, "amount": xcc(2001), "words": "Roof"},
        "the-new-roof",
        "community-transfers",
    )
    own = call("ana", "GET", "/community-account").json
    assert (own["account"]["balance"], [one["name"] for one in own["partners"]]) == (xcc(-1498), ["Luis"])
    assert [one["state"] for one in call("ana", "GET", "/community-transfers").json["items"]] == ["committed"] * 3
    by_two(f"/community-holders/{ana}/leavings", {"minutes": "12 December"}, "ana-leaves", "community-leavings")
    shown = call("preparer", "GET", "/community-currency").json
    assert shown["scheme"]["state"] == "open"
    assert {one["name"]: one["state"] for one in shown["holders"]} == {"Ana": "left", "Luis": "open"}


def test_nobody_holds_more_than_agreed_and_nothing_leaves_the_co_op(session, coop, members):
    holders = []
    for each in (coop, make_coop(session)):
        scheme = {"coop_id": each.id, "legal_check": "Folder 7, opinion", "authorise_above": queries.unit(100_000)}
        made = service.propose_scheme(session, actor=PREPARER, now=NOW, **scheme)
        service.decide_scheme(session, actor=APPROVER, scheme_id=made, agreed=True, now=NOW)
        for _ in range(2):
            limits = {name: queries.unit(5000) for name in ("limit_down", "growth_cap")} | {"limit_up": queries.unit(1000)}
            member = make_producer(session, coop=each).id
            held = service.propose_holder(session, actor=PREPARER, producer_id=member, now=NOW, **limits)
            service.decide_holder(session, actor=APPROVER, holder_id=held, agreed=True, now=NOW)
            holders.append(held)
    ana, luis, stranger, _ = holders

    def pay(payee, minor):
        money = queries.unit(minor)
        service.pay(session, actor=PREPARER, payer_id=ana, payee_id=payee, money=money, words="hay", now=NOW)

    pay(luis, 1000)
    with pytest.raises(BeyondLimit), session.begin_nested():
        pay(luis, 1)
    with pytest.raises(NotOpen):
        pay(stranger, 1)
