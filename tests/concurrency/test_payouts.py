"""Payout runs with real commits: two people at once, double clicks, workers that race for one payout."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from market.app import create_app
from market.earnings import service as earnings
from market.gateways import memory
from market.http import db as http_db
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.actor import Actor
from market.kernel.clock import FixedClock
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger.errors import LimitExceeded
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.errors import NothingToPay, StepRefused
from tests.conftest import NOW, settings_for
from tests.factories.payouts import PREPARER, make_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from workers import payouts as tasks


@pytest.fixture(scope="module")
def real_app(make_database, servers):
    settings = settings_for(make_database("payouts"), servers["REDIS_URL"])
    app = create_app(settings, ports=memory.ports(), clock=FixedClock(NOW))
    yield app
    with app.app_context():
        for engine in http_db.db.engines.values():
            engine.dispose()


def at_once(app, calls: list[Callable[[], object]]) -> list[object]:
    """Run the calls at the same moment, each in its own thread and transaction; return results and refusals."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
            barrier.wait()
            try:
                results[number] = call()
            except DomainError as error:
                results[number] = type(error)
            http_db.db.session.remove()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def coop_id(real_app):
    """A committed co-op that owes ten producers who are paid by Stripe."""
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        coop = make_coop(session)
        for n in range(10):
            producer = make_producer(session, coop=coop)
            make_payee_account(session, producer=producer, rail="stripe", iban=None, bic=None, stripe_account=f"acct_{n}")
            owe(session, producer, 100 + n)
        return coop.id


def plan(coop_id):
    with unit_of_work() as session:
        return make_run(session, coop_id).id


def approve(run_id, list_sha256):
    person = Actor(account_id=new_id(), roles=frozenset({"approver"}))
    with unit_of_work() as session:
        return service.approve_run(session, actor=person, run_id=run_id, list_sha256=list_sha256, now=NOW).id


def only_run(coop_id):
    with unit_of_work() as session:
        (row,) = queries.runs(session, coop_id=coop_id).items
        return row


def test_two_people_never_prepare_the_same_debt(real_app, coop_id):
    results = at_once(real_app, [lambda: plan(coop_id)] * 4)
    assert results.count(NothingToPay) == 3
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        assert only_run(coop_id).totals[0].count == 10


def test_a_run_that_several_people_approve_at_once_is_booked_once(real_app, coop_id):
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        plan(coop_id)
        run = only_run(coop_id)
    results = at_once(real_app, [lambda: approve(run.id, run.list_sha256)] * 4)
    assert Counter(results) == {run.id: 1, StepRefused: 3}
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        assert queries.in_transit_totals(session, coop_id) == {("stripe", "EUR"): 1045}
        assert books.check(session) == []


def test_approving_and_discarding_at_once_leaves_one_truth(real_app, coop_id):
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        plan(coop_id)
        run = only_run(coop_id)

    def discard():
        with unit_of_work() as session:
            return service.discard_run(session, actor=PREPARER, run_id=run.id, now=NOW).id

    results = at_once(real_app, [lambda: approve(run.id, run.list_sha256), discard])
    assert results.count(StepRefused) == 1
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        transit = queries.in_transit_totals(session, coop_id)
        assert transit == ({("stripe", "EUR"): 1045} if queries.run(session, run.id).state == "approved" else {})
        assert books.check(session) == []


def test_workers_that_race_call_the_rail_once_per_payout(real_app, coop_id):
    rail = real_app.extensions["ports"].transfers
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        plan(coop_id)
        run = only_run(coop_id)
        approve(run.id, run.list_sha256)
    calls = Counter()
    send = rail.send

    def counted(order):
        calls[order.payout_id] += 1
        return send(order)

    rail.send = counted
    at_once(real_app, [lambda: tasks.drain(unit_of_work, {"stripe": rail}, lambda: NOW)] * 4)
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        mine = queries.payouts_of_run(session, run.id).items
    assert {row.state for row in mine} == {"sent"}
    assert all(calls[row.id] == 1 for row in mine)


def test_bags_handed_out_and_counted_at_once_add_up(real_app):
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        with unit_of_work() as session:
            coop = make_coop(session)
            producer = make_producer(session, coop=coop)
            make_payee_account(session, producer=producer, rail="cash", iban=None, bic=None)
            owe(session, producer, 100)
        with unit_of_work() as session:
            box = {"coop_id": coop.id, "money": Money(10_000, "EUR"), "on": NOW.date(), "slip": "W1"}
            service.fill_cash_box(session, actor=PREPARER, now=NOW, **box)
        plan(coop.id)
        run = only_run(coop.id)
        approve(run.id, run.list_sha256)

    def issue():
        with unit_of_work() as session:
            bag = {"run_id": run.id, "officer": "Claudine", "money": Money(4_000, "EUR"), "on": NOW.date()}
            return service.issue_bag(session, actor=PREPARER, now=NOW, **bag)

    bags = at_once(real_app, [issue] * 4)
    assert bags.count(LimitExceeded) == 2, "the box holds no more than two"
    bag_id = next(bag for bag in bags if bag is not LimitExceeded)

    def count():
        with unit_of_work() as session:
            back = {"bag_id": bag_id, "returned": Money(4_000, "EUR"), "on": NOW.date(), "explanation": ""}
            return service.close_bag(session, actor=PREPARER, now=NOW, **back)

    assert Counter(at_once(real_app, [count] * 3)) == {Money.zero("EUR"): 1, StepRefused: 2}
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        assert [bag.number for bag in queries.bags_of_run(session, run.id)] == [1, 2]
        assert service.cash_box_holds(session, coop_id=coop.id) == [Money(6_000, "EUR")]
        assert books.check(session) == []


def test_the_same_purchase_set_off_by_several_at_once_is_taken_once(real_app):
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        with unit_of_work() as session:
            member = make_producer(session)
            for _ in range(3):
                owe(session, member, 1200)
            facts = {"producer_id": member.id, "money": Money(1000, "EUR"), "sale": new_id(), "what": "two sacks"}

    def set_off() -> None:
        with unit_of_work() as session:
            earnings.offset(session, actor=PREPARER, now=NOW, **facts)

    assert at_once(real_app, [set_off] * 3) == [None] * 3
    with real_app.app_context(), tenancy.scoped(tenancy.EVERYTHING), unit_of_work() as session:
        assert [one.open.minor for one in payables.owed_to(session, facts["producer_id"])] == [2600]
        assert queries.check(session) == [] == books.check(session)
