"""Slips, advances, second payments, patronage, offsets, corrections and holds, against the real books (S01, S03, S04)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.earnings import queries, service
from market.earnings.errors import AmountRefused, NotOpen, ReasonMissing, SecondPerson, SlipRefused, SlipUsed
from market.earnings.service.advances import recover
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.payables.errors import TooLittleOwed
from market.payouts import queries as payouts
from tests.conftest import NOW
from tests.factories.payouts import APPROVER, PREPARER, approved_run, owe
from tests.factories.producers import make_coop, make_producer

DAY = date(2026, 11, 20)


@pytest.fixture
def coop(session):
    return make_coop(session, currency="RWF", country="RW")


@pytest.fixture
def member(session, coop):
    return make_producer(session, coop=coop)


def slip(session, member, number="A7-0412", **changes):
    values = {
        "actor": PREPARER,
        "producer_id": member.id,
        "slip": number,
        "delivered_on": DAY,
        "gross": Decimal("62.5"),
        "tare": Decimal("1.5"),
        "rejected": Decimal("2.0"),
        "unit": "kg",
        "unit_price": Decimal(410),
        "deduction": Decimal(10),
        "currency": "RWF",
        "pool": "p1",
        "due_on": DAY,
        "now": NOW,
    }
    return service.price_delivery(session, **values | changes)


def advance(session, member, minor, **changes):
    money = Money(minor, changes.pop("currency", "RWF"))
    made = service.propose_advance(
        session, actor=PREPARER, producer_id=member.id, money=money, reason="seedlings", now=NOW, **changes
    )
    service.decide_advance(session, actor=APPROVER, advance_id=made, granted=True, now=NOW)
    return made


def balance(session, member, code, currency="RWF"):
    return books.balance(session, ledger.book_of(session, member.coop_id), code, currency).minor


def laws_hold(session):
    return [*books.check(session), *queries.check(session), *payouts.check(session)] == []


def test_slip_s01_is_worth_what_the_rules_say_and_recovers_the_advance(session, member):
    advanced = advance(session, member, 5000)
    slip(session, member)
    assert balance(session, member, "purchases:p1") == 23600
    assert balance(session, member, f"advance:{advanced}") == 0
    assert balance(session, member, f"payable:{member.id}") == 5000 + 18600
    (view,) = queries.advances(session, member.coop_id)
    assert (view.state, view.left.minor) == ("recovered", 0)
    assert laws_hold(session)


def test_two_advances_are_recovered_by_priority_within_the_cap(session, member):
    second = advance(session, member, 40_000, priority=2)
    first = advance(session, member, 20_000, priority=1)
    slip(session, member, gross=Decimal(250), tare=Decimal(0), rejected=Decimal(0), unit_price=Decimal(400), deduction=Decimal(0))
    left = {view.id: view.left.minor for view in queries.advances(session, member.coop_id)}
    assert left == {first: 0, second: 10_000}  # S04: 50 % of 100,000 goes to them, a first
    assert laws_hold(session)


def test_one_payment_pays_an_advance_back_once(session, member):
    advance(session, member, 5000)
    owed = owe(session, member, 4000, "RWF")
    assert sum(leg.money.minor for leg in recover(session, owed, on=DAY)) == 2000
    assert recover(session, owed, on=DAY) == (), "the cap is for the payment, however often it is looked at"


def test_the_lowest_cap_of_several_advances_holds_and_no_advance_pays_another(session, member):
    advances = [advance(session, member, 40_000, cap_percent=Decimal(cap)) for cap in (50, 20)]
    for kind in ("advance", "premium", "bonus"):
        assert recover(session, owe(session, member, 1000, "RWF", kind=kind), on=DAY) == ()
    slip(session, member, gross=Decimal(250), tare=Decimal(0), rejected=Decimal(0), unit_price=Decimal(400), deduction=Decimal(0))
    assert sum(balance(session, member, f"advance:{one}") for one in advances) == 80_000 - 20_000
    assert laws_hold(session)


def test_no_advance_takes_what_the_floor_price_gives_for_the_goods(session, member):
    advanced = advance(session, member, 10_000)
    slip(session, member, floor_price=Decimal(380))  # 59 kg at 400: half would be 11,800, above the floor stand 1,180
    assert balance(session, member, f"advance:{advanced}") == 10_000 - 1180
    slip(session, member, "A7-0413", floor_price=Decimal(400))
    assert balance(session, member, f"advance:{advanced}") == 10_000 - 1180
    with pytest.raises(SlipRefused, match="below the floor"):
        slip(session, member, "A7-0414", floor_price=Decimal("400.01"))
    assert laws_hold(session)


def test_a_second_payment_recovers_what_the_floor_kept(session, member):
    advanced = advance(session, member, 3000)
    slip(session, member, floor_price=Decimal(400))
    made = service.propose_distribution(
        session, actor=PREPARER, coop_id=member.coop_id, kind="second_payment", pool="p1", name="2026", starts_on=DAY,
        ends_on=DAY, money=Money(4000, "RWF"), minutes="Assembly, item 4", now=NOW,
    )  # fmt: skip
    service.decide_distribution(session, actor=APPROVER, distribution_id=made, agreed=True, now=NOW)
    assert balance(session, member, f"advance:{advanced}") == 1000
    assert laws_hold(session)


def test_a_slip_of_a_closed_day_is_booked_on_the_first_open_one_and_none_of_tomorrow(session, member):
    advance(session, member, 5000)
    book = ledger.book_of(session, member.coop_id)
    ledger.close_days(session, book, through=NOW.date(), actor="t", now=NOW)
    first = slip(session, member, now=NOW + timedelta(days=1))
    assert slip(session, member, now=NOW + timedelta(days=2)) == first
    days = {(row.kind, row.effective_on) for row in books.postings(session, book) if row.effective_on > NOW.date()}
    assert days == {(kind, NOW.date() + timedelta(days=1)) for kind in ("delivery_priced", "advance_recovered")}
    with pytest.raises(SlipRefused, match="after today"):
        slip(session, member, "A7-0500", delivered_on=NOW.date() + timedelta(days=1))
    assert laws_hold(session)


def test_the_same_slip_again_changes_nothing_and_other_figures_are_refused(session, member):
    first = slip(session, member)
    assert slip(session, member) == first
    assert balance(session, member, f"payable:{member.id}") == 23600
    with pytest.raises(SlipUsed):
        slip(session, member, gross=Decimal(63))


@pytest.mark.parametrize(
    "changes", [{"gross": Decimal("3.5")}, {"deduction": Decimal(410)}, {"tare": Decimal(-1)}], ids=["net", "price", "negative"]
)
def test_a_slip_that_leaves_nothing_is_refused(session, member, changes):
    with pytest.raises(SlipRefused):
        slip(session, member, **changes)


def test_nobody_grants_their_own_advance_and_nobody_twice(session, member):
    made = service.propose_advance(
        session, actor=PREPARER, producer_id=member.id, money=Money(5000, "RWF"), reason="seedlings", now=NOW
    )
    with pytest.raises(SecondPerson):
        service.decide_advance(session, actor=PREPARER, advance_id=made, granted=True, now=NOW)
    service.decide_advance(session, actor=APPROVER, advance_id=made, granted=False, now=NOW)
    with pytest.raises(NotOpen):
        service.decide_advance(session, actor=APPROVER, advance_id=made, granted=True, now=NOW)
    assert balance(session, member, f"payable:{member.id}") == 0


def test_the_database_holds_the_two_persons(session, member):
    made = advance(session, member, 5000)
    with pytest.raises(DBAPIError, match="four_eyes"), session.begin_nested():
        session.execute(text("UPDATE advance SET decided_by = proposed_by WHERE id = :id"), {"id": made})


def test_a_second_payment_s03_shares_the_pool_to_the_last_cent(session):
    coop = make_coop(session)
    members = [make_producer(session, coop=coop) for _ in range(3)]
    for number, (one, kilos) in enumerate(zip(members, (59, 41, 33), strict=True)):
        slip(session, one, f"S{number}", gross=Decimal(kilos), tare=Decimal(0), rejected=Decimal(0),
             unit_price=Decimal(1), deduction=Decimal(0), currency="EUR")  # fmt: skip
    made = service.propose_distribution(
        session, actor=PREPARER, coop_id=coop.id, kind="second_payment", pool="p1", name="2026 main season",
        starts_on=DAY, ends_on=DAY, money=Money(100_000, "EUR"), minutes="Assembly of 2026-11-21, item 4", now=NOW,
    )  # fmt: skip
    service.decide_distribution(session, actor=APPROVER, distribution_id=made, agreed=True, now=NOW)
    got = [
        balance(session, one, f"payable:{one.id}", "EUR") - kilos * 100 for one, kilos in zip(members, (59, 41, 33), strict=True)
    ]
    assert got == [44361, 30827, 24812]
    assert balance(session, members[0], "season_pool:p1", "EUR") == 0
    assert laws_hold(session)


def test_patronage_pays_part_and_keeps_part_as_equity(session):
    coop = make_coop(session)
    members = [make_producer(session, coop=coop) for _ in range(3)]
    for number, (one, value) in enumerate(zip(members, (50, 30, 20), strict=True)):
        slip(session, one, f"S{number}", gross=Decimal(value), tare=Decimal(0), rejected=Decimal(0),
             unit_price=Decimal(1), deduction=Decimal(0), currency="EUR")  # fmt: skip
    made = service.propose_distribution(
        session, actor=PREPARER, coop_id=coop.id, kind="patronage", pool="p1", name="2026", starts_on=DAY, ends_on=DAY,
        money=Money(30_000, "EUR"), minutes="Assembly of 2026-11-21, item 5", now=NOW, cash_percent=Decimal(60),
    )  # fmt: skip
    service.decide_distribution(session, actor=APPROVER, distribution_id=made, agreed=True, now=NOW)
    assert [balance(session, one, f"retained_patronage:{one.id}", "EUR") for one in members] == [6000, 3600, 2400]
    assert laws_hold(session)


def test_a_distribution_among_nobody_is_refused(session, coop):
    with pytest.raises(AmountRefused, match="Nobody delivered"):
        service.propose_distribution(
            session, actor=PREPARER, coop_id=coop.id, kind="second_payment", pool="p1", name="2026", starts_on=DAY,
            ends_on=DAY, money=Money(1, "RWF"), minutes="item 4", now=NOW,
        )  # fmt: skip


def test_a_hold_keeps_money_out_of_a_run_until_it_ends(session, coop, member):
    member = make_producer(session)
    owe(session, member, 6480)
    owe(session, member, 1000)
    held = service.hold(
        session, actor=PREPARER, producer_id=member.id, money=Money(7000, "EUR"), reason="card dispute", source_kind="dispute",
        appeal="Write to the office or bring it to the assembly.", ends_on=NOW.date() + timedelta(days=7), source_id=new_id(), now=NOW,
    )  # fmt: skip
    assert balance(session, member, f"payable_on_hold:{member.id}", "EUR") == 7000
    assert laws_hold(session)
    service.end_hold(session, actor=PREPARER, hold_id=held, now=NOW)
    with pytest.raises(NotOpen):
        service.end_hold(session, actor=PREPARER, hold_id=held, now=NOW)
    assert balance(session, member, f"payable:{member.id}", "EUR") == 7480
    assert laws_hold(session)


def test_a_hold_ends_by_itself_after_its_last_day(session):
    member = make_producer(session)
    owe(session, member, 6480)
    service.hold(
        session, actor=PREPARER, producer_id=member.id, money=Money(6480, "EUR"), reason="papers missing", source_kind="note",
        appeal="Ask the office.", ends_on=NOW.date() + timedelta(days=1), source_id=new_id(), now=NOW,
    )  # fmt: skip
    assert service.end_due_holds(session, now=NOW + timedelta(days=1)) == 0
    somewhere = NOW + timedelta(days=1, hours=23)  # eleven in the morning in London, and still its last day in the Pacific
    assert service.end_due_holds(session, now=somewhere) == 0
    assert service.end_due_holds(session, now=NOW + timedelta(days=3)) == 1
    assert service.end_due_holds(session, now=NOW + timedelta(days=3)) == 0
    assert laws_hold(session)


@pytest.mark.parametrize("missing", [{"reason": " "}, {"appeal": " "}, {"ends_on": NOW.date()}, {"ends_on": date(9999, 12, 31)}])
def test_a_hold_without_words_or_end_is_refused(session, missing):
    member = make_producer(session)
    owe(session, member, 100)
    facts = {"reason": "papers missing", "appeal": "Ask the office.", "ends_on": NOW.date() + timedelta(days=1)}
    with pytest.raises(ReasonMissing):
        service.hold(
            session, actor=PREPARER, producer_id=member.id, money=Money(100, "EUR"), source_kind="note", source_id=new_id(),
            now=NOW, **facts | missing,
        )  # fmt: skip


def test_corrections_change_what_is_owed_both_ways(session):
    member = make_producer(session)
    owe(session, member, 6480)
    for minor, owed in ((-480, 6000), (250, 6250)):
        made = service.propose_correction(
            session, actor=PREPARER, producer_id=member.id, money=Money(minor, "EUR"), reason="weighed again", now=NOW
        )
        with pytest.raises(SecondPerson):
            service.decide_correction(session, actor=PREPARER, correction_id=made, agreed=True, now=NOW)
        service.decide_correction(session, actor=APPROVER, correction_id=made, agreed=True, now=NOW)
        assert balance(session, member, f"payable:{member.id}", "EUR") == owed
    assert laws_hold(session)


def test_an_offset_takes_inputs_instead_of_money_and_never_more_than_is_owed(session):
    member = make_producer(session)
    owe(session, member, 1200)
    with pytest.raises(TooLittleOwed), session.begin_nested():
        service.offset(
            session, actor=PREPARER, producer_id=member.id, money=Money(1201, "EUR"), sale=new_id(), what="two sacks", now=NOW
        )
    service.offset(
        session, actor=PREPARER, producer_id=member.id, money=Money(1200, "EUR"), sale=new_id(), what="two sacks", now=NOW
    )
    assert balance(session, member, f"payable:{member.id}", "EUR") == 0
    assert balance(session, member, "goods_sales", "EUR") == 1200
    assert laws_hold(session)


def test_what_is_held_or_netted_is_never_paid_out(session):
    from tests.factories.producers import make_payee_account

    member = make_producer(session)
    make_payee_account(session, producer=member)
    owe(session, member, 5000)
    service.hold(
        session, actor=PREPARER, producer_id=member.id, money=Money(2000, "EUR"), reason="card dispute", source_kind="dispute",
        appeal="Ask the office.", ends_on=NOW.date() + timedelta(days=7), source_id=new_id(), now=NOW,
    )  # fmt: skip
    run = approved_run(session, member.coop_id)
    (paid,) = payouts.payouts_of_run(session, run.id).items
    assert paid.money == Money(3000, "EUR")
    assert laws_hold(session)


def test_the_member_is_told_of_a_hold_with_its_reason_and_how_to_appeal(session):
    from market.notifications import audience
    from tests.factories.accounts import make_account

    member = make_producer(session, account_id=make_account(session).id)
    owe(session, member, 5000)
    made = service.hold(
        session, actor=PREPARER, producer_id=member.id, money=Money(2000, "EUR"), reason="card dispute", source_kind="dispute",
        appeal="Ask the office.", ends_on=NOW.date() + timedelta(days=7), source_id=new_id(), now=NOW,
    )  # fmt: skip
    (told,) = audience.TELLERS["earnings.held"](session, {"hold_id": str(made)})
    assert (told.facts["reason"], told.facts["appeal"], told.facts["amount"]) == (
        "card dispute", "Ask the office.", {"money": [2000, "EUR"]},
    )  # fmt: skip
    assert audience.coops(session, {"hold_id": str(made)}) == [member.coop_id]
