"""A community currency at the desk and on the member's page: off, opened by two, held within limits, left with a debt."""

import pytest
from sqlalchemy import select

from market.ledger import queries as books
from market.ledger import service as ledger
from market.producers.models import Producer
from market.treasury import community_queries as queries
from market.treasury.community_models import CommunityHolder, CommunityLeaving, CommunityScheme, CommunityTransfer
from tests.console.test_payouts import Desk
from tests.factories.accounts import make_producer_account
from tests.factories.producers import make_coop, make_producer

PAGE = "/console/treasury/community"
SCHEME = {"legal_check": "Folder 7, opinion of A. Lawyer", "authorise_above": "100"}


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def desk(client, session, coop):
    return Desk(client, session, coop)


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
