"""Yesterday's backup is restored next to rails that paid since: the system finds out, says so, and pays nobody twice."""

from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from market.cli import migrations
from market.http.db import unit_of_work
from market.kernel import tenancy, uow
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.uow import gateway
from market.payments import service as payments
from market.payments.ports import BalanceLine
from market.payouts import queries, service
from market.payouts.errors import EvidenceNeeded, PayoutsStopped
from market.payouts.ports import Accepted, NotFound, Refused, Unsure
from market.payouts.rules.timing import Capabilities
from market.producers.models import Coop
from market.simulators.bank.account import AccountState, Habits, read_orders, simulate
from market.statements.models import MoneyAccount
from tests.conftest import NOW
from tests.factories.payouts import APPROVER, PREPARER, approved_run, make_run, only_payout, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.statements import import_bytes, make_account
from workers import payments as payment_tasks
from workers.payouts import drain

pytestmark = pytest.mark.faults
WHY = "Compared the statement of the 25th with the list: all four were paid."


@gateway
class ForgetfulRail:
    """A transfer rail that keeps a log for ever and its keys for a day."""

    capabilities = Capabilities(idempotent=True, askable=True, statement=True, reversible=False)

    def __init__(self) -> None:
        self.log, self.keys = [], {}

    def check_details(self, details):
        """Everybody can be paid here."""

    def send(self, order):
        """Move the money, once per key that is remembered."""
        if order.key not in self.keys:
            self.log.append(order.payout_id)
            self.keys[order.key] = f"tr_{len(self.log)}"
        return Accepted(self.keys[order.key])

    def ask(self, order):
        """Look into the log."""
        return Accepted(f"tr_{self.log.index(order.payout_id) + 1}") if order.payout_id in self.log else NotFound()

    def cancel(self, order):
        """Nothing can be stopped."""
        return Unsure("cannot be stopped")


class Site:
    """A database of its own that can be backed up and restored: a copy is what it was, whatever happened since."""

    def __init__(self, url: str) -> None:
        self.url, self.engine = url, create_engine(migrations.sqlalchemy_url(url))

    def unit(self):
        return uow.unit_of_work(lambda: Session(self.engine, expire_on_commit=False))

    def copy(self, name: str) -> "Site":
        self.engine.dispose()
        plain = self.url.replace("postgresql+psycopg://", "postgresql://")
        base, _, query = plain.partition("?")
        source, target = base.rsplit("/", 1)[1], f"{base.rsplit('/', 1)[1]}_{name}"
        with psycopg.connect(base.rsplit("/", 1)[0] + "/postgres" + (f"?{query}" if query else ""), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(target)))
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target), sql.Identifier(source)))
        return Site(base.rsplit("/", 1)[0] + "/" + target + (f"?{query}" if query else ""))

    def drop(self) -> None:
        self.engine.dispose()
        plain = self.url.replace("postgresql+psycopg://", "postgresql://")
        base, _, query = plain.partition("?")
        with psycopg.connect(base.rsplit("/", 1)[0] + "/postgres" + (f"?{query}" if query else ""), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(base.rsplit("/", 1)[1])))


@pytest.fixture
def site(make_database):
    """A co-op that owes two producers by transfer and two by bank, with its bank account."""
    site = Site(make_database("restore"))
    migrations.import_models()
    with tenancy.scoped(tenancy.EVERYTHING):
        with site.unit() as session:
            coop = make_coop(session)
            make_account(session, coop=coop)
            for n, rail in enumerate(("stripe", "stripe", "sepa", "sepa")):
                producer = make_producer(session, coop=coop)
                details = {"iban": None, "bic": None, "stripe_account": f"acct_{n}"} if rail == "stripe" else {}
                make_payee_account(session, producer=producer, rail=rail, **details)
                owe(session, producer, 1000 + n)
        yield site
    site.engine.dispose()


@pytest.fixture
def restored(site):
    """Restore the backup that `site.copy` made; both copies go at the end."""
    made = []

    def restore(backup: Site) -> Site:
        made.append(backup)
        return backup

    yield restore
    for one in made:
        one.drop()


def coop_of(session):
    return session.execute(text("SELECT id FROM coop")).scalar_one()


def pay_everybody(site, rail) -> bytes:
    """Approve a run, send it, let the bank carry out its file; return the bank's statement."""
    with site.unit() as session:
        coop_id = coop_of(session)
        run = approved_run(session, coop_id)
        service.write_files(session, run_id=run.id, now=NOW)
    drain(site.unit, {"stripe": rail}, lambda: NOW)
    with site.unit() as session:
        (file,) = queries.files_of_run(session, run.id)
        _, pain = queries.file_body(session, file.id)
        coop = session.get_one(Coop, coop_id)
        state = AccountState(coop.iban, "EUR", "Co-op", 0)
        habits = Habits(fee_minor=0, late_every=0, returns=0, unknown_minor=0, days=0)
        statement, _ = simulate(state, read_orders(pain), on=NOW.date(), habits=habits)
    return statement


def test_what_the_bank_paid_since_the_backup_stops_everything_before_anybody_is_paid_again(site, restored, report):
    rail = ForgetfulRail()
    backup = restored(site.copy("yesterday"))
    statement = pay_everybody(site, rail)
    assert len(rail.log) == 2
    later = NOW + timedelta(days=2)
    rail.keys.clear()
    with backup.unit() as session:
        coop_id = coop_of(session)
        account = session.query(MoneyAccount).one()
        import_bytes(session, account, statement, now=later)
        from market.statements import service as statements

        statements.run_matching(session, money_account_id=account.id, actor=PREPARER, now=later)
        assert len(queries.stops(session, coop_id=coop_id)) == 2, "both debits carry references that nobody knows"
    with pytest.raises(PayoutsStopped), backup.unit() as session:
        approved_run(session, coop_id, now=later)
    assert drain(backup.unit, {"stripe": rail}, lambda: later) == 0
    assert len(rail.log) == 2
    with pytest.raises(EvidenceNeeded), backup.unit() as session:
        service.lift(session, actor=APPROVER, coop_id=coop_id, why="ok", now=later)
    with backup.unit() as session:
        assert service.lift(session, actor=APPROVER, coop_id=coop_id, why=WHY, now=later) == 2
        statements.run_matching(session, money_account_id=account.id, actor=PREPARER, now=later)
        assert queries.stops(session, coop_id=coop_id) == [], "what a person has compared stops nothing a second time"
        make_run(session, coop_id, now=later)
    report("a backup restored beside rails that paid since: found on the first statement, nothing sent until somebody compared")


def test_transfers_that_waited_in_the_backup_are_asked_about_before_they_are_sent(site, restored, report):
    rail = ForgetfulRail()
    with site.unit() as session:
        approved_run(session, coop_of(session))
    backup = restored(site.copy("queued"))
    drain(site.unit, {"stripe": rail}, lambda: NOW)
    paid = list(rail.log)
    rail.keys.clear()
    drain(backup.unit, {"stripe": rail}, lambda: NOW + timedelta(days=2))
    assert rail.log == paid, "the keys are forgotten, and still nobody is paid twice"
    with backup.unit() as session:
        states = session.execute(text("SELECT state FROM payout WHERE rail = 'stripe'")).scalars().all()
    assert states == ["sent", "sent"]
    report("payouts queued in the backup and sent since, keys forgotten: asked about first, none paid twice")


def test_a_naive_sender_would_pay_them_twice(site, restored):
    rail = ForgetfulRail()
    with site.unit() as session:
        approved_run(session, coop_of(session))
    backup = restored(site.copy("naive"))
    drain(site.unit, {"stripe": rail}, lambda: NOW)
    rail.keys.clear()
    rail.ask = lambda order: NotFound()
    drain(backup.unit, {"stripe": rail}, lambda: NOW + timedelta(days=2))
    assert len(rail.log) == 4


def test_a_transfer_that_is_not_known_here_stops_every_coop(session, app):
    coops = [make_coop(session) for _ in range(2)]
    gone = new_id()
    money = Money(-1000, "EUR")
    line = BalanceLine("txn_1", "transfer", "tr_1", money, Money.zero("EUR"), money, NOW, payout_id=str(gone))
    payments.store_lines(session, [line])
    session.commit()
    payment_tasks.sync_balance()
    for coop in coops:
        (stop,) = queries.stops(session, coop_id=coop.id)
        assert (stop.found_in, stop.evidence) == ("the card processor", str(gone))


def test_a_rail_that_paid_what_it_had_refused_stops_the_coop(session, app, report):
    coop = make_coop(session)
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer, rail="stripe", iban=None, bic=None, stripe_account="acct_1")
    owe(session, producer, 1000)
    payout = only_payout(session, approved_run(session, coop.id))
    rail = ForgetfulRail()
    rail.send = lambda order: Refused("no such account")
    session.commit()
    drain(unit_of_work, {"stripe": rail}, lambda: NOW)
    assert queries.payout(session, payout.id).state == "failed"
    money = Money(-1000, "EUR")
    line = BalanceLine("txn_2", "transfer", "tr_2", money, Money.zero("EUR"), money, NOW, payout_id=str(payout.id))
    payments.store_lines(session, [line])
    session.commit()
    payment_tasks.sync_balance()
    (stop,) = queries.stops(session, coop_id=coop.id)
    assert stop.evidence == payout.reference
    with pytest.raises(PayoutsStopped):
        approved_run(session, coop.id)
    report("a rail that paid what it had refused: found on its statement, nothing more is sent")
